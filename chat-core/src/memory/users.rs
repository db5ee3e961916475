use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::{AttachmentState, NewUser, User, UserPatch};
use crate::store::{UserSearch, UserStore};
use crate::text::fold;
use crate::time::Timestamp;

#[async_trait]
impl UserStore for MemoryStore {
    async fn ensure_user(&self, new: NewUser, now: Timestamp) -> BackendResult<(User, bool)> {
        Ok(match self.state().users.entry(new.id.clone()) {
            Entry::Occupied(known) => (known.get().clone(), false),
            Entry::Vacant(free) => (free.insert(new.into_user(now)).clone(), true),
        })
    }

    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>> {
        Ok(self.state().update_user(id, patch))
    }

    async fn users(&self, ids: &[UserId]) -> BackendResult<Vec<User>> {
        let state = self.state();
        let ids: BTreeSet<_> = ids.iter().collect();
        Ok(ids
            .into_iter()
            .filter_map(|id| state.users.get(id))
            .cloned()
            .collect())
    }

    async fn search_users(&self, search: &UserSearch) -> BackendResult<Vec<User>> {
        let state = self.state();
        let exact = Some(search.exact.as_str());
        Ok(state
            .users
            .values()
            .filter(|user| search.after.as_ref().is_none_or(|after| user.id > *after))
            .filter(|user| {
                fold(&user.name).contains(&search.query)
                    || user.email.as_deref() == exact
                    || user.phone.as_deref() == exact
            })
            .take(search.limit)
            .cloned()
            .collect())
    }
}

impl State {
    pub(super) fn update_user(&mut self, id: &UserId, patch: UserPatch) -> Option<User> {
        let Self {
            users, attachments, ..
        } = self;
        let user = users.get_mut(id)?;
        if let Some(upload) = patch.claims(user) {
            match attachments.get_mut(&upload) {
                Some(file) if file.state == AttachmentState::Pending => file.state = AttachmentState::Avatar,
                _ => return Some(user.clone()),
            }
        }
        if let Some(file) = patch.retires(user).and_then(|old| attachments.get_mut(&old))
            && file.state == AttachmentState::Avatar
        {
            file.state = AttachmentState::Deleted;
        }
        let private = patch.settings.is_some();
        patch.apply(user);
        user.user_rev += u64::from(private);
        Some(user.clone())
    }
}
