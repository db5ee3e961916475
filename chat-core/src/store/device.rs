use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::Device;

/// Where pushes go.
#[async_trait]
pub trait DeviceStore: Send + Sync + fmt::Debug {
    /// Registers a device, or moves it to its new owner; then drops the owner's least recently refreshed devices
    /// beyond `cap`. A token has one owner at any time.
    async fn register_device(&self, device: Device, cap: usize) -> BackendResult<()>;

    /// Removes a device of this user; returns whether it was there.
    async fn unregister_device(&self, user: &UserId, token: &str) -> BackendResult<bool>;

    /// Devices of these users, the most recently refreshed first, then by token.
    async fn devices(&self, users: &[UserId]) -> BackendResult<Vec<Device>>;
}
