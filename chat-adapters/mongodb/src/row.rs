//! Documents as values: typed readers, and the few forms that fields have.
//!
//! Ids that the engine makes are UUID binaries, user ids are text, times are milliseconds since 1970 in UTC. Nested
//! values that no query looks into are JSON texts, so no key of a user's ever becomes a field or an operator. A field
//! without a value is absent.

use chat_core::id::{AttachmentId, ClientId, ConversationId, MessageId, UserId};
use chat_core::model::Muted;
use chat_core::time::Timestamp;
use mongodb::bson::{Bson, Document};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::Error;
use crate::names::Named;

pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn uuid(id: Uuid) -> Bson {
    mongodb::bson::Uuid::from_bytes(*id.as_bytes()).into()
}

pub(crate) fn uuids(ids: impl IntoIterator<Item = Uuid>) -> Vec<Bson> {
    ids.into_iter().map(uuid).collect()
}

pub(crate) fn texts<'a>(users: impl IntoIterator<Item = &'a UserId>) -> Vec<&'a str> {
    users.into_iter().map(UserId::as_str).collect()
}

pub(crate) fn time(at: Timestamp) -> i64 {
    at.as_millis()
}

/// Muted for good is the largest integer.
pub(crate) fn muted(muted: Muted) -> i64 {
    match muted {
        Muted::Until(at) => at.as_millis(),
        Muted::Forever => i64::MAX,
    }
}

pub(crate) fn json(value: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string(value)?)
}

/// Sets a field that may be absent.
pub(crate) fn opt(document: &mut Document, field: &str, value: Option<impl Into<Bson>>) {
    if let Some(value) = value {
        document.insert(field, value);
    }
}

/// Sets a JSON field, absent for the empty value.
pub(crate) fn opt_json<T: Serialize + Default + PartialEq>(
    document: &mut Document,
    field: &str,
    value: &T,
) -> Result<(), Error> {
    if *value != T::default() {
        document.insert(field, json(value)?);
    }
    Ok(())
}

/// Reads fields of one document.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(pub(crate) &'a Document);

