use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{AttachmentId, ConversationId, MessageId, ReportId, UserId};
use crate::model::{Attachment, Block, Hide, Member, Message, Reaction, ReadAudience, Report, Seq, User};
use crate::time::Timestamp;

/// A step of a user's marks, as he may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkStep {
    /// `None`: the delivered mark. `Some`: the read mark, for that audience.
    pub read: Option<ReadAudience>,
    /// The mark before.
    pub from: Seq,
    /// The mark after.
    pub to: Seq,
    /// When; `None` when the time was forgotten.
    pub at: Option<Timestamp>,
}

/// A place among the steps of one user in one conversation: up to where, and of which mark.
pub type StepPlace = (Seq, Option<ReadAudience>);

/// Everything kept of one user, for his export and his erasure. Every list is a page: those after `after`, at most
/// `limit`, in the order of what `after` names.
///
/// What else a store keeps of a user is reached by his id elsewhere: his row, his devices, his direct conversations.
#[async_trait]
pub trait PersonalStore: Send + Sync + fmt::Debug {
    /// His memberships, past ones too.
    async fn memberships(
        &self,
        user: &UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> BackendResult<Vec<Member>>;

    /// What he sent to a conversation and the lines he caused there, tombstones and expired ones too. May read the
    /// whole conversation.
    async fn sent_messages(
        &self,
        conversation: ConversationId,
        sender: &UserId,
        after: Seq,
        limit: usize,
    ) -> BackendResult<Vec<Message>>;

    /// His reactions, by message and emoji.
    async fn reactions_by(
        &self,
        user: &UserId,
        after: Option<(MessageId, String)>,
        limit: usize,
    ) -> BackendResult<Vec<Reaction>>;

    /// Messages he deleted for himself.
    async fn hides_by(
        &self,
        user: &UserId,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<Hide>>;

    /// Steps of his marks in a conversation; of one seq, delivered before read, and the smaller audience first.
    async fn mark_steps(
        &self,
        conversation: ConversationId,
        user: &UserId,
        after: Option<StepPlace>,
        limit: usize,
    ) -> BackendResult<Vec<MarkStep>>;

    /// Users he has blocked.
    async fn blocks_by(
        &self,
        user: &UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> BackendResult<Vec<Block>>;

    /// Files he uploaded, in any state.
    async fn uploads_by(
        &self,
        user: &UserId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>>;

    /// Reports he made, open and closed.
    async fn reports_by(
        &self,
        user: &UserId,
        after: Option<ReportId>,
        limit: usize,
    ) -> BackendResult<Vec<Report>>;

    /// Deletes up to `limit` rows that are his alone and that no change of a conversation speaks of: devices, hides,
    /// entries of his block list, of his mutes and of his stars (lifted ones too), steps of his marks, scheduled
    /// messages. Returns how many went; 0 says that nothing is left.
    async fn erase_private(&self, user: &UserId, limit: usize) -> BackendResult<usize>;

    /// Users whose erasure was begun and not finished, in any order, at most `limit`.
    async fn unfinished_erasures(&self, limit: usize) -> BackendResult<Vec<User>>;
}
