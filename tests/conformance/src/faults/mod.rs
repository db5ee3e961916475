//! Ports that fail where a test wants it to: before or after the effect, by an error, a panic, or by never answering.
//!
//! Make [`Faults`], wrap the store, the bus and the notifier an engine works with in it, let a scenario run once to learn
//! how many calls it makes, then run it again for every call and every [`Fault`], and look each time at what is in the
//! store and at what live sessions were told.
//!
//! ```
//! # use std::sync::Arc;
//! use chat_conformance::faults::{Fault, Faults, FaultyStore};
//! use chat_core::ChatEngine;
//! use chat_core::error::ErrorCode;
//! use chat_core::memory::MemoryStore;
//! use chat_core::port::Identity;
//! # use chat_core::id::UserId;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let faults = Faults::default();
//! let store = FaultyStore::new(Arc::new(MemoryStore::default()), &faults);
//! let engine = ChatEngine::builder(Arc::new(store)).build();
//! let ada = UserId::new("ada")?;
//!
//! faults.watch(&[]);
//! engine.admit(&Identity::new(ada.clone())).await?;
//! for call in 0..faults.seen() {
//!     faults.fail(&[], call, Fault::ErrorBefore);
//!     let refused = engine.admit(&Identity::new(UserId::new(format!("ben-{call}"))?)).await;
//!     assert_eq!(refused.unwrap_err().code(), ErrorCode::Unavailable);
//! }
//! # Ok(())
//! # }
//! ```

mod bus;
mod facets;
mod notifier;
mod plan;

use std::fmt;
use std::sync::Arc;

use chat_core::error::BackendResult;
use chat_core::store::Store;

pub use bus::FaultyBus;
pub use notifier::FaultyNotifier;
pub use plan::{Calls, Fault, Faults, PLANNED_PANIC};

/// A store in front of another one that fails as planned. Calls have the names of its methods, such as `commit`.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Faults,
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultyStore").field(&self.inner).finish()
    }
}

impl FaultyStore {
    /// A store that works until something is planned.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, faults: &Faults) -> Self {
        Self {
            inner,
            faults: faults.clone(),
        }
    }

    async fn around<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = BackendResult<T>> + Send,
    ) -> BackendResult<T> {
        self.faults.around(call, work).await
    }
}