impl Row<'_> {
    fn field(self, name: &'static str) -> Option<Bson> {
        self.0.get(name).filter(|value| **value != Bson::Null).cloned()
    }

    fn must<T>(found: Option<T>, name: &'static str) -> Result<T, Error> {
        found.ok_or(Error::Decode(name))
    }

    pub(crate) fn opt_int(self, name: &'static str) -> Result<Option<i64>, Error> {
        self.field(name)
            .map(|value| match value {
                Bson::Int64(number) => Ok(number),
                Bson::Int32(number) => Ok(i64::from(number)),
                _ => Err(Error::Decode(name)),
            })
            .transpose()
    }

    pub(crate) fn int(self, name: &'static str) -> Result<i64, Error> {
        Self::must(self.opt_int(name)?, name)
    }

    pub(crate) fn opt_uint(self, name: &'static str) -> Result<Option<u64>, Error> {
        self.opt_int(name)?
            .map(|number| u64::try_from(number).map_err(|_| Error::Decode(name)))
            .transpose()
    }

    pub(crate) fn uint(self, name: &'static str) -> Result<u64, Error> {
        Self::must(self.opt_uint(name)?, name)
    }

    pub(crate) fn opt_small(self, name: &'static str) -> Result<Option<u32>, Error> {
        self.opt_int(name)?
            .map(|number| u32::try_from(number).map_err(|_| Error::Decode(name)))
            .transpose()
    }

    pub(crate) fn small(self, name: &'static str) -> Result<u32, Error> {
        Self::must(self.opt_small(name)?, name)
    }

    /// False when it is absent.
    pub(crate) fn flag(self, name: &'static str) -> Result<bool, Error> {
        match self.field(name) {
            None => Ok(false),
            Some(Bson::Boolean(flag)) => Ok(flag),
            Some(_) => Err(Error::Decode(name)),
        }
    }

    pub(crate) fn opt_text(self, name: &'static str) -> Result<Option<String>, Error> {
        match self.field(name) {
            None => Ok(None),
            Some(Bson::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::Decode(name)),
        }
    }

    pub(crate) fn text(self, name: &'static str) -> Result<String, Error> {
        Self::must(self.opt_text(name)?, name)
    }

    pub(crate) fn opt_time(self, name: &'static str) -> Result<Option<Timestamp>, Error> {
        Ok(self.opt_int(name)?.map(Timestamp::from_millis))
    }

    pub(crate) fn time(self, name: &'static str) -> Result<Timestamp, Error> {
        Self::must(self.opt_time(name)?, name)
    }

    pub(crate) fn opt_muted(self, name: &'static str) -> Result<Option<Muted>, Error> {
        Ok(self.opt_int(name)?.map(|until| match until {
            i64::MAX => Muted::Forever,
            until => Muted::Until(Timestamp::from_millis(until)),
        }))
    }

    pub(crate) fn opt_uuid(self, name: &'static str) -> Result<Option<Uuid>, Error> {
        self.field(name).map(|value| as_uuid(&value, name)).transpose()
    }

    pub(crate) fn uuid(self, name: &'static str) -> Result<Uuid, Error> {
        Self::must(self.opt_uuid(name)?, name)
    }

    pub(crate) fn conversation(self, name: &'static str) -> Result<ConversationId, Error> {
        self.uuid(name).map(ConversationId::from_uuid)
    }

    pub(crate) fn message(self, name: &'static str) -> Result<MessageId, Error> {
        self.uuid(name).map(MessageId::from_uuid)
    }

    pub(crate) fn opt_attachment(self, name: &'static str) -> Result<Option<AttachmentId>, Error> {
        Ok(self.opt_uuid(name)?.map(AttachmentId::from_uuid))
    }

    pub(crate) fn opt_user(self, name: &'static str) -> Result<Option<UserId>, Error> {
        self.opt_text(name)?
            .map(|id| UserId::new(id).map_err(|_| Error::Decode(name)))
            .transpose()
    }

    pub(crate) fn user(self, name: &'static str) -> Result<UserId, Error> {
        Self::must(self.opt_user(name)?, name)
    }

    pub(crate) fn opt_client(self, name: &'static str) -> Result<Option<ClientId>, Error> {
        self.opt_text(name)?
            .map(|id| ClientId::new(id).map_err(|_| Error::Decode(name)))
            .transpose()
    }

    pub(crate) fn opt_name<T: Named>(self, name: &'static str) -> Result<Option<T>, Error> {
        self.opt_text(name)?
            .map(|text| T::named(&text).ok_or(Error::Decode(name)))
            .transpose()
    }

    pub(crate) fn name<T: Named>(self, name: &'static str) -> Result<T, Error> {
        Self::must(self.opt_name(name)?, name)
    }

    /// The default when it is absent.
    pub(crate) fn json<T: DeserializeOwned + Default>(self, name: &'static str) -> Result<T, Error> {
        match self.opt_text(name)? {
            None => Ok(T::default()),
            Some(text) => Ok(serde_json::from_str(&text)?),
        }
    }

    pub(crate) fn must_json<T: DeserializeOwned>(self, name: &'static str) -> Result<T, Error> {
        Ok(serde_json::from_str(&self.text(name)?)?)
    }

    /// Users in a list; none when it is absent.
    pub(crate) fn users(self, name: &'static str) -> Result<Vec<UserId>, Error> {
        let Some(value) = self.field(name) else {
            return Ok(Vec::new());
        };
        let list = value.as_array().ok_or(Error::Decode(name))?;
        list.iter()
            .map(|user| {
                let id = user.as_str().ok_or(Error::Decode(name))?;
                UserId::new(id).map_err(|_| Error::Decode(name))
            })
            .collect()
    }
}

fn as_uuid(value: &Bson, name: &'static str) -> Result<Uuid, Error> {
    match value {
        Bson::Binary(binary) => Uuid::from_slice(&binary.bytes).map_err(|_| Error::Decode(name)),
        _ => Err(Error::Decode(name)),
    }
}

/// A literal text as a regular expression: no character of it means anything but itself.
pub(crate) fn literal(text: &str) -> Document {
    let mut pattern = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_ascii() && !character.is_ascii_alphanumeric() {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    mongodb::bson::doc! { "$regex": pattern }
}
