//! Everything a store holds, row by row: to copy it into another store, and to check that what is derived agrees with
//! what it is derived from.
//!
//! Both work on a store that nobody writes to: stop the servers first.

mod copy;
mod findings;
mod rows;
mod verify;

use std::fmt;

use async_trait::async_trait;

pub use copy::{Copied, CopyError, copy};
pub use findings::{Finding, Findings};
pub use verify::{VerifyOptions, verify};

use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::{
    Account, AccountSession, Advance, Attachment, AuditEntry, Block, Conversation, Device, FormerText, Hide,
    Member, Message, Muted, Reaction, Report, Scheduled, User,
};
use crate::store::{OutboxEntry, StarChange};

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveKind {
    /// [`ArchiveRow::User`].
    Users,
    /// [`ArchiveRow::Account`].
    Accounts,
    /// [`ArchiveRow::Login`].
    Logins,
    /// [`ArchiveRow::Device`].
    Devices,
    /// [`ArchiveRow::Attachment`].
    Attachments,
    /// [`ArchiveRow::Conversation`].
    Conversations,
    /// [`ArchiveRow::Member`].
    Members,
    /// [`ArchiveRow::Message`].
    Messages,
    /// [`ArchiveRow::FormerText`].
    FormerTexts,
    /// [`ArchiveRow::Reaction`].
    Reactions,
    /// [`ArchiveRow::Advance`].
    Advances,
    /// [`ArchiveRow::Hide`].
    Hides,
    /// [`ArchiveRow::Star`].
    Stars,
    /// [`ArchiveRow::Block`].
    Blocks,
    /// [`ArchiveRow::Mute`].
    Mutes,
    /// [`ArchiveRow::Report`].
    Reports,
    /// [`ArchiveRow::Audit`].
    Audit,
    /// [`ArchiveRow::Scheduled`].
    Scheduled,
    /// [`ArchiveRow::Outbox`].
    Outbox,
}

impl ArchiveKind {
    /// All kinds, each behind those its rows speak of.
    pub const ALL: [Self; 19] = [
        Self::Users,
        Self::Accounts,
        Self::Logins,
        Self::Devices,
        Self::Attachments,
        Self::Conversations,
        Self::Members,
        Self::Messages,
        Self::FormerTexts,
        Self::Reactions,
        Self::Advances,
        Self::Hides,
        Self::Stars,
        Self::Blocks,
        Self::Mutes,
        Self::Reports,
        Self::Audit,
        Self::Scheduled,
        Self::Outbox,
    ];

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Accounts => "accounts",
            Self::Logins => "logins",
            Self::Devices => "devices",
            Self::Attachments => "attachments",
            Self::Conversations => "conversations",
            Self::Members => "members",
            Self::Messages => "messages",
            Self::FormerTexts => "former texts",
            Self::Reactions => "reactions",
            Self::Advances => "marks",
            Self::Hides => "hides",
            Self::Stars => "stars",
            Self::Blocks => "blocks",
            Self::Mutes => "mutes",
            Self::Reports => "reports",
            Self::Audit => "audit entries",
            Self::Scheduled => "scheduled messages",
            Self::Outbox => "outbox entries",
        }
    }
}

impl fmt::Display for ArchiveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A row. What follows from other rows (mention index, search index, counts) has none of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum ArchiveRow {
    /// A user. Key: his id.
    User(Box<User>),
    /// A password account. Key: its user.
    Account(Account),
    /// A login of an account. Key: its id.
    Login(AccountSession),
    /// A device. Key: its token.
    Device(Device),
    /// What is known of a file; its bytes are elsewhere. Key: its id.
    Attachment(Attachment),
    /// A conversation. Key: its id; read in its order.
    Conversation(Box<Conversation>),
    /// A membership, also a past one. Key: conversation and user; read in its order.
    Member(Box<Member>),
    /// A message, tombstones and expired ones too. Key: its id; read in order of conversation and seq.
    Message(Box<Message>),
    /// A text that an edit replaced. Key: message and version.
    FormerText(FormerText),
    /// A reaction. Key: message, user, emoji; those of one message are read in the order they were added.
    Reaction(Reaction),
    /// A step of the log of marks. Key: conversation, user, mark and the place after.
    Advance(ArchivedAdvance),
    /// A message somebody deleted for himself. Key: user and message.
    Hide(Hide),
    /// The last change of a star. Key: user and message.
    Star(StarChange),
    /// The last change of a block. Key: the two users.
    Block(ArchivedBlock),
    /// The last change of a mute. Key: the two users.
    Mute(ArchivedMute),
    /// A report. Key: its id.
    Report(Box<Report>),
    /// An entry of the audit log. Key: its id; read in the order they were added.
    Audit(Box<AuditEntry>),
    /// A scheduled message. Key: its id.
    Scheduled(Box<Scheduled>),
    /// Something on its way out. Key: its id; read in the order they were added.
    Outbox(ArchivedOutbox),
}

