//! Identifiers. User ids belong to the host; every other id is a UUIDv7 made by the engine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Longest user id, in bytes.
pub const MAX_USER_ID_BYTES: usize = 64;
/// Longest client id, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 64;

/// A text that is not an id of the wanted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(&'static str);

/// The host's own name for a user: 1-64 bytes without control characters, opaque to the engine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "u1"))]
pub struct UserId(std::sync::Arc<str>);

impl UserId {
    /// Takes the host's id.
    ///
    /// # Errors
    /// [`InvalidId`] when it is empty, longer than [`MAX_USER_ID_BYTES`] or holds a control character.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidId> {
        let id = id.as_ref();
        if id.is_empty() || id.len() > MAX_USER_ID_BYTES {
            return Err(InvalidId("a user id has 1 to 64 bytes"));
        }
        if id.chars().any(char::is_control) {
            return Err(InvalidId("a user id has no control characters"));
        }
        Ok(Self(id.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({})", self.0)
    }
}

impl FromStr for UserId {
    type Err = InvalidId;
    fn from_str(s: &str) -> Result<Self, InvalidId> {
        Self::new(s)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

/// The client's own key of a send: 1-64 bytes, opaque. The same key of the same sender in the same conversation is
/// the same message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "c-1"))]
pub struct ClientId(String);

impl ClientId {
    /// Takes a client's key.
    ///
    /// # Errors
    /// [`InvalidId`] when it is empty, longer than [`MAX_CLIENT_ID_BYTES`] or holds U+0000.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
        let id = id.into();
        if id.is_empty() || id.len() > MAX_CLIENT_ID_BYTES {
            return Err(InvalidId("a client id has 1 to 64 bytes"));
        }
        if id.contains('\0') {
            return Err(InvalidId("a client id has no U+0000"));
        }
        Ok(Self(id))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID, as a store reads it back.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.as_hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            /// Only the hyphenated form is an id, so one object has one name on the wire.
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                if s.len() != 36 {
                    return Err(InvalidId("not an id"));
                }
                Uuid::try_parse(s).map(Self).map_err(|_| InvalidId("not an id"))
            }
        }
    };
}

uuid_id!(
    /// Names a conversation.
    ConversationId
);
uuid_id!(
    /// Names a message. Order comes from [`Message::seq`](crate::model::Message), never from the id.
    MessageId
);
uuid_id!(
    /// Names an uploaded file.
    AttachmentId
);
uuid_id!(
    /// Names a report to moderators.
    ReportId
);
uuid_id!(
    /// Names an entry of the audit log.
    AuditId
);
uuid_id!(
    /// Names a scheduled message.
    ScheduledId
);
uuid_id!(
    /// Names one live connection of a user.
    SessionId
);

/// Makes ids; injected so that simulations repeat exactly.
pub trait IdGenerator: Send + Sync + fmt::Debug {
    /// The next UUIDv7.
    fn next(&self) -> Uuid;
}

/// UUIDv7 from the system clock and the system's random source (RFC 9562 §5.7).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_have_1_to_64_bytes() {
        assert!(UserId::new("").is_err());
        assert!(UserId::new("x".repeat(64)).is_ok());
        assert!(UserId::new("x".repeat(65)).is_err());
        assert!(UserId::new("ü".repeat(33)).is_err());
        assert!(UserId::new("a\0b").is_err());
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = Uuid::now_v7();
        assert!(id.as_hyphenated().to_string().parse::<MessageId>().is_ok());
        assert!(id.as_simple().to_string().parse::<MessageId>().is_err());
        assert!("nonsense".parse::<MessageId>().is_err());
    }
}
