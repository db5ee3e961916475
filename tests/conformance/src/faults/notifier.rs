//! A notifier that fails as planned.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::model::Device;
use chat_core::port::{Notified, Notifier, Push};

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
    async fn notify(&self, device: &Device, push: &Push) -> Notified {
        let call = async { Ok(self.inner.notify(device, push).await) };
        let answer = self.faults.around("notify", call).await;
        answer.unwrap_or_else(|error| Notified::Retry {
            reason: error.to_string(),
            after: None,
        })
    }
}
