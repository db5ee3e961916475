use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{
    Advance, Attachment, AuditEntry, Conversation, FormerText, Hide, Member, Message, Reaction, Report, Seq,
};

/// The beginning of a conversation that goes for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purge {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// Messages below this.
    pub below: Seq,
}
use crate::store::OutboxEntry;

/// What a decision wants written, all of it or nothing.
///
/// Every row is whole: a store inserts it or replaces the one with the same key. Derived rows (mention index, search
/// index, intervals, whatever a store keeps beside) follow from them and are the store's own business.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Writes {
    /// The conversation's new state; `None` when nothing changes. Key: id; also unique: the pair of a direct.
    pub conversation: Option<Conversation>,
    /// Members. Key: conversation and user.
    pub members: Vec<Member>,
    /// Messages. Key: id; also unique: (conversation, seq) and (conversation, sender, client id).
    pub messages: Vec<Message>,
    /// New steps of marks; only ever added.
    pub advances: Vec<Advance>,
    /// New reactions. Key: message, user, emoji.
    pub reactions_added: Vec<Reaction>,
    /// Reactions that go.
    pub reactions_removed: Vec<Reaction>,
    /// Messages that lose all their reactions.
    pub reactions_cleared: Vec<MessageId>,
    /// Texts that edits replaced. Key: message and version.
    pub former_texts: Vec<FormerText>,
    /// Messages that lose all their former texts.
    pub former_texts_cleared: Vec<MessageId>,
    /// New hides. Key: user and message.
    pub hides: Vec<Hide>,
    /// Files. Key: id.
    pub attachments: Vec<Attachment>,
    /// Messages that go before anything else is written, with everything that hangs on them: hides, reactions, stars, former texts,
    /// mentions, entries of the search index and of the index of files. Their seqs stay unused, and files are not touched.
    pub purge: Option<Purge>,
    /// What is to be carried out of the system because of this change; only ever added, in this order.
    pub outbox: Vec<OutboxEntry>,
    /// New reports. Key: id; also unique while open: reporter and target.
    pub reports: Vec<Report>,
    /// New entries of the audit log; only ever added.
    pub audit: Vec<AuditEntry>,
    /// New values of `user_rev`.
    pub user_revs: Vec<(UserId, u64)>,
}

impl Writes {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
