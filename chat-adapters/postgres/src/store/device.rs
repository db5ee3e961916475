use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Device;
use chat_core::store::DeviceStore;

use super::PostgresStore;
use crate::names::Named;
use crate::statement::{Cells, size, statement, users};

const REGISTER: &str = "INSERT INTO chat_devices (token, user_id, platform, provider, refreshed_at, login) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token) DO UPDATE SET user_id = excluded.user_id, \
    platform = excluded.platform, provider = excluded.provider, refreshed_at = excluded.refreshed_at, \
    login = excluded.login";
const TRIM: &str = "DELETE FROM chat_devices WHERE token IN (SELECT d.token FROM chat_devices d \
    WHERE d.user_id = $1 ORDER BY d.refreshed_at DESC, d.token OFFSET $2)";
const UNREGISTER: &str = "DELETE FROM chat_devices WHERE token = $1 AND user_id = $2";
const OF: &str = "SELECT d.token, d.user_id, d.platform, d.provider, d.refreshed_at, d.login FROM chat_devices d \
    WHERE d.user_id = ANY($1) ORDER BY d.refreshed_at DESC, d.token";

#[async_trait]
impl DeviceStore for PostgresStore {
    async fn register_device(&self, device: Device, cap: usize) -> BackendResult<()> {
        let registered = self.database().write(move |transaction| {
            let register = statement(REGISTER)
                .bind(device.token.as_str())
                .bind(device.user_id.as_str())
                .bind(device.platform.column())
                .bind(device.provider.column())
                .bind(device.refreshed_at.as_millis())
                .bind(device.login.clone());
            let trim = statement(TRIM).bind(device.user_id.as_str()).bind(size(cap));
            Box::pin(async move {
                transaction.run(register).await?;
                transaction.run(trim).await?;
                Ok(())
            })
        });
        registered
            .await
            .map_err(|error| error.into_backend("register_device"))
    }

    async fn unregister_device(&self, user: &UserId, token: &str) -> BackendResult<bool> {
        let (user, token) = (user.clone(), token.to_owned());
        let removed = self.database().write(move |transaction| {
            let query = statement(UNREGISTER).bind(token.as_str()).bind(user.as_str());
            Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
        });
        removed
            .await
            .map_err(|error| error.into_backend("unregister_device"))
    }

    async fn devices(&self, of: &[UserId]) -> BackendResult<Vec<Device>> {
        let device = |cells: &mut Cells<'_>| {
            Ok(Device {
                token: cells.text()?,
                user_id: cells.user()?,
                platform: cells.name()?,
                provider: cells.name()?,
                refreshed_at: cells.time()?,
                login: cells.opt_text()?,
            })
        };
        let found = self.database().list(statement(OF).bind(users(of)), device);
        found.await.map_err(|error| error.into_backend("devices"))
    }
}
