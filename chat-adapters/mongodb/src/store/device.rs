//! Devices are written past the slot: no decision looks at them, and each is one document.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Device;
use chat_core::store::DeviceStore;
use mongodb::bson::doc;

use super::{MongoStore, Named};
use crate::codec::user;
use crate::collection::Collection;
use crate::database::{Counters, Find};
use crate::error::Error;
use crate::row::{texts, time};

#[async_trait]
impl DeviceStore for MongoStore {
    async fn register_device(&self, device: Device, cap: usize) -> BackendResult<()> {
        self.register(&device, cap).await.named("register_device")
    }

    async fn unregister_device(&self, user: &UserId, token: &str) -> BackendResult<bool> {
        let devices = self.database().collection(Collection::Devices);
        Counters::count(&self.database().counters.writes);
        let gone = devices
            .delete_one(doc! { "_id": token, "user_id": user.as_str() })
            .await;
        let gone = gone.map_err(|error| Error::Driver(error).of_write());
        Ok(gone.named("unregister_device")?.deleted_count > 0)
    }

    async fn devices(&self, users: &[UserId]) -> BackendResult<Vec<Device>> {
        let find = Find::all(doc! { "user_id": { "$in": texts(users) } })
            .sorted(doc! { "refreshed_at": -1, "_id": 1 });
        let found = self
            .database()
            .list(Collection::Devices, find, user::device_from_document);
        found.await.named("devices")
    }
}

impl MongoStore {
    async fn register(&self, device: &Device, cap: usize) -> Result<(), Error> {
        let database = self.database();
        let devices = database.collection(Collection::Devices);
        Counters::count(&database.counters.writes);
        devices
            .replace_one(
                doc! { "_id": device.token.as_str() },
                user::device_to_document(device),
            )
            .upsert(true)
            .await
            .map_err(|error| Error::Driver(error).of_write())?;
        let his = Find::all(doc! { "user_id": device.user_id.as_str() })
            .sorted(doc! { "refreshed_at": -1, "_id": 1 });
        let his = database
            .list(Collection::Devices, his, user::device_from_document)
            .await?;
        for old in his.iter().skip(cap) {
            // Only as it was seen: it may have been registered anew meanwhile.
            let seen = doc! {
                "_id": old.token.as_str(),
                "user_id": old.user_id.as_str(),
                "refreshed_at": time(old.refreshed_at),
            };
            Counters::count(&database.counters.writes);
            devices
                .delete_one(seen)
                .await
                .map_err(|error| Error::Driver(error).of_write())?;
        }
        Ok(())
    }
}
