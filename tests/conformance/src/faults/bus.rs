//! A bus that fails as planned, and one that loses what it carries and does not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::port::{Bus, BusSignal, Hint};

use super::Faults;

/// A bus in front of another one. Its call is `publish`; what it hears it passes on.
#[derive(Debug, Clone)]
pub struct FaultyBus {
    inner: Arc<dyn Bus>,
    faults: Faults,
    loses: Arc<AtomicBool>,
}

impl FaultyBus {
    /// A bus that works until something is planned.
    #[must_use]
    pub fn new(inner: Arc<dyn Bus>, faults: &Faults) -> Self {
        Self {
            inner,
            faults: faults.clone(),
            loses: Arc::default(),
        }
    }

    /// Whether hints are lost from now on, both ways: published ones are taken and never sent, and what others say is
    /// not heard, not even that there is a gap. A bus that keeps its contract does not do that; a node that dies between
    /// a commit and its hint looks just like it.
    pub fn lose(&self, loses: bool) {
        self.loses.store(loses, Ordering::SeqCst);
    }

    fn loses(&self) -> bool {
        self.loses.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Bus for FaultyBus {
    async fn publish(&self, hint: Hint) -> BackendResult<()> {
        if self.loses() {
            return Ok(());
        }
        self.faults.around("publish", self.inner.publish(hint)).await
    }

    async fn next(&self) -> BusSignal {
        loop {
            let signal = self.inner.next().await;
            if !self.loses() {
                return signal;
            }
        }
    }
}
