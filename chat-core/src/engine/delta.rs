//! What a sync tells of each conversation, inside one bound for the whole answer.

use std::collections::{HashMap, HashSet};

use crate::engine::Actor;
use crate::engine::render::Sightline;
use crate::error::ChatResult;
use crate::id::{ConversationId, UserId};
use crate::model::{Conversation, ConversationKind, Hide, Member, Message, Rev};
use crate::store::{Anchor, ChangesQuery, HistoryQuery, InboxEntry, SyncPosition};
use crate::view::{ConversationView, GoneView, SyncedConversation, SyncedMember, SyncedMessage};

/// Messages in one answer.
const MAX_MESSAGES: usize = 500;
/// Bytes of messages in one answer, roughly.
const MAX_BYTES: usize = 256 * 1024;
/// What a message takes beside its text, roughly.
const MESSAGE_BYTES: usize = 512;

/// What a client has of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// Nothing.
    Never,
    /// Everything up to this rev.
    Rev(Rev),
    /// Everything up to this position.
    Position(SyncPosition),
    /// The same, but what the user may see has changed as a whole since.
    Reset(SyncPosition),
}

/// The changes of one conversation.
struct Changes {
    messages: Vec<Message>,
    hidden: Vec<Hide>,
    /// Messages whose time was over.
    expired: Vec<Message>,
    limited: bool,
    /// What members are compared with; `None` when the client has nothing to compare with.
    since_rev: Option<Rev>,
}

/// What is left of the bound.
struct Budget {
    messages: usize,
    bytes: usize,
}

impl Budget {
    /// Keeps the newest changes that fit.
    fn fit(&mut self, changes: &mut Changes) {
        let mut kept = 0;
        for message in changes.messages.iter().rev() {
            let custom = message
                .content
                .custom
                .as_ref()
                .map_or(0, |custom| custom.data.to_string().len());
            let bytes = MESSAGE_BYTES + message.text.len() + custom;
            if self.messages == 0 || self.bytes < bytes {
                break;
            }
            self.messages -= 1;
            self.bytes -= bytes;
            kept += 1;
        }
        let dropped = changes.messages.len() - kept;
        changes.limited |= dropped > 0;
        changes.messages.drain(..dropped);
    }
}

impl Actor {
    /// Conversations with what changed in them, in the same order. What does not fit makes a conversation `limited`.
    pub(crate) async fn synced(
        &self,
        entries: Vec<(InboxEntry, Since)>,
    ) -> ChatResult<Vec<SyncedConversation>> {
        let config = self.engine().config();
        let groups = entries
            .iter()
            .any(|(entry, _)| entry.conversation.kind == ConversationKind::Group);
        let blocked: HashSet<UserId> = if groups {
            self.inner()
                .store
                .blocks_of(self.user_id())
                .await?
                .blocked
                .into_iter()
                .collect()
        } else {
            HashSet::new()
        };
        let rows = self.rows_of_small(&entries).await?;
        let views = self
            .render_entries(entries.iter().map(|(entry, _)| entry.clone()).collect())
            .await?;
        let mut budget = Budget {
            messages: MAX_MESSAGES,
            bytes: MAX_BYTES,
        };
        let mut synced = Vec::with_capacity(entries.len());
        for ((entry, since), view) in entries.into_iter().zip(views) {
            let sight = Sightline {
                blocked: if entry.conversation.pair.is_none() {
                    blocked.clone()
                } else {
                    HashSet::new()
                },
                conversation: entry.conversation,
                member: entry.member,
                blocked_in_group: config.policies.blocked_in_group,
                now: self.engine().now(),
            };
            let limit = config.limits.sync_messages.min(budget.messages).max(1);
            let mut changes = self.changes(&sight, since, limit).await?;
            budget.fit(&mut changes);
            let members = self
                .changed_members(&sight.conversation, &view, changes.since_rev, &rows)
                .await?;
            synced.push(SyncedConversation {
                conversation: view,
                limited: changes.limited,
                messages: self.changed_messages(&sight, changes).await?,
                members,
            });
        }
        Ok(synced)
    }

