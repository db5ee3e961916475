//! Users as a viewer sees them.

use std::collections::HashMap;

use crate::engine::{Actor, ChatEngine};
use crate::error::ChatResult;
use crate::id::UserId;
use crate::model::User;
use crate::port::known_users;
use crate::view::{PresenceView, SenderView, UserView};

impl ChatEngine {
    /// Where a user's picture is.
    pub(crate) fn avatar_url(&self, user: &User) -> Option<String> {
        match user.avatar {
            Some(id) => Some(format!("{}/{id}/content", self.inner().media_url)),
            None => user.avatar_url.clone(),
        }
    }

    /// Known users, from the store first and the host's directory second, by id.
    pub(crate) async fn users_by_id(&self, ids: &[UserId]) -> ChatResult<HashMap<UserId, User>> {
        let inner = self.inner();
        let users = known_users(inner.store.as_ref(), inner.directory.as_ref(), ids, self.now()).await?;
        Ok(users.into_iter().map(|user| (user.id.clone(), user)).collect())
    }

    /// A sender's name and picture; a user who is known no more keeps his id.
    pub(crate) fn sender_view(&self, id: &UserId, users: &HashMap<UserId, User>) -> SenderView {
        match users.get(id) {
            Some(user) => SenderView {
                id: id.clone(),
                name: user.name.clone(),
                avatar_url: self.avatar_url(user),
                deleted: user.erased.map(|_| true),
            },
            None => SenderView {
                id: id.clone(),
                name: id.to_string(),
                avatar_url: None,
                deleted: None,
            },
        }
    }
}

impl Actor {
    /// Users as the caller sees them, with presence as far as he may know, in the same order.
    pub(crate) async fn render_users(&self, users: Vec<User>) -> ChatResult<Vec<UserView>> {
        let presences = self.presence_of(&users).await?;
        let mut by_user: HashMap<UserId, PresenceView> = presences
            .into_iter()
            .map(|of| (of.user_id, of.presence))
            .collect();
        Ok(users
            .into_iter()
            .map(|user| UserView {
                presence: by_user.remove(&user.id),
                avatar_url: self.engine().avatar_url(&user),
                id: user.id,
                name: user.name,
                kind: user.kind,
                deleted: user.erased.map(|_| true),
                custom: user.custom,
            })
            .collect())
    }

    /// Users by id, in the order of the ids; unknown ones are left out.
    pub(crate) async fn render_user_ids(&self, ids: &[UserId]) -> ChatResult<Vec<UserView>> {
        let mut users = self.engine().users_by_id(ids).await?;
        self.render_users(ids.iter().filter_map(|id| users.remove(id)).collect())
            .await
    }

    /// Known users whom something can be done with, in any order: erased ones are not among them.
    pub(crate) async fn find_users(&self, ids: &[UserId]) -> ChatResult<Vec<User>> {
        let users = self.engine().users_by_id(ids).await?.into_values();
        Ok(users.filter(|user| user.erased.is_none()).collect())
    }
}
