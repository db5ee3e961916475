use serde::{Deserialize, Serialize};

use crate::command::{CommandName, PageRequest, RegisterDevice, UnregisterDevice};
use crate::engine::{Actor, ChatEngine};
use crate::error::{ChatError, ChatResult};
use crate::id::UserId;
use crate::model::Device;
use crate::time::Timestamp;
use crate::view::{DeviceView, Page};

/// How far a list of devices was shown. Cursors can be read, so they hold no device tokens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Shown {
    /// When the last one was refreshed.
    at: Timestamp,
    /// How many of that time were shown.
    of_them: usize,
}

impl ChatEngine {
    /// Removes the devices that a login of a user has registered, for hosts: when it ends, nobody who picks the device
    /// up next is to read his alerts.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn remove_devices_of_login(&self, user: &UserId, login: &str) -> ChatResult<()> {
        let store = &self.inner().store;
        for device in store.devices(std::slice::from_ref(user)).await? {
            if device.login.as_deref() == Some(login) {
                store.unregister_device(user, &device.token).await?;
            }
        }
        Ok(())
    }
}

impl Actor {
    /// Registers a device for pushes, or refreshes it. A device that another user registered before is the caller's
    /// from now on. Beyond 25 devices the least recently refreshed ones go.
    ///
    /// # Errors
    /// `invalid_argument` (`token`): empty, over 4,096 bytes, or with U+0000.
    pub async fn register_device(&self, device: RegisterDevice) -> ChatResult<()> {
        let about = self.about(CommandName::RegisterDevice);
        self.command(about, self.register_device_past_hooks(device)).await
    }

    async fn register_device_past_hooks(&self, device: RegisterDevice) -> ChatResult<()> {
        self.check_token(&device.token)?;
        let device = Device {
            token: device.token,
            user_id: self.user_id().clone(),
            platform: device.platform,
            provider: device.provider,
            refreshed_at: self.engine().now(),
            login: self.login().map(str::to_owned),
        };
        let cap = self.engine().config().limits.devices;
        Ok(self.inner().store.register_device(device, cap).await?)
    }

    /// Forgets a device of the caller; one that is not there is fine.
    ///
    /// # Errors
    /// `invalid_argument` (`token`): empty, over 4,096 bytes, or with U+0000.
    pub async fn unregister_device(&self, device: UnregisterDevice) -> ChatResult<()> {
        let about = self.about(CommandName::UnregisterDevice);
        self.command(about, self.unregister_device_past_hooks(device))
            .await
    }

    async fn unregister_device_past_hooks(&self, device: UnregisterDevice) -> ChatResult<()> {
        self.check_token(&device.token)?;
        self.inner()
            .store
            .unregister_device(self.user_id(), &device.token)
            .await?;
        Ok(())
    }

    /// The caller's devices, the most recently refreshed first.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`; `unavailable`.
    pub async fn devices(&self, page: PageRequest) -> ChatResult<Page<DeviceView>> {
        let limit = self.limit(page.limit)?;
        let after = self.cursor::<Shown>("devices", &page)?;
        let mut devices = self
            .inner()
            .store
            .devices(std::slice::from_ref(self.user_id()))
            .await?;
        devices.sort_by(|a, b| (b.refreshed_at, &a.token).cmp(&(a.refreshed_at, &b.token)));
        if let Some(Shown { at, of_them }) = after {
            let newer = devices.iter().filter(|device| device.refreshed_at > at).count();
            devices.drain(..devices.len().min(newer + of_them));
        }
        let more = devices.len() > limit;
        devices.truncate(limit);
        let shown = devices.last().map(|last| Shown {
            at: last.refreshed_at,
            of_them: (devices.iter())
                .filter(|device| device.refreshed_at == last.refreshed_at)
                .count()
                + (after.filter(|after| after.at == last.refreshed_at)).map_or(0, |after| after.of_them),
        });
        let next_cursor = self.next_cursor("devices", more, shown.as_ref());
        let items = devices
            .into_iter()
            .map(|device| DeviceView {
                token: device.token,
                platform: device.platform,
                provider: device.provider,
                refreshed_at: device.refreshed_at,
            })
            .collect();
        Ok(Page { items, next_cursor })
    }

    fn check_token(&self, token: &str) -> ChatResult<()> {
        let max = self.engine().config().limits.device_token_bytes;
        if token.is_empty() || token.len() > max || token.contains('\0') {
            return Err(ChatError::invalid("token", format!("1 to {max} bytes")));
        }
        Ok(())
    }
}