    /// Member rows of the conversations that show their members.
    async fn rows_of_small(
        &self,
        entries: &[(InboxEntry, Since)],
    ) -> ChatResult<HashMap<ConversationId, Vec<Member>>> {
        let threshold = self.engine().config().policies.large_group_threshold;
        let ids: Vec<ConversationId> = entries
            .iter()
            .filter(|(_, since)| *since != Since::Never)
            .filter(|(entry, _)| {
                usize::try_from(entry.conversation.member_count).is_ok_and(|count| count <= threshold)
            })
            .map(|(entry, _)| entry.conversation.id)
            .collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self.inner().store.members_of(&ids, threshold).await?)
    }

    async fn changes(&self, sight: &Sightline, mut since: Since, limit: usize) -> ChatResult<Changes> {
        let nothing = |since_rev| Changes {
            messages: Vec::new(),
            hidden: Vec::new(),
            expired: Vec::new(),
            limited: false,
            since_rev,
        };
        let (since_rev, position) = match since {
            Since::Never => (0, None),
            Since::Rev(rev) if rev == sight.conversation.rev => return Ok(nothing(Some(rev))),
            Since::Rev(rev) => (rev, None),
            Since::Position(position) | Since::Reset(position) => (0, Some(position)),
        };
        let mut changes = nothing(None);
        if since != Since::Never {
            let query = ChangesQuery {
                viewer: sight.viewer(),
                since_rev,
                position,
                limit,
            };
            let changed = self.inner().store.changed_messages(&query).await?;
            if let Since::Position(position) = since
                && self.came_back_since(sight, changed.since_rev).await?
            {
                since = Since::Reset(position);
            }
            if changed.since_rev < sight.conversation.horizon.min_rev {
                // Changes the client has not seen are among what was purged, so the difference is not known.
                since = Since::Reset(SyncPosition(0));
            }
            changes = Changes {
                messages: changed.messages,
                hidden: changed.hidden,
                expired: changed.expired,
                limited: changed.limited,
                since_rev: Some(changed.since_rev),
            };
        }
        if matches!(since, Since::Never | Since::Reset(_)) {
            let query = HistoryQuery {
                viewer: sight.viewer(),
                anchor: Anchor::Newest,
                limit,
                kind: None,
            };
            let newest = self.inner().store.history(&query).await?;
            changes.messages = newest.messages;
            changes.messages.sort_by_key(|message| message.rev);
            changes.limited = newest.has_more_before || since != Since::Never;
            changes.since_rev = None;
        }
        Ok(changes)
    }

    /// Whether a conversation he had hidden came back to his list after that rev. His client forgot it when he hid it,
    /// so it lacks more than what changed: what was said before, and what came without bringing it back.
    async fn came_back_since(&self, sight: &Sightline, rev: Rev) -> ChatResult<bool> {
        /// How many messages are looked through for the one that brought it back.
        const LOOKED_THROUGH: usize = 100;
        let Some(hidden_seq) = sight.member.hidden_seq else {
            return Ok(false);
        };
        let query = HistoryQuery {
            viewer: sight.viewer(),
            anchor: Anchor::After(hidden_seq),
            limit: LOOKED_THROUGH,
            kind: None,
        };
        let page = self.inner().store.history(&query).await?;
        // Where it is not found, the answer holds more than needed and never less.
        Ok(page
            .messages
            .iter()
            .find(|message| message.countable)
            .is_none_or(|message| message.rev > rev))
    }

    /// Messages and what is gone, by ascending rev.
    async fn changed_messages(&self, sight: &Sightline, changes: Changes) -> ChatResult<Vec<SyncedMessage>> {
        let views = self.render_messages(sight, changes.messages).await?;
        let mut all: Vec<(Rev, SyncedMessage)> = views
            .into_iter()
            .map(|view| (view.rev, SyncedMessage::Message(Box::new(view))))
            .collect();
        let hidden = changes.hidden.iter().map(GoneView::of_hide);
        let gone = hidden.chain(changes.expired.iter().map(GoneView::of));
        all.extend(gone.map(|gone| (gone.rev, SyncedMessage::Gone(gone))));
        all.sort_by_key(|(rev, _)| *rev);
        Ok(all.into_iter().map(|(_, message)| message).collect())
    }

    /// All members of a small group whose membership changed, else the changed ones.
    async fn changed_members(
        &self,
        conversation: &Conversation,
        view: &ConversationView,
        since: Option<Rev>,
        rows: &HashMap<ConversationId, Vec<Member>>,
    ) -> ChatResult<Vec<SyncedMember>> {
        let here = |member| SyncedMember { member, left: None };
        match (&view.members, since) {
            (Some(members), None) => Ok(members.iter().cloned().map(here).collect()),
            (Some(members), Some(since)) if conversation.members_rev > since => {
                Ok(members.iter().cloned().map(here).collect())
            }
            (Some(members), Some(since)) => {
                let rows = rows.get(&conversation.id).into_iter().flatten();
                let changed: HashSet<&UserId> = rows
                    .filter(|row| row.rev > since)
                    .map(|row| &row.user_id)
                    .collect();
                Ok(members
                    .iter()
                    .filter(|m| changed.contains(&m.user.id))
                    .cloned()
                    .map(here)
                    .collect())
            }
            // A large group is not listed: who wants its members pages through them.
            (None, None) => Ok(Vec::new()),
            (None, Some(since)) => {
                let limit = self.engine().config().limits.page_max;
                let rows = self
                    .inner()
                    .store
                    .changed_members(conversation.id, since, limit)
                    .await?;
                let left: HashSet<UserId> = rows
                    .iter()
                    .filter(|row| !row.is_active())
                    .map(|row| row.user_id.clone())
                    .collect();
                let members = self.render_members(rows).await?;
                Ok(members
                    .into_iter()
                    .map(|member| SyncedMember {
                        left: left.contains(&member.user.id).then_some(true),
                        member,
                    })
                    .collect())
            }
        }
    }
}
