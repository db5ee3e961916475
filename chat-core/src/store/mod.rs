//! The storage port: what a database has to be able to do for the engine.
//!
//! # How writing works
//! Everything that changes a conversation goes through one method, [`ConversationStore::commit`]. A [`Change`] says
//! what it [`Needs`] to see and brings a pure function that decides. The store opens a transaction, locks the
//! conversation, loads those [`Facts`], lets the function decide, and writes the [`Writes`] it returns, all in one
//! atomic step. So membership, blocks, windows and numbers are judged inside the transaction that stores the result
//! (no race between check and write), while the rules themselves live once, in the engine, and a store knows none.
//!
//! `commit` takes a slice: a store may put the whole batch into one transaction (group commit), as long as every
//! change sees the writes of the changes before it and answers for itself.
//!
//! # How reading works
//! Reads answer for one viewer. Their predicate mirrors [`visible`](crate::access::visible); the conformance suite
//! compares the two.
//!
//! # Contract of every facet
//! - An answered write is durable as far as the backend promises, and every later read sees it.
//! - Absence is `None` or an empty list, never an error.
//! - A text comes back exactly as it went in; U+0000 never reaches a store.
//! - Calls may be dropped at any await: then the write happened whole or not at all.
//! - Errors: `Unavailable` and `Full` mean that nothing was changed, `OutcomeUnknown` that it may have been,
//!   `Corrupt` that a row is not of this version.

mod account;
mod attachment;
mod block;
mod conversation;
mod device;
mod edit;
mod facts;
mod mention;
mod message;
mod moderation;
mod mute;
mod outbox;
mod personal;
mod receipt;
mod retention;
mod scheduled;
mod star;
mod user;
mod writes;

pub use account::AccountStore;
pub use attachment::AttachmentStore;
pub use block::{BlockChange, BlockStore, Blocks};
pub use conversation::{
    Badge, ChangedConversations, ChangedFor, Contacts, ConversationStore, InboxCounts, InboxEntry,
    InboxFilter, InboxKey, InboxList, InboxQuery, MemberQuery, SyncPosition,
};
pub use device::DeviceStore;
pub use edit::EditStore;
pub use facts::{Change, Facts, MembersNeeded, Needs, Target};
pub use mention::{MentionQuery, MentionStore};
pub use message::{
    Anchor, ChangedMessages, ChangesQuery, ExpiryKey, History, HistoryQuery, MessageStore, PersonalFacts,
    PinKey, PinsQuery, ReactionSummary, SearchKey, SearchQuery, Viewer,
};
pub use moderation::{AuditQuery, ModerationStore, ReportQuery};
pub use mute::{MuteChange, MuteStore, UserMute};
pub use outbox::{ClaimedEntry, OutboxBacklog, OutboxEntry, OutboxStore};
pub use personal::{MarkStep, PersonalStore, StepPlace};
pub use receipt::{MarkTimes, MarksThen, ReceiptStore};
pub use retention::{DueConversations, RetentionClass, RetentionStore};
pub use scheduled::{AddedScheduled, ScheduledKey, ScheduledQuery, ScheduledStamp, ScheduledStore};
pub use star::{StarChange, StarOutcome, StarStore, StarredMessage, StarredQuery};
pub use user::{UserSearch, UserStore};
pub use writes::{Purge, Writes};

/// All facets a chat needs. Implemented for everything that has them.
pub trait Store:
    UserStore
    + ConversationStore
    + MessageStore
    + MentionStore
    + ReceiptStore
    + BlockStore
    + MuteStore
    + ModerationStore
    + DeviceStore
    + AttachmentStore
    + StarStore
    + EditStore
    + ScheduledStore
    + RetentionStore
    + OutboxStore
    + PersonalStore
{
}

impl<T> Store for T where
    T: UserStore
        + ConversationStore
        + MessageStore
        + MentionStore
        + ReceiptStore
        + BlockStore
        + MuteStore
        + ModerationStore
        + DeviceStore
        + AttachmentStore
        + StarStore
        + EditStore
        + RetentionStore
        + OutboxStore
        + PersonalStore
        + ScheduledStore
        + ?Sized
{
}
