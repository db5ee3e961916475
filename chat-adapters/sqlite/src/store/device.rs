use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Device;
use chat_core::store::DeviceStore;

use super::SqliteStore;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, size, statement, user_list};
use crate::transaction::Transaction;

const REGISTER: &str = "INSERT INTO chat_devices (token, user_id, platform, provider, refreshed_at, login) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (token) DO UPDATE SET user_id = excluded.user_id, \
    platform = excluded.platform, provider = excluded.provider, refreshed_at = excluded.refreshed_at, \
    login = excluded.login";
const TRIM: &str = "DELETE FROM chat_devices WHERE token IN (SELECT d.token FROM chat_devices d \
    WHERE d.user_id = ?1 ORDER BY d.refreshed_at DESC, d.token LIMIT -1 OFFSET ?2)";
const UNREGISTER: &str = "DELETE FROM chat_devices WHERE token = ?1 AND user_id = ?2";
const OF: &str = "SELECT d.token, d.user_id, d.platform, d.provider, d.refreshed_at, d.login FROM chat_devices d \
    WHERE d.user_id IN (SELECT value FROM json_each(?1)) ORDER BY d.refreshed_at DESC, d.token";

pub(super) async fn put_device(transaction: &mut Transaction, device: &Device) -> Result<(), Error> {
    let query = statement(REGISTER)
        .bind(device.token.as_str())
        .bind(device.user_id.as_str())
        .bind(device.platform.column())
        .bind(device.provider.column())
        .bind(device.refreshed_at.as_millis())
        .bind(device.login.clone());
    transaction.run(query).await?;
    Ok(())
}

pub(super) fn device(cells: &mut Cells<'_>) -> Result<Device, Error> {
    Ok(Device {
        token: cells.text()?,
        user_id: cells.user()?,
        platform: cells.name()?,
        provider: cells.name()?,
        refreshed_at: cells.time()?,
        login: cells.opt_text()?,
    })
}

#[async_trait]
impl DeviceStore for SqliteStore {
    async fn register_device(&self, device: Device, cap: usize) -> BackendResult<()> {
        self.writer()
            .write_step("register_device", move |transaction| {
                Box::pin(async move {
                    put_device(transaction, &device).await?;
                    let query = statement(TRIM).bind(device.user_id.as_str()).bind(size(cap));
                    transaction.run(query).await?;
                    Ok(())
                })
            })
            .await
    }

    async fn unregister_device(&self, user: &UserId, token: &str) -> BackendResult<bool> {
        let query = statement(UNREGISTER).bind(token).bind(user.as_str());
        self.writer()
            .write_step("unregister_device", move |transaction| {
                Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
            })
            .await
    }

    async fn devices(&self, users: &[UserId]) -> BackendResult<Vec<Device>> {
        let found = async {
            let query = statement(OF).bind(user_list(users)?);
            self.read().await?.list(query, device).await
        };
        found.await.map_err(|error| error.into_backend("devices"))
    }
}
