//! Catching up: what changed of a user's conversations since a place he was at. State, not a replay of events, so an
//! answer may overlap with what the client has, and applying it twice is harmless.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::command::SyncRequest;
use crate::config::{BlockedInGroup, HistoryForNewMembers};
use crate::engine::Actor;
use crate::engine::delta::Since;
use crate::engine::inbox;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::ConversationId;
use crate::model::{ConversationKind, MemberState, Rev};
use crate::store::{InboxEntry, InboxFilter, InboxKey, InboxList, SyncPosition};
use crate::time::Timestamp;
use crate::view::{
    BlockListDelta, MuteListDelta, RemovalReason, RemovedConversation, ScheduledView, SyncAnswer,
};

/// What sync tokens are sealed for.
const PURPOSE: &str = "sync";
/// How many conversations are looked at in one question to the store.
const CHUNK: usize = 100;
/// Scheduled messages in one answer.
const SCHEDULED: usize = 50;

/// Where a client is; the inside of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    /// When the token was given.
    #[serde(rename = "t")]
    issued_at: Timestamp,
    /// Whose positions these are.
    #[serde(rename = "e")]
    epoch: u64,
    /// Changes of conversations up to here are known.
    #[serde(rename = "p")]
    position: u64,
    /// In the middle of an answer of several pages: conversations whose newest change is not after this one were told
    /// of. What the others tell still starts at `position`, because their older changes are not known yet.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    reached: Option<u64>,
    /// Private changes up to here are known.
    #[serde(rename = "u")]
    user_rev: u64,
    /// Changes of scheduled messages up to here are known; absent: as the other private changes.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    scheduled: Option<u64>,
    /// When both were read.
    #[serde(rename = "s")]
    since: Timestamp,
    /// A first sync goes on after this conversation.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    next: Option<inbox::Place>,
    /// Groups that changed with the block list are still told.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    groups: Option<GroupsPlace>,
}

/// How far groups shared with users newly blocked or unblocked are told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct GroupsPlace {
    /// Those up to this one, in order of id.
    after: ConversationId,
    /// The block list they were told by; what changed in it later is told with the next sync.
    #[serde(rename = "u")]
    user_rev: u64,
}

/// What an answer will say, before it is rendered.
struct Outline {
    entries: Vec<(InboxEntry, Since)>,
    removed: Vec<RemovedConversation>,
    place: Place,
    has_more: bool,
}

impl Actor {
    /// Catches up: from a token, from the revs the client knows, or from nothing. The answer's token says where to
    /// go on, at once while `has_more`, else the next time.
    ///
    /// A token gives exactly what changed since, private settings and blocks too. Revs give every conversation as it
    /// is now with its messages changed since, and conversations the client does not know as new ones.
    ///
    /// # Errors
    /// - `invalid_argument` (`conversations`): given together with a token, or more than [`Limits::sync_known`].
    /// - `invalid_cursor` (`token`): not a token of this server for this user.
    /// - `reset_required`: a token too old to be served; go on with an empty request.
    ///
    /// [`Limits::sync_known`]: crate::config::Limits::sync_known
    pub async fn sync(&self, request: SyncRequest) -> ChatResult<SyncAnswer> {
        // Read before any content: what changes while the answer is made is reported again, never missed.
        let start = self.here().await?;
        let most_known = self.engine().config().limits.sync_known;
        let newest_user_rev = start.user_rev;
        let mut known_scheduled = None;
        let (known_user_rev, mut outline) = match (request.token, request.conversations) {
            (Some(_), Some(_)) => {
                return Err(ChatError::invalid("conversations", "either these or token"));
            }
            (None, Some(known)) if known.len() > most_known => {
                return Err(ChatError::invalid(
                    "conversations",
                    format!("at most {most_known}"),
                ));
            }
            (Some(token), None) => {
                let place = self.open(&token, &start)?;
                let user_rev = place.user_rev;
                known_scheduled = Some(place.scheduled.unwrap_or(user_rev));
                let outline = match place.next.clone() {
                    Some(next) => {
                        // Changes since the first page are still to come.
                        let behind = start.position > place.position;
                        let mut outline = self.all(place, Some(next), &HashMap::new()).await?;
                        outline.has_more |= behind;
                        outline
                    }
                    None => self.changed(place, &start).await?,
                };
                (user_rev, outline)
            }
            (None, Some(known)) => {
                let mut outline = self.all(start, None, &known).await?;
                self.add_known(&mut outline, known).await?;
                (0, outline)
            }
            (None, None) => (0, self.all(start, None, &HashMap::new()).await?),
        };
        let blocks = self.block_list_since(known_user_rev).await?;
        let mutes = self.mute_list_since(known_user_rev).await?;
        let stars = self.stars_since(known_user_rev).await?;
        let scheduled = self
            .scheduled_since(known_scheduled, newest_user_rev, &mut outline)
            .await?;
        let conversations = self.synced(outline.entries).await?;
        Ok(SyncAnswer {
            conversations,
            removed: outline.removed,
            blocks,
            mutes,
            scheduled,
            stars,
            badge: self.badge().await?,
            token: self.inner().sealer.seal(self.user_id(), PURPOSE, &outline.place),
            has_more: outline.has_more,
        })
    }

