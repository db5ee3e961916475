use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::{JsonObject, NewUser, User};
use crate::store::Store;

/// The host's own users. The engine asks it for users it has not met, so that a message can go to somebody who has
/// never signed in to the chat.
#[async_trait]
pub trait UserDirectory: Send + Sync + fmt::Debug {
    /// What the host knows of an unknown user; `None` when he does not exist.
    async fn find(&self, id: &UserId) -> BackendResult<Option<NewUser>>;

    /// Lets the host overrule names and pictures before users are shown. The default shows what the store has.
    async fn enrich(&self, users: &mut [User]) -> BackendResult<()> {
        let _ = users;
        Ok(())
    }
}

/// The default: the users the engine has met are all there are.
#[derive(Debug, Clone)]
pub struct StoreDirectory;

impl StoreDirectory {
    /// The default directory, as a port.
    #[must_use]
    pub fn shared() -> Arc<dyn UserDirectory> {
        Arc::new(Self)
    }
}

#[async_trait]
impl UserDirectory for StoreDirectory {
    async fn find(&self, _id: &UserId) -> BackendResult<Option<NewUser>> {
        Ok(None)
    }
}

/// Finds users in the store first and in the directory second, and keeps those it finds there.
pub(crate) async fn known_users(
    store: &dyn Store,
    directory: &dyn UserDirectory,
    ids: &[UserId],
    now: crate::time::Timestamp,
) -> BackendResult<Vec<User>> {
    let mut users = store.users(ids).await?;
    if users.len() < ids.len() {
        for id in ids {
            if users.iter().any(|user| user.id == *id) {
                continue;
            }
            if let Some(new) = directory.find(id).await? {
                users.push(store.ensure_user(new, now).await?.0);
            }
        }
    }
    directory.enrich(&mut users).await?;
    for user in users.iter_mut().filter(|user| user.erased.is_some()) {
        // Whatever the host still knows of him.
        user.name = User::ERASED_NAME.to_owned();
        user.avatar_url = None;
        user.custom = JsonObject::default();
    }
    Ok(users)
}
