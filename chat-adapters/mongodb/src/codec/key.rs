//! The `_id`s of documents that are named by several things. A line break is in no user id, and ids of the engine have
//! one length, so no two keys look alike.

use chat_core::id::{ClientId, ConversationId, MessageId, UserId};
use chat_core::model::{DirectPair, ReportTarget, Seq};

pub(crate) fn member(conversation: ConversationId, user: &UserId) -> String {
    format!("{}{user}", conversation.as_uuid().as_simple())
}

/// In the order of seq within a conversation.
pub(crate) fn message(conversation: ConversationId, seq: Seq) -> String {
    format!("{}{seq:016x}", conversation.as_uuid().as_simple())
}

/// The sender's key of a send.
pub(crate) fn send(conversation: ConversationId, sender: &UserId, client_id: &ClientId) -> String {
    format!(
        "{}{sender}\n{}",
        conversation.as_uuid().as_simple(),
        client_id.as_str()
    )
}

pub(crate) fn pair(pair: &DirectPair) -> String {
    format!("{}\n{}", pair.low(), pair.high())
}

pub(crate) fn reaction(message: MessageId, user: &UserId, emoji: &str) -> String {
    format!("{}{user}\n{emoji}", message.as_uuid().as_simple())
}

pub(crate) fn former_text(message: MessageId, version: u32) -> String {
    format!("{}{version:08x}", message.as_uuid().as_simple())
}

/// Of one user and one message: hides and stars.
pub(crate) fn of_message(user: &UserId, message: MessageId) -> String {
    format!("{}{user}", message.as_uuid().as_simple())
}

/// Of one user about another: blocks and mutes.
pub(crate) fn about(user: &UserId, other: &UserId) -> String {
    format!("{user}\n{other}")
}

/// An open report of a reporter on a target.
pub(crate) fn report(reporter: &UserId, target: &ReportTarget) -> String {
    format!("{}\n{reporter}\n{}", target.kind(), target.id())
}

/// The place of what is only ever added, in the order of commits.
pub(crate) const fn place(no: i64, index: i64) -> i64 {
    no.saturating_mul(1 << 20).saturating_add(index)
}
