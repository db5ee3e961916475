//! From kept rows to what one viewer sees, batch by batch: a page costs a constant number of store calls.

mod conversation;
mod event;
mod message;
mod user;

use std::collections::HashSet;

use crate::engine::Actor;
use crate::error::ChatResult;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Conversation, Member, Message};
use crate::store::Viewer;
use crate::time::Timestamp;

/// One member's view into one conversation.
#[derive(Debug, Clone)]
pub(crate) struct Sightline {
    pub(crate) conversation: Conversation,
    pub(crate) member: Member,
    /// Users he has blocked, in groups (in a direct a block hides nothing).
    pub(crate) blocked: HashSet<UserId>,
    pub(crate) now: Timestamp,
}
