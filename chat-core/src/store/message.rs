use std::collections::{BTreeSet, HashMap};
use std::fmt;

use async_trait::async_trait;

use crate::config::BlockedInGroup;
use crate::error::BackendResult;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Hide, Member, Message, MessageKind, Rev, Seq};
use crate::store::SyncPosition;
use crate::time::Timestamp;

/// Through whose eyes messages of one conversation are read. Stores apply the same predicate as
/// [`visible`](crate::access::visible): the member's intervals and `visible_from`, his hides, expiry, and blocked
/// senders where the policy hides them.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// His membership: user, intervals, `visible_from`.
    pub member: Member,
    /// The time expiry is judged by.
    pub now: Timestamp,
    /// What becomes of messages of users he has blocked. Only `Hide` filters here, and only in groups.
    pub blocked_in_group: BlockedInGroup,
    /// Whether the conversation is a group.
    pub group: bool,
}

/// Where a history page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest messages.
    Newest,
    /// Those before this seq, exclusive.
    Before(Seq),
    /// Those after this seq, exclusive.
    After(Seq),
    /// Those around this seq, inclusive: up to half of the page before it, the rest from it on; a side that has too
    /// few leaves its room to the other.
    Around(Seq),
}

/// Asks for a page of history.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// Through whose eyes.
    pub viewer: Viewer,
    /// Where.
    pub anchor: Anchor,
    /// At most so many visible messages (tombstones are among them).
    pub limit: usize,
    /// Only messages of this kind. Tombstones keep their kind.
    pub kind: Option<MessageKind>,
}

/// A page of history. With a kind asked for, "visible" means: visible and of that kind.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The messages, by ascending seq.
    pub messages: Vec<Message>,
    /// Whether a visible message lies before the first of them; when there is none, before the place the anchor marks
    /// (`After(5)` marks the place between 5 and 6, so 5 lies before it).
    pub has_more_before: bool,
    /// Whether a visible message lies after the last of them; when there is none, after the place the anchor marks
    /// (`Before(5)` marks the place between 4 and 5, so 5 lies after it).
    pub has_more_after: bool,
}

/// Place of a hit in search results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchKey {
    /// Its time.
    pub created_at: Timestamp,
    /// Its id, for equal times.
    pub id: MessageId,
}

/// Place of a message in the order in which messages expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpiryKey {
    /// When it expires.
    pub expires_at: Timestamp,
    /// Its id, for equal times.
    pub id: MessageId,
}

/// Asks for messages by their text, newest first: by `created_at`, then id, both descending.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// Who searches. Only conversations of which he is an active member, not hidden ones' cleared part, and only what
    /// he sees there: no tombstones, no system lines.
    pub user: UserId,
    /// The time expiry is judged by.
    pub now: Timestamp,
    /// What becomes of messages in groups of users he has blocked (`Hide` filters them).
    pub blocked_in_group: BlockedInGroup,
    /// Folded text; a message matches when its folded text contains it, literally.
    pub text: String,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// Only of this sender.
    pub sender: Option<UserId>,
    /// Only of this kind.
    pub kind: Option<MessageKind>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Not after this time.
    pub to: Option<Timestamp>,
    /// Those after this hit.
    pub after: Option<SearchKey>,
    /// At most so many.
    pub limit: usize,
}

/// Place of a message among the pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinKey {
    /// Since when it is pinned.
    pub at: Timestamp,
    /// Its seq, for equal times.
    pub seq: Seq,
}

/// Asks for the pinned messages of one conversation, the newest pin first: by `pinned.at`, then seq, both descending.
#[derive(Debug, Clone)]
pub struct PinsQuery {
    /// Through whose eyes.
    pub viewer: Viewer,
    /// Those after this one.
    pub after: Option<PinKey>,
    /// At most so many.
    pub limit: usize,
}

/// Asks what changed in one conversation.
#[derive(Debug, Clone)]
pub struct ChangesQuery {
    /// Through whose eyes.
    pub viewer: Viewer,
    /// Changes with a higher rev; used when `position` is `None`.
    pub since_rev: Rev,
    /// Changes committed after this position.
    pub position: Option<SyncPosition>,
    /// At most so many messages, so many hides and so many expired ones: the newest changes of each.
    pub limit: usize,
}

