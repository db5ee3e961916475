//! Users: the caller himself, his settings, and others.

use super::{Actor, avatar, validate};
use crate::command::{CommandName, PageRequest, ProfilePatch, SettingsPatch};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::UserId;
use crate::model::{SettingsChange, User, UserPatch, UserSettings};
use crate::port::RateScope;
use crate::store::UserSearch;
use crate::text::{fold, is_blank};
use crate::view::{Page, UserPresence, UserView};

impl Actor {
    /// The caller himself.
    ///
    /// # Errors
    /// `user_not_found` when the engine has never met him; `unavailable`.
    pub async fn me(&self) -> ChatResult<UserView> {
        self.user(self.user_id()).await
    }

    /// Changes the caller's name, picture or custom data. Removing the picture shows the host's own again, where
    /// there is one.
    ///
    /// # Errors
    /// - `invalid_argument` (`name`, `custom`), `payload_too_large` (`custom`): the payload itself.
    /// - `attachment_not_found`, `conflict`, `invalid_argument` (`avatar_attachment_id`): not his own unused picture.
    /// - `user_not_found`: the engine has never met him.
    /// - `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn update_me(&self, patch: ProfilePatch) -> ChatResult<UserView> {
        let about = self.about(CommandName::UpdateMe);
        self.command(about, self.update_me_past_hooks(patch)).await
    }

    async fn update_me_past_hooks(&self, patch: ProfilePatch) -> ChatResult<UserView> {
        let limits = &self.engine().config().limits;
        if let Some(name) = &patch.name {
            validate::name(name, limits)?;
        }
        if let Some(Some(custom)) = &patch.custom {
            validate::custom(custom, limits)?;
        }
        let me = self.own_row().await?;
        let change = UserPatch {
            name: patch.name,
            avatar: patch.avatar_attachment_id.filter(|wanted| *wanted != me.avatar),
            custom: patch.custom.map(Option::unwrap_or_default),
            ..UserPatch::default()
        };
        if change == UserPatch::default() {
            return self.me().await;
        }
        let store = &self.inner().store;
        let claimed = change.claims(&me);
        if let Some(id) = claimed {
            let file = store.attachments(&[id]).await?.pop();
            avatar::claim(file.as_ref(), self.user_id())?;
        }
        // The store takes the upload and lets the old picture go in the same step, or does nothing.
        let updated = store.update_user(self.user_id(), change).await?;
        let updated = updated.ok_or_else(unknown_user)?;
        if claimed.is_some() && updated.avatar != claimed {
            return Err(avatar::already_used());
        }
        self.me().await
    }

    /// The caller's private settings.
    ///
    /// # Errors
    /// `user_not_found` when the engine has never met him; `unavailable`.
    pub async fn settings(&self) -> ChatResult<UserSettings> {
        Ok(self.own_row().await?.settings)
    }

    /// Changes the caller's private settings; absent ones stay. `dnd_until` in the past is none. A change of who sees
    /// his presence shows at once to everybody who follows it.
    ///
    /// # Errors
    /// `user_not_found` when the engine has never met him; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn update_settings(&self, patch: SettingsPatch) -> ChatResult<UserSettings> {
        let about = self.about(CommandName::UpdateSettings);
        self.command(about, self.update_settings_past_hooks(patch)).await
    }

    async fn update_settings_past_hooks(&self, patch: SettingsPatch) -> ChatResult<UserSettings> {
        let before = self.own_row().await?;
        let now = self.engine().now();
        let change = SettingsChange {
            receipts: patch.receipts,
            show_online: patch.show_online,
            show_last_seen: patch.show_last_seen,
            push: patch.push,
            push_content: patch.push_content,
            dnd_until: patch.dnd_until.map(|until| until.filter(|until| *until > now)),
        };
        let mut settings = before.settings.clone();
        change.clone().apply(&mut settings);
        if settings == before.settings {
            return Ok(settings);
        }
        // Only what was named goes to the store: another change may come between.
        let change = UserPatch {
            settings: Some(change),
            ..UserPatch::default()
        };
        let updated = self.inner().store.update_user(self.user_id(), change).await?;
        let updated = updated.ok_or_else(unknown_user)?;
        if updated.settings.show_online != before.settings.show_online {
            // The settings stand; live sessions that cannot be told now see it when they ask.
            if let Err(error) = self.tell_visibility(&before, &updated).await {
                tracing::warn!(%error, "a change of who sees presence could not be told");
            }
        }
        Ok(updated.settings)
    }

    /// A user as the caller sees him.
    ///
    /// # Errors
    /// `user_not_found`; `unavailable`.
    pub async fn user(&self, id: &UserId) -> ChatResult<UserView> {
        let view = self.render_user_ids(std::slice::from_ref(id)).await?.pop();
        view.ok_or_else(unknown_user)
    }

    /// Users whose name contains `q` (Unicode simple case folding), or whose whole e-mail address or phone number it
    /// is, in order of id. Users in a block relation with the caller are not found.
    ///
    /// # Errors
    /// `query_required`; `invalid_argument` (`q`, `limit`), `invalid_cursor`; `rate_limited`; `unavailable`.
    pub async fn search_users(&self, q: &str, page: PageRequest) -> ChatResult<Page<UserView>> {
        let query = q.trim();
        if is_blank(query) {
            return Err(ChatError::new(ErrorCode::QueryRequired, "nothing to search for").with_field("q"));
        }
        if q.len() > self.engine().config().limits.query_bytes {
            return Err(ChatError::invalid("q", "too long"));
        }
        if q.contains('\0') {
            return Err(ChatError::invalid("q", "holds U+0000"));
        }
        let limit = self.limit(page.limit)?;
        let purpose = format!("users {query}");
        let after = self.cursor::<UserId>(&purpose, &page)?;
        if !self.is_host() {
            self.engine()
                .take_allowance(RateScope::Searches, self.user_id().as_str())
                .await?;
        }
        let mut users = self.found_users(query, after, limit + 1).await?;
        let more = users.len() > limit;
        users.truncate(limit);
        let next_cursor = self.next_cursor(&purpose, more, users.last().map(|user| &user.id));
        self.inner().directory.enrich(&mut users).await?;
        Ok(Page {
            items: self.render_users(users).await?,
            next_cursor,
        })
    }

    /// Users who share a direct conversation with the caller, in order of id.
    ///
    /// # Errors
    /// Those of [`find_contacts`](Actor::find_contacts).
    pub async fn contacts(&self, page: PageRequest) -> ChatResult<Page<UserView>> {
        self.find_contacts(None, page).await
    }

    /// Contacts whose name contains `q` (Unicode simple case folding), in order of id; all of them without `q`.
    ///
    /// # Errors
    /// `invalid_argument` (`q`, `limit`), `invalid_cursor`; `unavailable`.
    pub async fn find_contacts(&self, q: Option<&str>, page: PageRequest) -> ChatResult<Page<UserView>> {
        let limit = self.limit(page.limit)?;
        let name = self.name_part(q)?;
        let purpose = format!("contacts {}", name.as_deref().unwrap_or_default());
        let after = self.cursor::<UserId>(&purpose, &page)?;
        let mut ids = self
            .inner()
            .store
            .contacts(self.user_id(), name.as_deref(), after.as_ref(), limit + 1)
            .await?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next_cursor = self.next_cursor(&purpose, more, ids.last());
        Ok(Page {
            items: self.render_user_ids(&ids).await?,
            next_cursor,
        })
    }

    /// The caller as the store has him, also when only the host's directory knew him until now.
    pub(super) async fn own_row(&self) -> ChatResult<User> {
        let me = std::slice::from_ref(self.user_id());
        if let Some(row) = self.inner().store.users(me).await?.pop() {
            return Ok(row);
        }
        self.find_users(me).await?.pop().ok_or_else(unknown_user)
    }

    /// Matching users whom no block hides from the caller, at most `wanted`.
    async fn found_users(
        &self,
        query: &str,
        mut after: Option<UserId>,
        wanted: usize,
    ) -> ChatResult<Vec<User>> {
        let store = &self.inner().store;
        let blocks = store.blocks_of(self.user_id()).await?;
        let mut found = Vec::with_capacity(wanted);
        loop {
            let search = UserSearch {
                query: fold(query),
                exact: query.to_lowercase(),
                after,
                limit: wanted,
            };
            let batch = store.search_users(&search).await?;
            let last = batch.len() < wanted;
            after = batch.last().map(|user| user.id.clone());
            found.extend(batch.into_iter().filter(|user| !blocks.involves(&user.id)));
            if last || found.len() >= wanted {
                found.truncate(wanted);
                return Ok(found);
            }
        }
    }

    /// Tells those who follow the caller's presence, and the caller whose he follows, what looks otherwise now.
    async fn tell_visibility(&self, before: &User, after: &User) -> ChatResult<()> {
        let engine = self.engine();
        engine.retell_typing(before, after).await?;
        let followers = engine.followers(self.user_id()).await?;
        let old = engine.presence_for(before, &followers).await?;
        let new = engine.presence_for(after, &followers).await?;
        engine.tell_difference(old, new).await?;
        let mut followed = self.watched();
        let cap = engine.config().limits.presence_ids;
        followed.extend(
            self.inner()
                .store
                .contacts(self.user_id(), None, None, cap)
                .await?,
        );
        followed.sort();
        followed.dedup();
        let users = self.inner().store.users(&followed).await?;
        let mut eyes = self.eyes_on(&users).await?;
        // Either of the two settings may hang on them.
        let contacts = self.inner().store.contacts_among(self.user_id(), &followed);
        eyes.contacts = contacts.await?.into_iter().collect();
        eyes.settings = before.settings.clone();
        let old = self.presence_through(&eyes, &users).await?;
        eyes.settings = after.settings.clone();
        let new = self.presence_through(&eyes, &users).await?;
        let seen: Vec<UserPresence> = (old.iter().zip(new))
            .filter(|(old, new)| old.presence.status != new.presence.status)
            .map(|(_, new)| new)
            .collect();
        for presence in seen {
            engine
                .hand_over(
                    std::slice::from_ref(self.user_id()),
                    None,
                    "presence_changed",
                    &presence,
                )
                .await?;
        }
        Ok(())
    }

    /// Users whose presence the caller's sessions on this node have subscribed to.
    fn watched(&self) -> Vec<UserId> {
        let entries = self.inner().live.entries();
        entries
            .iter()
            .filter(|entry| entry.user == *self.user_id())
            .flat_map(|entry| entry.facts().watches.iter().cloned().collect::<Vec<_>>())
            .collect()
    }
}

pub(super) fn unknown_user() -> ChatError {
    ChatError::new(ErrorCode::UserNotFound, "no such user")
}
