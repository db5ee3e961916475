//! Who is there: reports of sessions, edges between states, and what others may know of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{Actor, ChatEngine};
use crate::access::{KnownPresence, known_presence, shown_status};
use crate::command::PageRequest;
use crate::error::{ChatError, ChatResult};
use crate::event::ChatEvent;
use crate::id::{SessionId, UserId};
use crate::live::Entry;
use crate::model::{ManualStatus, OwnPresence, User, UserPatch, UserSettings, Visibility};
use crate::port::{Edge, Lapsed};
use crate::store::Blocks;
use crate::time::Timestamp;
use crate::view::{Page, PresenceStatus, PresenceView, UserPresence, UserView};

/// Users told in one go whose node died.
const SILENT_AT_A_TIME: usize = 500;

impl Actor {
    /// Users who are online or away, as far as the caller may know, without himself: his contacts first, then who came
    /// last. At most as many as one presence question takes are looked at, besides the contacts.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`) outside the page sizes, `invalid_cursor`; `unavailable`.
    pub async fn online_users(&self, page: PageRequest) -> ChatResult<Page<UserView>> {
        let limit = self.limit(page.limit)?;
        let after = self.cursor::<OnlinePlace>("online", &page)?;
        let inner = self.inner();
        let cap = self.engine().config().limits.presence_ids;
        let mut ids = inner.store.contacts(self.user_id(), None, None, cap).await?;
        match inner.presence.present(cap).await {
            Ok(present) => ids.extend(present),
            Err(error) => {
                // Presence that cannot be asked is unknown, which looks like offline; nothing else stops for it.
                tracing::warn!(%error, "presence could not be asked");
            }
        }
        let mut seen = HashSet::from([self.user_id().clone()]);
        ids.retain(|id| seen.insert(id.clone()));
        let users = self.find_users(&ids).await?;
        let online: HashSet<UserId> = (self.presence_of(&users).await?.into_iter())
            .filter(|of| of.presence.status != PresenceStatus::Offline)
            .map(|of| of.user_id)
            .collect();
        ids.retain(|id| online.contains(id));
        // People come and go between two pages; the next one goes on after the last one shown, wherever he is now.
        let shown = after.map_or(0, |place| {
            let last = ids.iter().position(|id| *id == place.last);
            last.map_or(place.shown.saturating_sub(1), |at| at + 1)
        });
        let mut items: Vec<UserId> = ids.into_iter().skip(shown).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let place = items.last().map(|last| OnlinePlace {
            shown: shown + items.len(),
            last: last.clone(),
        });
        Ok(Page {
            next_cursor: self.next_cursor("online", more, place.as_ref()),
            items: self.render_user_ids(&items).await?,
        })
    }

    /// Presence of these users, one entry per user in the order asked. Unknown users look like users who are offline
    /// and show nothing.
    ///
    /// # Errors
    /// `invalid_argument` (`user_ids`): more than one question takes; `unavailable`.
    pub async fn presence(&self, ids: &[UserId]) -> ChatResult<Vec<UserPresence>> {
        let cap = self.engine().config().limits.presence_ids;
        if ids.len() > cap {
            return Err(ChatError::invalid("user_ids", format!("at most {cap} users")));
        }
        let mut seen = HashSet::new();
        let ids: Vec<&UserId> = ids.iter().filter(|id| seen.insert(*id)).collect();
        let wanted: Vec<UserId> = ids.iter().copied().cloned().collect();
        let users = self.inner().store.users(&wanted).await?;
        let mut known: HashMap<UserId, UserPresence> = (self.presence_of(&users).await?.into_iter())
            .map(|presence| (presence.user_id.clone(), presence))
            .collect();
        Ok(ids
            .into_iter()
            .map(|id| known.remove(id).unwrap_or_else(|| offline(id)))
            .collect())
    }

    /// Presence of these users as far as the caller may know, in the same order.
    pub(crate) async fn presence_of(&self, users: &[User]) -> ChatResult<Vec<UserPresence>> {
        let eyes = self.eyes_on(users).await?;
        self.presence_through(&eyes, users).await
    }

    /// Presence through eyes already opened: the same caller with other settings, for instance.
    pub(super) async fn presence_through(
        &self,
        eyes: &Eyes,
        users: &[User],
    ) -> ChatResult<Vec<UserPresence>> {
        let ids: Vec<UserId> = users.iter().map(|user| user.id.clone()).collect();
        let statuses = self.engine().statuses(&ids).await;
        let now = self.engine().now();
        Ok(users
            .iter()
            .map(|user| {
                let status = statuses.get(&user.id).copied();
                if user.id == *self.user_id() {
                    return presence_of_oneself(user, status, now);
                }
                presence_known(eyes.know(user), user, status, now)
            })
            .collect())
    }

