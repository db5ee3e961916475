use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Registers a device.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn register_device(&self, _device: RegisterDevice) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// Forgets a device.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn unregister_device(&self, _device: UnregisterDevice) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// His devices.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn devices(&self) -> ChatResult<Page<DeviceView>> {
        Err(ErrorCode::Internal.into())
    }
}
