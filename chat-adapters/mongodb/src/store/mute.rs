use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Muted;
use chat_core::store::{MuteChange, MuteStore, UserMute};
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::user::{next_user_rev, unchanged};
use super::{MongoStore, Named};
use crate::codec::key;
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::plan::Plan;
use crate::row::{Row, int, muted as until_field, opt, time};

#[async_trait]
impl MuteStore for MongoStore {
    async fn set_mute(
        &self,
        user: &UserId,
        muted: &UserId,
        until: Option<Muted>,
    ) -> BackendResult<Option<u64>> {
        let (user, muted) = (user.clone(), muted.clone());
        self.write("set_mute", move |database, _| {
            let (user, muted) = (user.clone(), muted.clone());
            Box::pin(async move {
                if present(&database, &user, &muted).await? == until {
                    return unchanged(None);
                }
                let mut plan = Plan::default();
                let Some(user_rev) = next_user_rev(&database, &user, &mut plan).await? else {
                    return unchanged(None);
                };
                let mut row = doc! {
                    "user_id": user.as_str(), "muted": muted.as_str(), "user_rev": int(user_rev),
                };
                opt(&mut row, "until", until.map(until_field));
                plan.put(Collection::Mutes, key::about(&user, &muted), row);
                Ok((plan, Some(user_rev)))
            })
        })
        .await
    }

    async fn muted_users(
        &self,
        user: &UserId,
        now: Timestamp,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserMute>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "user_id": user.as_str(), "until": { "$gt": time(now) } };
            if let Some(after) = after {
                filter.insert("muted", doc! { "$gt": after.as_str() });
            }
            let find = Find::all(filter).sorted(doc! { "muted": 1 }).limited(limit);
            let read = |mute: &Document| {
                let until = Row(mute).opt_muted("until")?;
                Ok(UserMute {
                    user: Row(mute).user("muted")?,
                    until: until.ok_or(Error::Decode("until"))?,
                })
            };
            self.database().list(Collection::Mutes, find, read).await
        };
        found.await.named("muted_users")
    }

    async fn mute_of(&self, user: &UserId, other: &UserId) -> BackendResult<Option<Muted>> {
        let found = async {
            self.settled().await?;
            present(self.database(), user, other).await
        };
        found.await.named("mute_of")
    }

    async fn mute_changes(&self, user: &UserId, since_user_rev: u64) -> BackendResult<Vec<MuteChange>> {
        let found = async {
            self.settled().await?;
            let filter = doc! { "user_id": user.as_str(), "user_rev": { "$gt": int(since_user_rev) } };
            let find = Find::all(filter).sorted(doc! { "user_rev": 1 });
            let read = |mute: &Document| {
                Ok(MuteChange {
                    user: Row(mute).user("muted")?,
                    until: Row(mute).opt_muted("until")?,
                })
            };
            self.database().list(Collection::Mutes, find, read).await
        };
        found.await.named("mute_changes")
    }
}

/// Until when one user mutes another, as it was set.
async fn present(database: &Database, user: &UserId, muted: &UserId) -> Result<Option<Muted>, Error> {
    let one = doc! { "_id": key::about(user, muted) };
    let found = database.find(Collection::Mutes, one, |mute| Row(mute).opt_muted("until"));
    Ok(found.await?.flatten())
}
