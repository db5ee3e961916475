//! Why something is as it is: for support, for tests of a host, for an operator at night.
//!
//! Every answer asks the rules themselves ([`push_decision`](crate::access::push_decision),
//! [`allowed`](crate::access::allowed), [`counts_as_unread`](crate::access::counts_as_unread)) about the present state;
//! none is a second version of a rule. Answers serialise for machines and print for people. They tell one user's
//! private settings and blocks, so they are for the host and have no route.
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::sync::Arc;
//! # use chat_core::command::SendMessage;
//! # use chat_core::id::UserId;
//! # use chat_core::memory::MemoryStore;
//! # use chat_core::port::Identity;
//! # use chat_core::ChatEngine;
//! use chat_core::access::Action;
//!
//! # let engine = ChatEngine::builder(Arc::new(MemoryStore::default())).build();
//! # let (ada, ben) = (UserId::new("ada")?, UserId::new("ben")?);
//! # for id in [&ada, &ben] { engine.admit(&Identity::new(id.clone())).await?; }
//! let sent = engine.as_user(&ada).send(SendMessage::text_to(ben.clone(), "hello")).await?.message;
//!
//! let push = engine.explain().push(sent.id, &ben).await?;
//! assert_eq!((push.decision, push.reason), ("none", Some("no_device")));
//!
//! let denied = engine.explain().denied(&ben, Action::AddMembers, sent.conversation_id).await?;
//! assert_eq!(denied.code, Some("invalid_operation"));
//!
//! let unread = engine.explain().unread(&ben, sent.conversation_id).await?;
//! assert_eq!((unread.store_count, unread.agrees), (1, Some(true)));
//! println!("{push}\n{denied}\n{unread}");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "memory"))]
//! # fn main() {}
//! ```

mod denial;
mod push;
mod unread;

pub use denial::DenialExplanation;
pub use push::{PushExplanation, PushFactsSeen};
pub use unread::{SeqExplanation, UnreadExplanation, UnreadReason};

use super::ChatEngine;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::ConversationId;
use crate::model::Conversation;

/// Answers why; see the [module](self).
#[derive(Debug, Clone)]
pub struct Explain {
    engine: ChatEngine,
}

impl ChatEngine {
    /// Why a user is pushed or not, may do something or not, has so many unread messages.
    #[must_use]
    pub fn explain(&self) -> Explain {
        Explain { engine: self.clone() }
    }
}

impl Explain {
    async fn conversation(&self, id: ConversationId) -> ChatResult<Conversation> {
        let found = self.engine.inner().store.conversations(&[id]).await?.pop();
        found.ok_or_else(|| ChatError::new(ErrorCode::ConversationNotFound, "no such conversation"))
    }
}
