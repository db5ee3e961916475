use crate::command::{CommandName, RegisterDevice, UnregisterDevice};
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult};
use crate::model::Device;
use crate::view::{DeviceView, Page};

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
    /// `unavailable`.
    pub async fn devices(&self) -> ChatResult<Page<DeviceView>> {
        let devices = self
            .inner()
            .store
            .devices(std::slice::from_ref(self.user_id()))
            .await?;
        let items = devices
            .into_iter()
            .map(|device| DeviceView {
                token: device.token,
                platform: device.platform,
                provider: device.provider,
                refreshed_at: device.refreshed_at,
            })
            .collect();
        // At most `limits.devices` of them, so there is never a second page.
        Ok(Page {
            items,
            next_cursor: None,
        })
    }

    fn check_token(&self, token: &str) -> ChatResult<()> {
        let max = self.engine().config().limits.device_token_bytes;
        if token.is_empty() || token.len() > max || token.contains('\0') {
            return Err(ChatError::invalid("token", format!("1 to {max} bytes")));
        }
        Ok(())
    }
}