    /// Everything [`known_presence`] wants to know of the caller and these users.
    pub(super) async fn eyes_on(&self, users: &[User]) -> ChatResult<Eyes> {
        let me = self.user_id();
        let store = &self.inner().store;
        let ids: Vec<UserId> = (users.iter().map(|user| &user.id))
            .filter(|id| *id != me)
            .cloned()
            .collect();
        let settings = match users.iter().find(|user| user.id == *me) {
            Some(user) => user.settings.clone(),
            None => (store.users(std::slice::from_ref(me)).await?.pop())
                .map(|user| user.settings)
                .unwrap_or_default(),
        };
        if ids.is_empty() {
            return Ok(Eyes {
                settings,
                ..Eyes::default()
            });
        }
        let blocks = store.blocks_among(me, &ids).await?;
        // Most users show themselves to everyone, and then it does not matter who is a contact.
        let contacts = if hangs_on_contacts(&settings) || users.iter().any(|u| hangs_on_contacts(&u.settings))
        {
            store.contacts_among(me, &ids).await?.into_iter().collect()
        } else {
            HashSet::new()
        };
        Ok(Eyes {
            settings,
            blocks,
            contacts,
        })
    }
}

/// Where a page of online users ended.
#[derive(Debug, Serialize, Deserialize)]
struct OnlinePlace {
    #[serde(rename = "n")]
    shown: usize,
    #[serde(rename = "u")]
    last: UserId,
}

/// What decides how much of others' presence one user sees.
#[derive(Debug, Default)]
pub(super) struct Eyes {
    pub(super) settings: UserSettings,
    blocks: Blocks,
    pub(super) contacts: HashSet<UserId>,
}

impl Eyes {
    fn know(&self, subject: &User) -> KnownPresence {
        known_presence(
            &self.settings,
            &subject.settings,
            self.contacts.contains(&subject.id),
            self.blocks.involves(&subject.id),
        )
    }
}

/// One user's presence through another's eyes.
#[derive(Debug)]
pub(crate) struct Glimpse {
    pub(crate) viewer: UserId,
    pub(crate) presence: UserPresence,
    /// Whether the viewer may know when the status changes; otherwise it stays offline for him.
    pub(crate) knows_status: bool,
}

pub(super) fn hangs_on_contacts(settings: &UserSettings) -> bool {
    settings.show_online == Visibility::Contacts || settings.show_last_seen == Visibility::Contacts
}

const NOT_THERE: PresenceView = PresenceView {
    status: PresenceStatus::Offline,
    last_seen_at: None,
    dnd: None,
    status_text: None,
    status_emoji: None,
};

fn offline(id: &UserId) -> UserPresence {
    UserPresence {
        user_id: id.clone(),
        presence: NOT_THERE,
    }
}

/// A user as somebody else sees him. What he says of himself shows only while he is seen to be there: if it stayed,
/// who is invisible could be told from who has gone.
fn presence_known(
    known: KnownPresence,
    user: &User,
    automatic: Option<PresenceStatus>,
    now: Timestamp,
) -> UserPresence {
    let own = user.presence.at(now);
    let automatic = automatic
        .filter(|_| known.status)
        .unwrap_or(PresenceStatus::Offline);
    let status = shown_status(own.status, automatic);
    let presence = if status == PresenceStatus::Offline {
        PresenceView {
            last_seen_at: user.last_seen_at.filter(|_| known.last_seen),
            ..NOT_THERE
        }
    } else {
        with_own_words(status, own)
    };
    UserPresence {
        user_id: user.id.clone(),
        presence,
    }
}

/// A user as he sees himself: invisible or not, by his sessions.
pub(super) fn presence_of_oneself(
    user: &User,
    automatic: Option<PresenceStatus>,
    now: Timestamp,
) -> UserPresence {
    let own = user.presence.at(now);
    let automatic = automatic.unwrap_or(PresenceStatus::Offline);
    let status = match own.status {
        ManualStatus::Invisible => automatic,
        wanted => shown_status(wanted, automatic),
    };
    let presence = if status == PresenceStatus::Offline {
        PresenceView {
            last_seen_at: user.last_seen_at,
            ..NOT_THERE
        }
    } else {
        with_own_words(status, own)
    };
    UserPresence {
        user_id: user.id.clone(),
        presence,
    }
}

fn with_own_words(status: PresenceStatus, own: OwnPresence) -> PresenceView {
    PresenceView {
        status,
        last_seen_at: None,
        dnd: (own.status == ManualStatus::Dnd).then_some(true),
        status_text: own.text,
        status_emoji: own.emoji,
    }
}

