use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;

use crate::config::BlockedInGroup;
use crate::error::{BackendResult, ChatError};
use crate::id::{ConversationId, UserId};
use crate::model::{Conversation, ConversationKind, DirectPair, Member, Message, Rev, Role, Seq};
use crate::store::Change;
use crate::time::Timestamp;

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InboxFilter {
    /// Neither archived nor hidden.
    #[default]
    Default,
    /// Also the archived ones; never hidden ones.
    All,
    /// With unread messages or marked unread; neither archived nor hidden.
    Unread,
    /// Pinned; neither archived nor hidden.
    Pinned,
    /// Archived; not hidden.
    Archived,
    /// Muted now; neither archived nor hidden.
    Muted,
    /// Direct ones; neither archived nor hidden.
    Direct,
    /// Groups; neither archived nor hidden.
    Group,
}

/// Position of a conversation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxKey {
    /// Whether it is among the pinned.
    pub pinned: bool,
    /// Its latest activity.
    pub last_activity_at: Timestamp,
    /// Its id, for equal times.
    pub id: ConversationId,
}

/// A page of the list: pinned first, then latest activity, then higher id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InboxList {
    /// Which ones.
    pub filter: InboxFilter,
    /// Folded substring of the group's name or of the direct peer's name.
    pub name: Option<String>,
    /// Only conversations of which this user is an active member too.
    pub with: Option<UserId>,
    /// Those after this position.
    pub after: Option<InboxKey>,
    /// Without the first so many of what the rest selects, for pages by number.
    pub skip: usize,
    /// At most so many.
    pub limit: usize,
}

/// Asks for conversations as one user sees them. Only conversations of which he is an active member come back.
#[derive(Debug, Clone)]
pub struct InboxQuery {
    /// Whose view.
    pub user: UserId,
    /// The time mutes and expiry are judged by.
    pub now: Timestamp,
    /// What becomes of messages in groups of users he has blocked.
    pub blocked_in_group: BlockedInGroup,
    /// A page of his list, or `None` for `ids`.
    pub list: Option<InboxList>,
    /// These conversations, hidden and archived ones too, in any order; used when `list` is `None`.
    pub ids: Vec<ConversationId>,
}

/// A conversation as one member sees it, counted by the rules of [`access`](crate::access).
#[derive(Debug, Clone, PartialEq)]
pub struct InboxEntry {
    /// The conversation.
    pub conversation: Conversation,
    /// His membership.
    pub member: Member,
    /// Whether it is archived for him: [`Member::is_archived`].
    pub archived: bool,
    /// Whether it is hidden for him now (a hidden one comes back with a newer countable message).
    pub hidden: bool,
    /// Unread messages.
    pub unread_count: u64,
    /// Those of them that mention him.
    pub mention_count: u64,
    /// The first unread message.
    pub first_unread_seq: Option<Seq>,
    /// The newest message he sees that is no tombstone and no system line other than `conversation_created`.
    pub last_message: Option<Message>,
}

/// How many conversations each filter of the list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxCounts {
    /// [`InboxFilter::Default`]: what the list shows without a filter.
    pub listed: u64,
    /// [`InboxFilter::All`].
    pub all: u64,
    /// [`InboxFilter::Unread`].
    pub unread: u64,
    /// [`InboxFilter::Pinned`].
    pub pinned: u64,
    /// [`InboxFilter::Archived`].
    pub archived: u64,
    /// [`InboxFilter::Muted`].
    pub muted: u64,
    /// [`InboxFilter::Direct`].
    pub direct: u64,
    /// [`InboxFilter::Group`].
    pub group: u64,
}

impl InboxCounts {
    /// How many one filter shows.
    #[must_use]
    pub const fn of(&self, filter: InboxFilter) -> u64 {
        match filter {
            InboxFilter::Default => self.listed,
            InboxFilter::All => self.all,
            InboxFilter::Unread => self.unread,
            InboxFilter::Pinned => self.pinned,
            InboxFilter::Archived => self.archived,
            InboxFilter::Muted => self.muted,
            InboxFilter::Direct => self.direct,
            InboxFilter::Group => self.group,
        }
    }
}

/// Totals over all conversations that are neither muted nor archived nor hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Badge {
    /// Unread messages.
    pub unread_messages: u64,
    /// Conversations with unread messages or marked unread.
    pub unread_conversations: u64,
    /// Unread messages that mention the user.
    pub mentions: u64,
}

/// Which members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberQuery {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Folded substring of their name, as the store has it.
    pub name: Option<String>,
    /// Only those of this rank.
    pub role: Option<Role>,
    /// Those after this user, in order of user id.
    pub after: Option<UserId>,
    /// At most so many.
    pub limit: usize,
}

