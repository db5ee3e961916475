//! Who types where: kept in this process only, never stored, ends by itself. Other nodes are told when it begins, goes on
//! and ends here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::dispatch::Publication;
use super::members::count_of;
use super::presence::hangs_on_contacts;
use super::typists::Board;
use super::{Actor, ChatEngine, Inner};
use crate::access::{Action, Standing, allowed, known_presence};
use crate::command::{CommandName, SetTyping};
use crate::error::ChatResult;
use crate::event::ChatEvent;
use crate::id::{ConversationId, UserId};
use crate::model::{User, Visibility};
use crate::port::Hint;

/// How often expired entries are looked for at most.
const SWEEP: Duration = Duration::from_millis(100);

impl Actor {
    /// Says that the caller types, or has stopped.
    ///
    /// It ends by itself after [`Limits::typing_expiry`](crate::config::Limits::typing_expiry), with a message of his, and with his last session. Repeated
    /// sooner than [`Limits::typing_interval`](crate::config::Limits::typing_interval) it only lasts longer; a stop always counts. He types until all his
    /// sessions have stopped. In groups above `large_group_threshold` nobody hears of it, nor of users who show
    /// nobody that they are online.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`.
    /// - `you_blocked`, `not_permitted`: one of a direct's two has blocked the other, the conversation is frozen, or
    ///   he is muted. A stop is never refused for that.
    /// - `unavailable`.
    pub async fn set_typing(&self, typing: SetTyping) -> ChatResult<()> {
        let about = self
            .about(CommandName::Typing)
            .conversation(typing.conversation_id);
        self.command(about, self.set_typing_past_hooks(typing)).await
    }

    async fn set_typing_past_hooks(&self, typing: SetTyping) -> ChatResult<()> {
        let id = typing.conversation_id;
        let (conversation, member) = self.readable(id).await?;
        let typists = &self.inner().typing;
        if !typing.active {
            typists.stop(id, self.user_id(), self.session());
            return Ok(());
        }
        let peer = conversation
            .pair
            .as_ref()
            .and_then(|pair| pair.other(self.user_id()));
        let blocks = match peer {
            Some(peer) => {
                let store = &self.inner().store;
                store
                    .blocks_among(self.user_id(), std::slice::from_ref(peer))
                    .await?
            }
            None => crate::store::Blocks::default(),
        };
        let me = self
            .inner()
            .store
            .users(std::slice::from_ref(self.user_id()))
            .await?
            .pop()
            .filter(|_| !self.is_host());
        let config = self.engine().config();
        let standing = Standing {
            conversation: Some(&conversation),
            member: Some(&member),
            has_blocked: !blocks.blocked.is_empty(),
            is_blocked: !blocks.blocked_by.is_empty(),
            restrictions: me.as_ref().map(User::restrictions).unwrap_or_default(),
            now: self.engine().now(),
            policies: &config.policies,
        };
        allowed(&standing, Action::Type)?;
        // Whoever shows nobody that he is online would be shown by his typing.
        let now = self.engine().now();
        let is_invisible = me
            .is_some_and(|me| me.settings.show_online == Visibility::Nobody || me.presence.is_invisible(now));
        if count_of(&conversation) > config.policies.large_group_threshold || is_invisible {
            return Ok(());
        }
        typists.start(id, self.user_id(), self.session(), &config.limits);
        Ok(())
    }

    /// A message says that its sender has typed.
    pub(crate) async fn typing_stopped_by_send(&self, id: ConversationId) {
        self.inner().typing.clear(id, self.user_id());
    }
}

/// Starts the task that tells of typing; it ends with the engine.
pub(super) fn start(inner: &Arc<Inner>) {
    let board = Arc::clone(&inner.typing.board);
    let weak = Arc::downgrade(inner);
    tokio::spawn(async move {
        loop {
            let earliest = board.lock().earliest();
            let changed = board.changed.notified();
            match earliest {
                Some(at) => {
                    // Not for each mark on its own: what expires together is swept together.
                    let _woken_early = tokio::time::timeout_at(at + SWEEP, changed).await;
                }
                None => changed.await,
            }
            let Some(inner) = weak.upgrade() else { return };
            let now = Instant::now();
            board.lock().retain(|_, _, _, until| until > now);
            let engine = ChatEngine { inner };
            engine.tell_typing(&board).await;
        }
    });
}

