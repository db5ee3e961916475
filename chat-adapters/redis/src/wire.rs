//! What nodes say to each other: small JSON objects. What is anything else is not ours, and passed over.

use chat_core::port::Hint;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes of the longest one. Whoever may write on the channels may write anything.
const LONGEST: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// Which node.
    #[serde(rename = "n")]
    pub(crate) node: Uuid,
    #[serde(flatten)]
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// Something changed.
    Hint(Hint),
    /// The node is there, and its subscription works when it hears this itself.
    Pulse,
    /// The node could not say something that it should have said.
    Gap,
}

impl Said {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= LONGEST)
            .then(|| serde_json::from_slice(bytes).ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use chat_core::id::{ConversationId, UserId};

    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let hints = [
            Hint::Conversation {
                id: ConversationId::from_uuid(Uuid::now_v7()),
                rev: 7,
            },
            Hint::User {
                id: UserId::new("ann").unwrap(),
                user_rev: 3,
            },
        ];
        let all = hints.map(What::Hint).into_iter().chain([What::Pulse, What::Gap]);
        for what in all {
            let said = Said {
                node: Uuid::new_v4(),
                what,
            };
            assert_eq!(Said::from_bytes(&said.to_bytes().unwrap()), Some(said));
        }
    }

    #[test]
    fn anything_else_is_passed_over() {
        let deep = "[".repeat(4_000);
        for bytes in [
            &b""[..],
            b"{}",
            b"\xff\xfe",
            b"{\"n\":1}",
            deep.as_bytes(),
            &[b' '; 5_000],
        ] {
            assert_eq!(Said::from_bytes(bytes), None);
        }
    }
}
