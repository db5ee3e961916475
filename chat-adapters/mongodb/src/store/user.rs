use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{AttachmentState, NewUser, User, UserPatch};
use chat_core::store::{UserSearch, UserStore};
use chat_core::time::Timestamp;
use mongodb::bson::doc;

use super::attachment::file;
use super::{MongoStore, Named};
use crate::codec::user;
use crate::collection::Collection;
use crate::database::{Counters, Database, Find};
use crate::error::{Error, is_duplicate};
use crate::names::Named as _;
use crate::plan::Plan;
use crate::row::{int, literal, texts, uuid};
use crate::slot::Planned;

#[async_trait]
impl UserStore for MongoStore {
    async fn ensure_user(&self, new: NewUser, now: Timestamp) -> BackendResult<(User, bool)> {
        self.ensure(new, now).await.named("ensure_user")
    }

    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>> {
        let id = id.clone();
        self.write("update_user", move |database, _| {
            let (id, patch) = (id.clone(), patch.clone());
            Box::pin(async move {
                let mut plan = Plan::default();
                let changed = change(&database, &id, patch, &mut plan).await?;
                Ok((plan, changed))
            })
        })
        .await
    }

    async fn users(&self, ids: &[UserId]) -> BackendResult<Vec<User>> {
        let found = async {
            self.settled().await?;
            let find = Find::all(doc! { "_id": { "$in": texts(ids) } });
            self.database()
                .list(Collection::Users, find, user::from_document)
                .await
        };
        found.await.named("users")
    }

    async fn search_users(&self, search: &UserSearch) -> BackendResult<Vec<User>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "$or": [
                { "folded_name": literal(&search.query) },
                { "email": search.exact.as_str() },
                { "phone": search.exact.as_str() },
            ] };
            if let Some(after) = &search.after {
                filter.insert("_id", doc! { "$gt": after.as_str() });
            }
            let find = Find::all(filter).sorted(doc! { "_id": 1 }).limited(search.limit);
            self.database()
                .list(Collection::Users, find, user::from_document)
                .await
        };
        found.await.named("search_users")
    }
}

impl MongoStore {
    /// A new user is one document that nothing else refers to yet, so he needs no commit.
    async fn ensure(&self, new: NewUser, now: Timestamp) -> Result<(User, bool), Error> {
        self.settled().await?;
        let one = doc! { "_id": new.id.as_str() };
        let database = self.database();
        if let Some(known) = database
            .find(Collection::Users, one.clone(), user::from_document)
            .await?
        {
            return Ok((known, false));
        }
        let made = new.into_user(now);
        let mut document = doc! { "_id": made.id.as_str(), "no": 0_i64 };
        document.extend(user::to_document(&made)?);
        Counters::count(&database.counters.writes);
        match database.collection(Collection::Users).insert_one(document).await {
            Ok(_) => Ok((made, true)),
            Err(error) if is_duplicate(&error) => {
                let known = database.find(Collection::Users, one, user::from_document).await?;
                known.map(|known| (known, false)).ok_or(Error::Decode("a user"))
            }
            Err(error) => Err(Error::Driver(error).of_write()),
        }
    }
}

/// Adds a patch of a user to a plan; `None` when he is unknown.
pub(super) async fn change(
    database: &Database,
    id: &UserId,
    patch: UserPatch,
    plan: &mut Plan,
) -> Result<Option<User>, Error> {
    let one = doc! { "_id": id.as_str() };
    let Some(mut known) = database.find(Collection::Users, one, user::from_document).await? else {
        return Ok(None);
    };
    if let Some(upload) = patch.claims(&known) {
        match file(database, upload).await? {
            Some(file) if file.state == AttachmentState::Pending => {
                let state = doc! { "state": AttachmentState::Avatar.column() };
                plan.set(Collection::Attachments, uuid(upload.as_uuid()), state);
            }
            _ => return Ok(Some(known)),
        }
    }
    if let Some(old) = patch.retires(&known)
        && file(database, old)
            .await?
            .is_some_and(|file| file.state == AttachmentState::Avatar)
    {
        let state = doc! { "state": AttachmentState::Deleted.column() };
        plan.set(Collection::Attachments, uuid(old.as_uuid()), state);
    }
    let is_private = patch.settings.is_some();
    patch.apply(&mut known);
    known.user_rev += u64::from(is_private);
    plan.put(Collection::Users, id.as_str(), user::to_document(&known)?);
    Ok(Some(known))
}

/// Moves a user's `user_rev` by one; `None`, and nothing planned, when he is unknown.
pub(super) async fn next_user_rev(
    database: &Database,
    id: &UserId,
    plan: &mut Plan,
) -> Result<Option<u64>, Error> {
    let one = doc! { "_id": id.as_str() };
    let known = database.find(Collection::Users, one, user::from_document).await?;
    Ok(known.map(|known| {
        let next = known.user_rev.saturating_add(1);
        plan.set(Collection::Users, id.as_str(), doc! { "user_rev": int(next) });
        next
    }))
}

/// A plan without steps, and its answer.
pub(super) fn unchanged<T>(answer: T) -> Planned<T> {
    Ok((Plan::default(), answer))
}
