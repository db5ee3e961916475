use async_trait::async_trait;
use chat_core::access::{Visibility, visible};
use chat_core::error::BackendResult;
use chat_core::id::{MessageId, UserId};
use chat_core::model::Star;
use chat_core::store::{StarChange, StarOutcome, StarStore, StarredMessage, StarredQuery};
use mongodb::bson::doc;

use super::eyes::{Eyes, Looker};
use super::user::{next_user_rev, unchanged};
use super::{MongoStore, Named};
use crate::codec::{key, personal};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::plan::Plan;
use crate::row::{Row, int, uuid};
use crate::slot::Planned;

#[async_trait]
impl StarStore for MongoStore {
    async fn set_star(&self, star: &Star, on: bool, cap: usize) -> BackendResult<StarOutcome> {
        let star = star.clone();
        self.write("set_star", move |database, _| {
            let star = star.clone();
            Box::pin(async move { set(&database, star, on, cap).await })
        })
        .await
    }

    async fn starred_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let found = async {
            self.settled().await?;
            let keys: Vec<String> = ids.iter().map(|id| key::of_message(user, *id)).collect();
            let find = Find::all(doc! { "_id": { "$in": keys }, "active": true }).only(&["message_id"]);
            self.database()
                .list(Collection::Stars, find, |star| Row(star).message("message_id"))
                .await
        };
        found.await.named("starred_among")
    }

    async fn starred(&self, query: &StarredQuery) -> BackendResult<Vec<StarredMessage>> {
        self.starred_messages(query).await.named("starred")
    }

    async fn star_changes(
        &self,
        user: &UserId,
        since_user_rev: u64,
        limit: usize,
    ) -> BackendResult<Vec<StarChange>> {
        let found = async {
            self.settled().await?;
            let find =
                Find::all(doc! { "user_id": user.as_str(), "user_rev": { "$gt": int(since_user_rev) } })
                    .sorted(doc! { "user_rev": -1 })
                    .limited(limit);
            self.database()
                .list(Collection::Stars, find, personal::star_from_document)
                .await
        };
        found.await.named("star_changes")
    }
}

async fn set(database: &Database, star: Star, on: bool, cap: usize) -> Planned<StarOutcome> {
    let id = key::of_message(&star.user_id, star.message_id);
    let standing = doc! { "_id": id.as_str(), "active": true };
    if database.exists(Collection::Stars, standing).await? == on {
        return unchanged(StarOutcome::Unchanged);
    }
    if on {
        let standing = doc! { "user_id": star.user_id.as_str(), "active": true };
        let count = database
            .count(Collection::Stars, standing, Some(cap.max(1)))
            .await?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= cap {
            return unchanged(StarOutcome::Full);
        }
    }
    let mut plan = Plan::default();
    let Some(user_rev) = next_user_rev(database, &star.user_id, &mut plan).await? else {
        return unchanged(StarOutcome::Unchanged);
    };
    let row = StarChange {
        star,
        starred: on,
        user_rev,
    };
    plan.put(Collection::Stars, id, personal::star_to_document(&row));
    Ok((plan, StarOutcome::Changed(user_rev)))
}

impl MongoStore {
    /// From the newest star on; what is out of sight is passed over.
    async fn starred_messages(&self, query: &StarredQuery) -> Result<Vec<StarredMessage>, Error> {
        self.settled().await?;
        let looker = Looker {
            user: query.user.clone(),
            now: query.now,
            blocked_in_group: query.blocked_in_group,
        };
        let members = self.memberships_of(&query.user, query.conversation).await?;
        let groups = self.groups_among(members.keys().copied()).await?;
        let mut found: Vec<StarredMessage> = Vec::new();
        let mut below = query.after;
        while found.len() < query.limit {
            let mut filter = doc! { "user_id": query.user.as_str(), "active": true };
            if let Some(id) = query.conversation {
                filter.insert("conversation_id", uuid(id.as_uuid()));
            }
            if let Some(below) = below {
                filter.insert("user_rev", doc! { "$lt": int(below) });
            }
            let find = Find::all(filter)
                .sorted(doc! { "user_rev": -1 })
                .limited(query.limit);
            let stars = self
                .database()
                .list(Collection::Stars, find, personal::star_from_document)
                .await?;
            let ids: Vec<MessageId> = stars.iter().map(|row| row.star.message_id).collect();
            let messages = self.messages_with(&ids).await?;
            let eyes = Eyes::on(self.database(), &looker, &messages).await?;
            for star in &stars {
                let message = messages.iter().find(|m| m.id == star.star.message_id);
                let (Some(message), Some(member)) = (message, members.get(&star.star.conversation_id)) else {
                    continue;
                };
                let group = groups.get(&member.conversation_id).copied().unwrap_or(false);
                if visible(&eyes.sight(member, group, message), message) == Visibility::Visible {
                    found.push(StarredMessage {
                        message: message.clone(),
                        user_rev: star.user_rev,
                    });
                }
            }
            below = stars.last().map(|last| last.user_rev);
            if stars.len() < query.limit {
                break;
            }
        }
        found.truncate(query.limit);
        Ok(found)
    }
}