    /// The newest place there is.
    async fn here(&self) -> ChatResult<Place> {
        let store = &self.inner().store;
        let epoch = store.sync_epoch().await?;
        let position = store.sync_position().await?.0;
        let me = store.users(std::slice::from_ref(self.user_id())).await?.pop();
        let now = self.engine().now();
        Ok(Place {
            issued_at: now,
            epoch,
            position,
            reached: None,
            user_rev: me.map_or(0, |user| user.user_rev),
            scheduled: None,
            since: now,
            next: None,
            groups: None,
        })
    }

    fn open(&self, token: &str, newest: &Place) -> ChatResult<Place> {
        let place: Place = self
            .inner()
            .sealer
            .open(self.user_id(), PURPOSE, token)
            .ok_or_else(|| {
                ChatError::new(ErrorCode::InvalidCursor, "not a sync token of yours").with_field("token")
            })?;
        let life = self.engine().config().limits.sync_token_life;
        // A place of another epoch is one of another database; one ahead of the store is of a time that was lost.
        let farthest = place
            .reached
            .map_or(place.position, |reached| reached.max(place.position));
        let elsewhere = place.epoch != newest.epoch || newest.position < farthest;
        if elsewhere || newest.issued_at > place.issued_at.after(life) {
            return Err(ChatError::new(
                ErrorCode::ResetRequired,
                "too old: start with an empty request",
            ));
        }
        Ok(Place {
            issued_at: newest.issued_at,
            ..place
        })
    }

    /// The next conversations of the list that are not among the known ones, as new to the client.
    async fn all(
        &self,
        place: Place,
        next: Option<inbox::Place>,
        known: &HashMap<ConversationId, Rev>,
    ) -> ChatResult<Outline> {
        let wanted = self.engine().config().limits.sync_conversations.max(1);
        let mut after = next.map(InboxKey::from);
        let mut fresh = Vec::new();
        let has_more = loop {
            let mut query = self.inbox_query(Vec::new());
            query.list = Some(InboxList {
                filter: InboxFilter::All,
                after: after.take(),
                limit: wanted + 1,
                ..InboxList::default()
            });
            let page = self.inner().store.inbox(&query).await?;
            let last_page = page.len() <= wanted;
            after = page.last().map(inbox::Place::of).map(InboxKey::from);
            fresh.extend(
                page.into_iter()
                    .filter(|entry| !known.contains_key(&entry.conversation.id)),
            );
            if fresh.len() > wanted {
                fresh.truncate(wanted);
                break true;
            }
            if last_page {
                break false;
            }
        };
        let next = fresh.last().filter(|_| has_more).map(inbox::Place::of);
        Ok(Outline {
            entries: fresh.into_iter().map(|entry| (entry, Since::Never)).collect(),
            removed: Vec::new(),
            place: Place { next, ..place },
            has_more,
        })
    }

