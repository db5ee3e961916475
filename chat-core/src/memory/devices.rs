use std::cmp::Reverse;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::Device;
use crate::store::DeviceStore;

#[async_trait]
impl DeviceStore for MemoryStore {
    async fn register_device(&self, device: Device, cap: usize) -> BackendResult<()> {
        let mut state = self.state();
        let owner = device.user_id.clone();
        state.devices.insert(device.token.clone(), device);
        for old in state
            .devices_of(std::slice::from_ref(&owner))
            .into_iter()
            .skip(cap)
        {
            state.devices.remove(&old.token);
        }
        Ok(())
    }

    async fn unregister_device(&self, user: &UserId, token: &str) -> BackendResult<bool> {
        let mut state = self.state();
        let his = state
            .devices
            .get(token)
            .is_some_and(|device| device.user_id == *user);
        if his {
            state.devices.remove(token);
        }
        Ok(his)
    }

    async fn devices(&self, users: &[UserId]) -> BackendResult<Vec<Device>> {
        Ok(self.state().devices_of(users))
    }
}

impl State {
    fn devices_of(&self, users: &[UserId]) -> Vec<Device> {
        let all = self.devices.values();
        let mut devices: Vec<Device> = all
            .filter(|device| users.contains(&device.user_id))
            .cloned()
            .collect();
        devices.sort_by(|a, b| (Reverse(a.refreshed_at), &a.token).cmp(&(Reverse(b.refreshed_at), &b.token)));
        devices
    }
}