impl ArchiveRow {
    /// Of which kind it is.
    #[must_use]
    pub const fn kind(&self) -> ArchiveKind {
        match self {
            Self::User(_) => ArchiveKind::Users,
            Self::Account(_) => ArchiveKind::Accounts,
            Self::Login(_) => ArchiveKind::Logins,
            Self::Device(_) => ArchiveKind::Devices,
            Self::Attachment(_) => ArchiveKind::Attachments,
            Self::Conversation(_) => ArchiveKind::Conversations,
            Self::Member(_) => ArchiveKind::Members,
            Self::Message(_) => ArchiveKind::Messages,
            Self::FormerText(_) => ArchiveKind::FormerTexts,
            Self::Reaction(_) => ArchiveKind::Reactions,
            Self::Advance(_) => ArchiveKind::Advances,
            Self::Hide(_) => ArchiveKind::Hides,
            Self::Star(_) => ArchiveKind::Stars,
            Self::Block(_) => ArchiveKind::Blocks,
            Self::Mute(_) => ArchiveKind::Mutes,
            Self::Report(_) => ArchiveKind::Reports,
            Self::Audit(_) => ArchiveKind::Audit,
            Self::Scheduled(_) => ArchiveKind::Scheduled,
            Self::Outbox(_) => ArchiveKind::Outbox,
        }
    }
}

/// A step of the log of marks, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedAdvance {
    /// The step.
    pub advance: Advance,
    /// Whether its time is not told any more.
    pub timeless: bool,
}

/// A block, or that there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedBlock {
    /// Whose, of whom, and when that changed.
    pub block: Block,
    /// Whether it stands.
    pub stands: bool,
    /// The blocker's `user_rev` of the change.
    pub user_rev: u64,
}

/// That one user mutes another for himself, or that he did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedMute {
    /// Who mutes.
    pub user: UserId,
    /// Whom.
    pub muted: UserId,
    /// Until when; `None`: the mute was lifted.
    pub until: Option<Muted>,
    /// The user's `user_rev` of the change.
    pub user_rev: u64,
}

/// Something on its way out. Leases are not copied: who reads an archive finds no worker at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedOutbox {
    /// The entry.
    pub entry: OutboxEntry,
    /// How often its delivery has failed.
    pub attempts: u32,
}

/// A store that can be read and filled row by row. Optional: the engine itself does not need it.
#[async_trait]
pub trait ArchiveStore: Send + Sync + fmt::Debug {
    /// How many rows of a kind there are. May read all of them.
    async fn archive_count(&self, kind: ArchiveKind) -> BackendResult<u64>;

    /// The next rows of a kind, in an order of the store's own unless the row's description names one.
    ///
    /// # Contract
    /// - `after` is the last row of the page before, `None` the beginning; a row of another kind is as good as `None`.
    /// - An empty page is the end. While nobody writes, every row comes once.
    async fn archive_rows(
        &self,
        kind: ArchiveKind,
        after: Option<&ArchiveRow>,
        limit: usize,
    ) -> BackendResult<Vec<ArchiveRow>>;

    /// Adds rows, all or none of them, and whatever the store derives from them.
    ///
    /// # Contract
    /// - Rows come in the order of [`ArchiveKind::ALL`], and in the order they were read.
    /// - What they say stands afterwards as if this store had always had it; only sync positions are its own, so that
    ///   clients that were at a position of the other store are told to start over.
    /// - The rows are new to this store. One whose key is there already may be refused or replaced.
    async fn restore_rows(&self, rows: Vec<ArchiveRow>) -> BackendResult<()>;
}