impl ChatEngine {
    /// Takes `typist` off the lists that `viewer` has heard: one of the two has blocked the other. The rule for the
    /// events hides the typing of each from the other only from now on.
    pub(super) async fn hide_typing(&self, typist: &UserId, viewer: &UserId) -> ChatResult<()> {
        let audience = std::slice::from_ref(viewer);
        if self.connected(audience).is_empty() {
            return Ok(());
        }
        let store = &self.inner().store;
        for (id, mut user_ids) in self.inner().typing.rooms_of(typist) {
            let Some(conversation) = store.conversations(&[id]).await?.pop() else {
                continue;
            };
            if !self.audience(&conversation).await?.contains(viewer) {
                continue;
            }
            let mut seen = HashSet::new();
            for user in user_ids.iter().filter(|user| *user != typist) {
                if !self.typing_visible_to(user, audience).await?.is_empty() {
                    seen.insert(user.clone());
                }
            }
            user_ids.retain(|user| seen.contains(user));
            let payload = json!({ "conversation_id": id, "user_ids": user_ids });
            self.hand_over(audience, None, "typing_changed", &payload).await?;
        }
        Ok(())
    }

    /// After a change of who sees a user and whom he sees: tells lists anew where they have become others, to those who
    /// see him type now or did before, and to himself.
    pub(super) async fn retell_typing(&self, before: &User, after: &User) -> ChatResult<()> {
        let store = &self.inner().store;
        for (id, typing) in self.inner().typing.rooms() {
            let Some(conversation) = store.conversations(&[id]).await?.pop() else {
                continue;
            };
            let members = self.audience(&conversation).await?;
            if !members.contains(&after.id) {
                continue;
            }
            let viewers = self.connected(&members);
            let typists = store.users(&typing).await?;
            let old = self.typing_seen(&typists, &viewers, before).await?;
            let new = self.typing_seen(&typists, &viewers, after).await?;
            for (viewer, list) in new {
                if old.get(&viewer) != Some(&list) {
                    let payload = json!({ "conversation_id": id, "user_ids": list });
                    self.hand_over(&[viewer], None, "typing_changed", &payload)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// The lists of typists that these viewers see when one of all those users is as given.
    async fn typing_seen(
        &self,
        typists: &[User],
        viewers: &[UserId],
        one: &User,
    ) -> ChatResult<HashMap<UserId, Vec<UserId>>> {
        let as_given = |user: &User| {
            if user.id == one.id {
                one.clone()
            } else {
                user.clone()
            }
        };
        let viewers: Vec<User> = self
            .inner()
            .store
            .users(viewers)
            .await?
            .iter()
            .map(as_given)
            .collect();
        let mut lists: HashMap<UserId, Vec<UserId>> = (viewers.iter())
            .map(|viewer| (viewer.id.clone(), Vec::new()))
            .collect();
        let mut typists: Vec<User> = typists.iter().map(as_given).collect();
        typists.sort_by(|a, b| a.id.cmp(&b.id));
        for typist in &typists {
            for viewer in self.typing_visible_among(typist, &viewers).await? {
                if let Some(list) = lists.get_mut(&viewer) {
                    list.push(typist.id.clone());
                }
            }
        }
        Ok(lists)
    }

    /// Those of the viewers who may see that a user types: who may see that he is online, by the settings of both and
    /// the blocks between them. Nobody sees himself.
    pub(crate) async fn typing_visible_to(
        &self,
        typist: &UserId,
        viewers: &[UserId],
    ) -> ChatResult<HashSet<UserId>> {
        let store = &self.inner().store;
        let Some(subject) = store.users(std::slice::from_ref(typist)).await?.pop() else {
            return Ok(HashSet::new());
        };
        let viewers = store.users(viewers).await?;
        self.typing_visible_among(&subject, &viewers).await
    }

    /// The same of rows that are known already. Nobody sees an invisible user type.
    pub(crate) async fn typing_visible_among(
        &self,
        subject: &User,
        viewers: &[User],
    ) -> ChatResult<HashSet<UserId>> {
        let store = &self.inner().store;
        let viewers: Vec<&User> = viewers.iter().filter(|viewer| viewer.id != subject.id).collect();
        if viewers.is_empty() || subject.presence.is_invisible(self.now()) {
            return Ok(HashSet::new());
        }
        let ids: Vec<UserId> = viewers.iter().map(|viewer| viewer.id.clone()).collect();
        let blocks = store.blocks_among(&subject.id, &ids).await?;
        let on_contacts = hangs_on_contacts(&subject.settings)
            || viewers.iter().any(|viewer| hangs_on_contacts(&viewer.settings));
        let contacts: HashSet<UserId> = if on_contacts {
            store
                .contacts_among(&subject.id, &ids)
                .await?
                .into_iter()
                .collect()
        } else {
            HashSet::new()
        };
        let sees = |viewer: &User| {
            let (contact, blocked) = (contacts.contains(&viewer.id), blocks.involves(&viewer.id));
            known_presence(&viewer.settings, &subject.settings, contact, blocked).status
        };
        Ok(viewers
            .into_iter()
            .filter(|viewer| sees(viewer))
            .map(|viewer| viewer.id.clone())
            .collect())
    }

    async fn tell_typing(&self, board: &Board) {
        loop {
            let Some(change) = board.lock().next_untold() else {
                return;
            };
            let hint = change.here.map(|active| Hint::Typing {
                conversation: change.conversation,
                user: change.by.clone(),
                active,
            });
            let event = ChatEvent::TypingChanged {
                conversation_id: change.conversation,
                user_ids: change.typing,
                by: change.by,
            };
            self.publish_whole(Publication {
                is_heard: hint.is_none(),
                hint,
                ..Publication::single(event, None)
            });
        }
    }
}

#[cfg(all(test, feature = "memory"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::command::OpenDirect;
    use crate::memory::MemoryStore;
    use crate::model::{NewUser, UserPatch, UserSettings};
    use crate::time::{Clock, ManualClock};

    #[tokio::test]
    async fn who_sees_that_he_is_online_sees_that_he_types() {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let engine = ChatEngine::builder(Arc::new(store)).with_clock(clock).build();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| UserId::new(id).unwrap());
        let all = [a.clone(), b.clone(), c.clone(), d.clone()];
        for id in &all {
            let new = NewUser::new(id.clone());
            engine.store().ensure_user(new, engine.now()).await.unwrap();
        }
        let open = OpenDirect { user_id: b.clone() };
        engine.as_user(&a).open_direct(open).await.unwrap();
        let show = async |user: &UserId, show_online| {
            let settings = UserSettings {
                show_online,
                ..UserSettings::default()
            };
            let patch = UserPatch {
                settings: Some(settings.into()),
                ..UserPatch::default()
            };
            engine.store().update_user(user, patch).await.unwrap();
        };
        let seen_by = async || {
            let seen = engine.typing_visible_to(&a, &all).await.unwrap();
            let mut seen: Vec<String> = seen.iter().map(ToString::to_string).collect();
            seen.sort();
            seen.concat()
        };
        assert_eq!(seen_by().await, "bcd");
        show(&d, Visibility::Nobody).await;
        assert_eq!(seen_by().await, "bc");
        engine.as_user(&c).block(&a).await.unwrap();
        assert_eq!(seen_by().await, "b");
        engine.as_user(&c).unblock(&a).await.unwrap();
        show(&a, Visibility::Contacts).await;
        assert_eq!(seen_by().await, "b");
        show(&a, Visibility::Nobody).await;
        assert_eq!(seen_by().await, "");
    }
}