    /// Adds the conversations the client knows, as they are now, before the new ones: their changes are worth more
    /// of the answer's bound.
    async fn add_known(&self, outline: &mut Outline, known: HashMap<ConversationId, Rev>) -> ChatResult<()> {
        let ids: Vec<ConversationId> = known.keys().copied().collect();
        let new_ones = std::mem::take(&mut outline.entries);
        for chunk in ids.chunks(CHUNK) {
            let entries = self
                .inner()
                .store
                .inbox(&self.inbox_query(chunk.to_vec()))
                .await?;
            self.add_removed(outline, chunk, &entries).await?;
            outline
                .entries
                .extend(entries.into_iter().filter(|entry| !entry.hidden).map(|entry| {
                    let rev = known.get(&entry.conversation.id).copied().unwrap_or_default();
                    let since = if rev > entry.conversation.rev {
                        Since::Never
                    } else if self.blocks_hide(&entry) && entry.member.reset_user_rev > 0 {
                        // A block has no rev of the conversation: what it took away or gave back is not known.
                        Since::Reset(SyncPosition(0))
                    } else {
                        Since::Rev(rev)
                    };
                    (entry, since)
                }));
        }
        outline.entries.extend(new_ones);
        Ok(())
    }

    /// What changed since a place.
    async fn changed(&self, place: Place, newest: &Place) -> ChatResult<Outline> {
        let since = SyncPosition(place.position);
        let limit = self.engine().config().limits.sync_conversations.max(1);
        let store = &self.inner().store;
        let reached = SyncPosition(place.reached.unwrap_or(place.position));
        let changed = store
            .changed_conversations(self.user_id(), reached, limit)
            .await?;
        let entries = store.inbox(&self.inbox_query(changed.ids.clone())).await?;
        let next = if changed.has_more {
            // Changes are compared with where the client was until it has seen all conversations.
            Place {
                reached: Some(changed.reached.0),
                ..place.clone()
            }
        } else {
            Place {
                position: changed.reached.0,
                ..newest.clone()
            }
        };
        let mut outline = Outline {
            entries: Vec::new(),
            removed: Vec::new(),
            place: next,
            has_more: changed.has_more,
        };
        self.add_removed(&mut outline, &changed.ids, &entries).await?;
        let reblocked = self.groups_with_reblocked(&place).await?;
        let hides = self.engine().config().policies.blocked_in_group == BlockedInGroup::Hide;
        let told = |entry: InboxEntry| {
            let new_sight = hides && reblocked.contains(&entry.conversation.id);
            let since = if new_sight || self.is_new_sight(&entry, &place) {
                Since::Reset(since)
            } else {
                Since::Position(since)
            };
            (entry, since)
        };
        let shown = entries.into_iter().filter(|entry| !entry.hidden);
        outline.entries.extend(shown.map(told));
        if !outline.has_more {
            let started = place.groups.as_ref();
            let mut rest: Vec<ConversationId> = reblocked
                .iter()
                .copied()
                .filter(|id| started.is_none_or(|started| *id > started.after))
                .filter(|id| !changed.ids.contains(id))
                .collect();
            let room = limit.saturating_sub(changed.ids.len()).max(1);
            let more = rest.len() > room;
            rest.truncate(room);
            let user_rev = started.map_or(newest.user_rev, |started| started.user_rev);
            outline.has_more = more;
            outline.place.user_rev = if more { place.user_rev } else { user_rev };
            outline.place.groups = rest.last().filter(|_| more).map(|after| GroupsPlace {
                after: *after,
                user_rev,
            });
            if !rest.is_empty() {
                let entries = store.inbox(&self.inbox_query(rest)).await?;
                let shown = entries.into_iter().filter(|entry| !entry.hidden);
                outline.entries.extend(shown.map(told));
            }
        }
        Ok(outline)
    }

    /// Groups the caller shares with users he has blocked or unblocked since a place, in order of id: other messages
    /// count or are seen there than before, and under every policy other marks of the two. Not left to what a block
    /// writes afterwards, which a crash may cut short.
    async fn groups_with_reblocked(&self, place: &Place) -> ChatResult<BTreeSet<ConversationId>> {
        let mut shared = BTreeSet::new();
        let store = &self.inner().store;
        let changes = store.block_changes(self.user_id(), place.user_rev).await?;
        if changes.is_empty() {
            return Ok(shared);
        }
        let groups = Some(ConversationKind::Group);
        let own: HashSet<ConversationId> = store
            .conversation_ids(self.user_id(), groups)
            .await?
            .into_iter()
            .collect();
        for change in changes {
            let theirs = store.conversation_ids(&change.user, groups).await?;
            shared.extend(theirs.into_iter().filter(|id| own.contains(id)));
        }
        Ok(shared)
    }