/// What somebody who may know everything sees of a user; `None` of it when presence could not be asked.
pub(super) fn fully_known(user: &User, automatic: Option<PresenceStatus>, now: Timestamp) -> PresenceView {
    presence_known(KnownPresence::ALL, user, automatic, now).presence
}

impl ChatEngine {
    /// Present status of users; when presence cannot be asked nobody is known to be there.
    pub(super) async fn statuses(&self, users: &[UserId]) -> HashMap<UserId, PresenceStatus> {
        if users.is_empty() {
            return HashMap::new();
        }
        self.inner()
            .presence
            .statuses(users)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "presence could not be asked");
                HashMap::new()
            })
    }

    /// Says that a session lives and whether somebody looks at it: when it opens, when that changes, and from time to
    /// time as a heartbeat.
    pub(crate) async fn report_presence(&self, entry: &Arc<Entry>) {
        let away_after = self.config().limits.away_after;
        let foreground = entry.facts().counts_as_foreground(away_after);
        let reported = self
            .inner()
            .presence
            .report(&entry.user, entry.id, foreground)
            .await;
        match reported {
            Ok(edge) => self.publish_edge(&entry.user, edge, None).await,
            Err(error) => tracing::warn!(%error, "presence could not be reported"),
        }
    }

    /// Reports a session again once nobody has looked at it for so long that its user may be away.
    pub(crate) fn report_when_away(&self, entry: &Arc<Entry>) {
        let wait = self.config().limits.away_after;
        if wait.is_zero() || entry.facts().foreground {
            return;
        }
        let (inner, entry) = (Arc::downgrade(self.inner()), Arc::downgrade(entry));
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let (Some(inner), Some(entry)) = (inner.upgrade(), entry.upgrade()) else {
                return;
            };
            let engine = Self { inner };
            if !entry.queue.has_ended() {
                engine.report_presence(&entry).await;
            }
            if entry.queue.has_ended() {
                // It ended while it was reported; the report must not outlive it.
                engine.session_gone(&entry);
            }
        });
    }

    /// Says that a session is over. Its user stays present for the grace, so that a short break of a connection is no
    /// coming and going; a node that stops does not wait. When he was last seen is kept at once: the process may be
    /// gone when the grace is over.
    pub(crate) fn session_gone(&self, entry: &Arc<Entry>) {
        let last = self.inner().live.count_of(&entry.user) == 0;
        self.inner().typing.session_gone(&entry.user, entry.id, last);
        // Without a runtime the process is on its way out, and presence runs out by itself.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (user, session, ended_at) = (entry.user.clone(), entry.id, self.now());
        let engine = self.clone();
        self.inner().in_flight.begin();
        runtime.spawn(async move {
            if last {
                engine.keep_last_seen(&user, ended_at).await;
            }
            if engine.is_draining() {
                engine.end_presence(&user, session, ended_at).await;
                engine.inner().in_flight.end();
                return;
            }
            engine.inner().in_flight.end();
            let grace = engine.config().limits.offline_grace;
            let weak = Arc::downgrade(engine.inner());
            // The wait must not keep an engine that nobody else holds.
            drop(engine);
            tokio::time::sleep(grace).await;
            if let Some(inner) = weak.upgrade() {
                Self { inner }.end_presence(&user, session, ended_at).await;
            }
        });
    }

    async fn end_presence(&self, user: &UserId, session: SessionId, ended_at: Timestamp) {
        match self.inner().presence.ended(user, session).await {
            Ok(edge) => self.publish_edge(user, edge, Some(ended_at)).await,
            Err(error) => tracing::warn!(%error, "the end of a session could not be reported"),
        }
    }

    /// Who is invisible was last seen when he became so.
    async fn keep_last_seen(&self, user: &UserId, at: Timestamp) {
        match self.inner().store.users(std::slice::from_ref(user)).await {
            Ok(rows) if rows.iter().any(|row| row.presence.is_invisible(at)) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a last-seen time could not be kept");
                return;
            }
        }
        let patch = UserPatch {
            last_seen_at: Some(at),
            ..UserPatch::default()
        };
        if let Err(error) = self.inner().store.update_user(user, patch).await {
            tracing::warn!(%error, "a last-seen time could not be kept");
        }
    }

    /// Only edges make events, and only of what others see: what somebody does who is invisible is no event.
    async fn publish_edge(&self, user: &UserId, edge: Edge, ended_at: Option<Timestamp>) {
        let Edge::Changed { from, to } = edge else { return };
        let now = self.now();
        let wanted = match self.inner().store.users(std::slice::from_ref(user)).await {
            Ok(rows) => rows.into_iter().next().map(|row| {
                self.inner().lapses.note(user, row.presence.until, now);
                row.presence.status_at(now)
            }),
            Err(error) => {
                // Without it nobody knows whether he wants to be seen.
                tracing::warn!(%error, "a change of presence could not be told");
                return;
            }
        };
        let shown = |automatic| shown_status(wanted.unwrap_or_default(), automatic);
        let status = shown(to);
        if shown(from) == status {
            return;
        }
        let event = ChatEvent::PresenceChanged {
            user_id: user.clone(),
            status,
            last_seen_at: ended_at.filter(|_| status == PresenceStatus::Offline),
        };
        self.publish(event, None);
    }

    /// Reports all live sessions again, for presence that forgets what is not repeated.
    pub(super) async fn beat(&self) {
        for entry in self.inner().live.entries() {
            if entry.queue.has_ended() {
                continue;
            }
            self.report_presence(&entry).await;
            if entry.queue.has_ended() {
                // It ended while it was reported; the report must not outlive it.
                self.session_gone(&entry);
            }
        }
    }

    /// Tells of those whose sessions nobody reports any more, because their node died.
    pub(super) async fn tell_silent(&self) {
        loop {
            let lapsed = match self.inner().presence.lapsed(SILENT_AT_A_TIME).await {
                Ok(lapsed) => lapsed,
                Err(error) => {
                    tracing::warn!(%error, "it could not be looked whose node died");
                    return;
                }
            };
            let is_last = lapsed.len() < SILENT_AT_A_TIME;
            for Lapsed { user_id, silent_for } in lapsed {
                let seen_at = self.now().before(silent_for);
                self.keep_last_seen(&user_id, seen_at).await;
                let edge = Edge::Changed {
                    from: PresenceStatus::Online,
                    to: PresenceStatus::Offline,
                };
                self.publish_edge(&user_id, edge, Some(seen_at)).await;
            }
            if is_last {
                return;
            }
        }
    }

    /// Presence of one user as far as each of these viewers may know, in the order of their ids. Costs the same
    /// number of store calls for any number of viewers.
    pub(crate) async fn presence_for(&self, subject: &User, viewers: &[UserId]) -> ChatResult<Vec<Glimpse>> {
        let store = &self.inner().store;
        let mut viewers = store.users(viewers).await?;
        viewers.retain(|viewer| viewer.id != subject.id);
        viewers.sort_by(|a, b| a.id.cmp(&b.id));
        if viewers.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<UserId> = viewers.iter().map(|viewer| viewer.id.clone()).collect();
        let blocks = store.blocks_among(&subject.id, &ids).await?;
        let contacts: HashSet<UserId> = store
            .contacts_among(&subject.id, &ids)
            .await?
            .into_iter()
            .collect();
        let status = self
            .statuses(std::slice::from_ref(&subject.id))
            .await
            .remove(&subject.id);
        let now = self.now();
        Ok(viewers
            .into_iter()
            .map(|viewer| {
                let known = known_presence(
                    &viewer.settings,
                    &subject.settings,
                    contacts.contains(&viewer.id),
                    blocks.involves(&viewer.id),
                );
                Glimpse {
                    viewer: viewer.id,
                    presence: presence_known(known, subject, status, now),
                    knows_status: known.status,
                }
            })
            .collect())
    }

    /// Live viewers who follow a user's presence: those who subscribed to it, and direct peers.
    pub(crate) async fn followers(&self, user: &UserId) -> ChatResult<Vec<UserId>> {
        let mut followers = self.inner().live.watchers(user);
        let cap = self.config().limits.presence_ids;
        followers.extend(self.inner().store.contacts(user, None, None, cap).await?);
        followers.retain(|follower| follower != user);
        Ok(self.connected(&followers))
    }

    /// Tells viewers for whom a user's presence became something else without a coming or going: after a block or a
    /// change of settings it looks like one.
    pub(super) async fn tell_difference(&self, before: Vec<Glimpse>, after: Vec<Glimpse>) -> ChatResult<()> {
        let before: HashMap<UserId, PresenceStatus> = (before.into_iter())
            .map(|glimpse| (glimpse.viewer, glimpse.presence.presence.status))
            .collect();
        for Glimpse { viewer, presence, .. } in after {
            if before
                .get(&viewer)
                .is_some_and(|old| *old != presence.presence.status)
            {
                self.hand_over(&[viewer], None, "presence_changed", &presence)
                    .await?;
            }
        }
        Ok(())
    }
}
