//! A notifier that fails as planned.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::model::Device;
use chat_core::port::{Notifier, NotifyReport, Push};

use super::Faults;

/// A notifier in front of another one. Its call is `notify`.
#[derive(Debug, Clone)]
pub struct FaultyNotifier {
    inner: Arc<dyn Notifier>,
    faults: Faults,
}

impl FaultyNotifier {
    /// A notifier that works until something is planned.
    #[must_use]
    pub fn new(inner: Arc<dyn Notifier>, faults: &Faults) -> Self {
        Self {
            inner,
            faults: faults.clone(),
        }
    }
}

#[async_trait]
impl Notifier for FaultyNotifier {
    async fn notify(&self, devices: &[Device], push: &Push) -> BackendResult<NotifyReport> {
        self.faults
            .around("notify", self.inner.notify(devices, push))
            .await
    }
}