/// What changed in one conversation, for one viewer.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedMessages {
    /// Changed messages he sees, tombstones too, by ascending rev.
    pub messages: Vec<Message>,
    /// Messages he has hidden since (their `rev` is above, as for messages), by ascending rev.
    pub hidden: Vec<Hide>,
    /// Messages he would see but for their time, which is over (see [`has_expired`](crate::access::has_expired)), and
    /// which changed since, by ascending rev. Their content is no concern of his any more.
    pub expired: Vec<Message>,
    /// Whether there were more of any of these than the limit.
    pub limited: bool,
    /// The rev below which nothing was asked for: `since_rev`, or its like for `position`. Members and the
    /// conversation itself are compared against it.
    pub since_rev: Rev,
}

/// Reactions to one message, one entry per emoji, in order of first use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionSummary {
    /// Which, normalised.
    pub emoji: String,
    /// How many users.
    pub count: u64,
    /// Whether the viewer is one of them.
    pub mine: bool,
    /// The first few users, oldest first, at most [`ReactionSummary::USERS`].
    pub users: Vec<UserId>,
}

impl ReactionSummary {
    /// How many users a summary names.
    pub const USERS: usize = 10;

    /// Sums up reactions, given in order of their time, for one viewer.
    pub fn of<'a>(
        reactions: impl IntoIterator<Item = (&'a UserId, &'a str)>,
        viewer: &UserId,
    ) -> Vec<ReactionSummary> {
        let mut summaries: Vec<ReactionSummary> = Vec::new();
        for (user, emoji) in reactions {
            let mine = user == viewer;
            match summaries.iter_mut().find(|summary| summary.emoji == emoji) {
                Some(summary) => {
                    summary.count += 1;
                    summary.mine |= mine;
                    if summary.users.len() < Self::USERS {
                        summary.users.push(user.clone());
                    }
                }
                None => summaries.push(Self {
                    emoji: emoji.to_owned(),
                    count: 1,
                    mine,
                    users: vec![user.clone()],
                }),
            }
        }
        summaries
    }
}

/// In what a message differs from viewer to viewer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonalFacts {
    /// Users who have hidden it.
    pub hidden_by: Vec<UserId>,
    /// Users who have starred it.
    pub starred_by: Vec<UserId>,
    /// Who reacted with what, in order of time.
    pub reactions: Vec<(UserId, String)>,
}

impl PersonalFacts {
    /// One user's reactions.
    #[must_use]
    pub fn reactions_of(&self, user: &UserId) -> BTreeSet<String> {
        self.reactions
            .iter()
            .filter(|(other, _)| other == user)
            .map(|(_, emoji)| emoji.clone())
            .collect()
    }
}

/// Messages.
#[async_trait]
pub trait MessageStore: Send + Sync + fmt::Debug {
    /// The messages with these ids, as they are kept, in any order.
    async fn messages(&self, ids: &[MessageId]) -> BackendResult<Vec<Message>>;

    /// Which of these messages `user` has hidden.
    async fn hidden_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>>;

    /// In what a message differs from viewer to viewer, for events that go to many. Its reactions are those of one
    /// moment: who reacted and how many did are told from them.
    async fn personal_facts(&self, message: MessageId) -> BackendResult<PersonalFacts>;

    /// A page of history.
    ///
    /// # Contract
    /// - The page holds `limit` visible messages when there are so many; hidden ones do not shorten it.
    /// - Consecutive: no visible message between two of the page is missing.
    async fn history(&self, query: &HistoryQuery) -> BackendResult<History>;

    /// Messages by text.
    async fn search(&self, query: &SearchQuery) -> BackendResult<Vec<Message>>;

    /// Pinned messages that the viewer sees; no tombstones.
    async fn pinned(&self, query: &PinsQuery) -> BackendResult<Vec<Message>>;

    /// What changed in one conversation.
    async fn changed_messages(&self, query: &ChangesQuery) -> BackendResult<ChangedMessages>;

    /// Reactions to these messages as `viewer` sees them; users in `without` are left out.
    async fn reactions(
        &self,
        messages: &[MessageId],
        viewer: &UserId,
        without: &[UserId],
    ) -> BackendResult<HashMap<MessageId, Vec<ReactionSummary>>>;

    /// At most `limit` messages whose `expires_at` has passed and that still have
    /// [content](crate::model::Message::has_content). By `expires_at`, then id, those after `after`.
    async fn expired_messages(
        &self,
        now: Timestamp,
        after: Option<ExpiryKey>,
        limit: usize,
    ) -> BackendResult<Vec<Message>>;
}