    /// Whether what the caller may see of a conversation changed as a whole since a place, so that its changed
    /// messages alone do not tell.
    fn is_new_sight(&self, entry: &InboxEntry, place: &Place) -> bool {
        /// How far the clocks of two nodes may lie apart.
        const SKEW: std::time::Duration = std::time::Duration::from_secs(15 * 60);
        // Then also those who joined in the moment of the beginning, whom nothing tells from those who were there: they
        // read a young group once more for nothing.
        let everything = self.engine().config().policies.history_for_new_members == HistoryForNewMembers::All;
        let sees_before_joining = entry
            .member
            .intervals
            .first()
            .is_some_and(|first| first.from == 1)
            && entry.conversation.pair.is_none();
        entry.member.reset_user_rev > place.user_rev
            || (sees_before_joining
                && (entry.member.joined_at > entry.conversation.created_at || everything)
                && entry.member.joined_at > place.since.before(SKEW))
    }

    /// Whether messages of blocked users go out of the caller's sight here.
    fn blocks_hide(&self, entry: &InboxEntry) -> bool {
        entry.conversation.pair.is_none()
            && self.engine().config().policies.blocked_in_group == BlockedInGroup::Hide
    }

    /// Adds those of the ids that are no conversations of the caller's list (any more).
    async fn add_removed(
        &self,
        outline: &mut Outline,
        ids: &[ConversationId],
        entries: &[InboxEntry],
    ) -> ChatResult<()> {
        let hidden = entries
            .iter()
            .filter(|entry| entry.hidden)
            .map(|entry| entry.conversation.id);
        outline
            .removed
            .extend(hidden.map(|conversation_id| RemovedConversation {
                conversation_id,
                reason: RemovalReason::Hidden,
            }));
        let present: HashSet<ConversationId> = entries.iter().map(|entry| entry.conversation.id).collect();
        for id in ids.iter().copied().filter(|id| !present.contains(id)) {
            let member = self.inner().store.member(id, self.user_id()).await?;
            let reason = match member.map(|member| member.state) {
                Some(MemberState::Left) => RemovalReason::Left,
                Some(MemberState::Dissolved) => RemovalReason::Deleted,
                // Where he never was is answered as where he is no more: it tells nothing of what exists.
                Some(MemberState::Removed | MemberState::Active) | None => RemovalReason::Removed,
            };
            outline.removed.push(RemovedConversation {
                conversation_id: id,
                reason,
            });
        }
        Ok(())
    }

    /// The caller's scheduled messages that changed; a client that knows nothing is told the open ones.
    async fn scheduled_since(
        &self,
        known: Option<u64>,
        newest: u64,
        outline: &mut Outline,
    ) -> ChatResult<Vec<ScheduledView>> {
        let mut rows = self
            .inner()
            .store
            .changed_scheduled(self.user_id(), known.unwrap_or(0), known.is_none(), SCHEDULED + 1)
            .await?;
        let more = rows.len() > SCHEDULED;
        rows.truncate(SCHEDULED);
        let last = rows.last().filter(|_| more);
        outline.place.scheduled = Some(last.map_or(newest, |last| last.user_rev));
        outline.has_more |= more;
        Ok(rows.into_iter().map(ScheduledView::of).collect())
    }

    async fn block_list_since(&self, user_rev: u64) -> ChatResult<BlockListDelta> {
        let changes = self.inner().store.block_changes(self.user_id(), user_rev).await?;
        let mut delta = BlockListDelta::default();
        for change in changes {
            if change.blocked {
                delta.added.push(change.user);
            } else {
                delta.removed.push(change.user);
            }
        }
        Ok(delta)
    }
}

impl Actor {
    async fn mute_list_since(&self, user_rev: u64) -> ChatResult<MuteListDelta> {
        let changes = self.inner().store.mute_changes(self.user_id(), user_rev).await?;
        let now = self.engine().now();
        let mut delta = MuteListDelta::default();
        for change in changes {
            // One that has lapsed since is none.
            if change.until.is_some_and(|until| until.is_active(now)) {
                delta.added.push(change.user);
            } else {
                delta.removed.push(change.user);
            }
        }
        Ok(delta)
    }
}