/// A place in the stream of everything that changed, of the store's own making. Every change committed after a
/// position was read is reported for it; one committed shortly before may be reported again.
///
/// Positions of one epoch can be compared with the [newest](ConversationStore::sync_position) one, which none is ahead
/// of, and with nothing else: an answer that reports something again may reach a place before the one it was asked
/// from, and only its last page is at or after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct SyncPosition(pub u64);

/// Conversations of one user that changed since a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedConversations {
    /// The changed ones, those with the oldest change first. Conversations he has left are among them when the
    /// leaving is newer than the position.
    pub ids: Vec<ConversationId>,
    /// Where the answer reaches: ask again from here when there is more, or later.
    pub reached: SyncPosition,
    /// Whether more changes lie between `reached` and now.
    pub has_more: bool,
}

/// A conversation that changed for a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChangedFor {
    /// For whom.
    pub user: UserId,
    /// Which.
    pub conversation: ConversationId,
    /// Its rev.
    pub rev: Rev,
}

/// A page of contacts.
pub type Contacts = Vec<UserId>;

/// Conversations and their members.
#[async_trait]
pub trait ConversationStore: Send + Sync + fmt::Debug {
    /// Decides and writes changes; answer *i* belongs to change *i*.
    ///
    /// # Contract
    /// - Each change is atomic: its writes happen together or not at all.
    /// - Changes of one conversation are serialised: a decision sees every change committed before and no half one,
    ///   and no other change of that conversation comes between its facts and its writes.
    /// - Changes of one slice take effect in its order; one that is refused does not stop the others.
    /// - A decision that panics fails its own change, as `internal`, and no other.
    /// - An outer error speaks for the whole slice: with `Unavailable` or `Full` none of it was written.
    /// - `now` in the facts is the store's clock.
    async fn commit(&self, changes: &[Change]) -> BackendResult<Vec<Result<(), ChatError>>>;

    /// The conversations with these ids, in any order; dissolved ones too.
    async fn conversations(&self, ids: &[ConversationId]) -> BackendResult<Vec<Conversation>>;

    /// The direct conversation of a pair.
    async fn direct(&self, pair: &DirectPair) -> BackendResult<Option<Conversation>>;

    /// A user's membership, also a past one.
    async fn member(&self, conversation: ConversationId, user: &UserId) -> BackendResult<Option<Member>>;

    /// A page of active members, in order of user id.
    async fn members(&self, query: &MemberQuery) -> BackendResult<Vec<Member>>;

    /// Active members of several conversations at once; of each at most `cap`.
    async fn members_of(
        &self,
        conversations: &[ConversationId],
        cap: usize,
    ) -> BackendResult<HashMap<ConversationId, Vec<Member>>>;

    /// Ids of all active members, in order.
    async fn member_ids(&self, conversation: ConversationId) -> BackendResult<Vec<UserId>>;

    /// Members (active or not) whose `rev` is above `since`, newest first, at most `limit`; for sync.
    async fn changed_members(
        &self,
        conversation: ConversationId,
        since: u64,
        limit: usize,
    ) -> BackendResult<Vec<Member>>;

    /// Conversations as a user sees them.
    async fn inbox(&self, query: &InboxQuery) -> BackendResult<Vec<InboxEntry>>;

    /// How many conversations each filter shows of those that the query's `list` selects by `name` and `with`; its
    /// filter, place and size say nothing here, and neither do `ids`. Without a list: of all.
    async fn inbox_counts(&self, query: &InboxQuery) -> BackendResult<InboxCounts>;

    /// A user's totals.
    async fn badge(&self, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> BackendResult<Badge>;

    /// Ids of the conversations of which the user is an active member, of one kind or all.
    async fn conversation_ids(
        &self,
        user: &UserId,
        kind: Option<ConversationKind>,
    ) -> BackendResult<Vec<ConversationId>>;

    /// Users who share a direct conversation with `user`, in order of id, after `after`, at most `limit`; with `name`
    /// those whose name, as the store has it, contains this folded text.
    async fn contacts(
        &self,
        user: &UserId,
        name: Option<&str>,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Contacts>;

    /// Those of `others` who share a direct conversation with `user`.
    async fn contacts_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Contacts>;

    /// The newest position: everything committed before the call is at or before it.
    async fn sync_position(&self) -> BackendResult<SyncPosition>;

    /// Which line of positions this is: a number drawn at random when the data came to be. Positions of another epoch
    /// (another database, or one made anew) mean nothing here.
    async fn sync_epoch(&self) -> BackendResult<u64>;

    /// Conversations of a user with any change (also of his private state) after a position; at most `limit`.
    async fn changed_conversations(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<ChangedConversations>;

    /// What [`changed_conversations`](Self::changed_conversations) says of each of several users, in any order, at most
    /// `limit`; which ones, when there is more, is left open. It is asked again and again for everybody who is
    /// connected, so it must not cost a query for each of them.
    async fn changed_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<Vec<ChangedFor>>;
}
