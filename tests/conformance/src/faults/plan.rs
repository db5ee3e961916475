//! Which call fails and how: one plan for all the wrappers that share it.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat_core::error::{BackendError, BackendErrorKind, BackendResult};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Notify;

/// What happens to one call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An error, and certainly no effect (`Unavailable`).
    ErrorBefore,
    /// The effect is kept and the answer lost (`OutcomeUnknown`).
    ErrorAfter,
    /// A panic without an effect.
    PanicBefore,
    /// The effect is kept, then a panic.
    PanicAfter,
    /// No effect and no answer, ever.
    Hang,
    /// The effect is kept and no answer comes, ever.
    HangAfter,
    /// The effect is kept, and the answer comes when it is [released](Faults::release): time to drop the caller.
    Pause,
}

impl Fault {
    /// Every kind of fault.
    pub const ALL: [Self; 7] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::PanicBefore,
        Self::PanicAfter,
        Self::Hang,
        Self::HangAfter,
        Self::Pause,
    ];

    /// Whether the effect of the call is kept.
    #[must_use]
    pub const fn keeps_effect(self) -> bool {
        matches!(
            self,
            Self::ErrorAfter | Self::PanicAfter | Self::HangAfter | Self::Pause
        )
    }
}

/// How the message of a planned panic begins.
pub const PLANNED_PANIC: &str = "a planned panic";

/// Which calls count: the names of methods, such as `commit`; none: every call.
pub type Calls = &'static [&'static str];

/// What is to fail. Clones are the same plan, and every wrapper made with one takes part in it, so that calls of a
/// store, a bus and a notifier can be counted through.
#[derive(Clone, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("seen", &self.seen())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    /// Told when a planned call was met.
    met: Notify,
    /// Lets a paused call go on.
    release: Notify,
}

#[derive(Default)]
struct Plan {
    calls: Calls,
    /// Calls of that kind since the plan was made.
    seen: usize,
    fault: Option<(usize, Fault)>,
    /// Every one of these calls fails so, until another plan is made.
    always: Option<Fault>,
    /// Whether the planned call was met.
    met: bool,
    /// How often calls give way to other tasks before and after their effect.
    turns: Turns,
    /// Done right before the first call of that name.
    interlude: Option<(&'static str, Interlude)>,
}

/// How often a call gives way.
#[derive(Debug, Clone, Copy, Default)]
enum Turns {
    #[default]
    None,
    One,
    /// From this state of a generator (SplitMix64).
    Drawn(u64),
}

impl Turns {
    fn next(&mut self) -> u64 {
        match self {
            Self::None => 0,
            Self::One => 1,
            Self::Drawn(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = *state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) & 7
            }
        }
    }
}

type Interlude = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

impl Faults {
    /// Counts these calls from now on, and lets none fail.
    pub fn watch(&self, calls: Calls) {
        let mut plan = self.plan();
        *plan = Plan {
            calls,
            ..Plan::default()
        };
    }

    /// Lets the call of that number fail, counted from 0 and from now on, among these calls.
    pub fn fail(&self, calls: Calls, number: usize, fault: Fault) {
        let mut plan = self.plan();
        *plan = Plan {
            calls,
            fault: Some((number, fault)),
            ..Plan::default()
        };
    }

    /// Lets each of these calls fail from now on.
    pub fn fail_all(&self, calls: Calls, fault: Fault) {
        let mut plan = self.plan();
        *plan = Plan {
            calls,
            always: Some(fault),
            ..Plan::default()
        };
    }

    /// Lets every call give way to other tasks before and after its effect, and none fail: points where its caller may be
    /// dropped, also where the port itself never waits.
    pub fn give_way(&self) {
        let mut plan = self.plan();
        *plan = Plan {
            turns: Turns::One,
            ..Plan::default()
        };
    }

    /// Lets every call give way before and after its effect, up to seven times, drawn from a seed, and none fail: tasks of
    /// a runtime with one thread then take their turns differently for every seed, and the same for the same one.
    pub fn take_turns(&self, seed: u64) {
        let mut plan = self.plan();
        *plan = Plan {
            turns: Turns::Drawn(seed),
            ..Plan::default()
        };
    }

    /// Does something right before the next call of that name: what another client may do at that moment.
    pub fn before<F>(&self, call: &'static str, interlude: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.plan().interlude = Some((call, Box::new(move || interlude().boxed())));
    }

    /// Lets a paused call go on.
    pub fn release(&self) {
        self.shared.release.notify_one();
    }

    /// How many of the watched calls there were.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.plan().seen
    }

    /// Whether the planned call was met.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.plan().met
    }

    /// Waits until the planned call was met.
    pub async fn failed(&self) {
        loop {
            let met = self.shared.met.notified();
            if self.has_failed() {
                return;
            }
            met.await;
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to happen to a call.
    fn next(&self, call: &'static str) -> (Option<Interlude>, Option<Fault>) {
        let mut plan = self.plan();
        let interlude = plan
            .interlude
            .take_if(|(wanted, _)| *wanted == call)
            .map(|(_, interlude)| interlude);
        if !plan.calls.is_empty() && !plan.calls.contains(&call) {
            return (interlude, None);
        }
        let number = plan.seen;
        plan.seen += 1;
        let fault = plan
            .fault
            .filter(|(wanted, _)| *wanted == number)
            .map(|(_, fault)| fault)
            .or(plan.always);
        (interlude, fault)
    }

    async fn give_turns(&self) {
        let turns = self.plan().turns.next();
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn around<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = BackendResult<T>> + Send,
    ) -> BackendResult<T> {
        let (interlude, fault) = self.next(call);
        if let Some(interlude) = interlude {
            interlude().await;
        }
        let Some(fault) = fault else {
            self.give_turns().await;
            let answer = work.await;
            self.give_turns().await;
            return answer;
        };
        let mut answer = None;
        if fault.keeps_effect() {
            answer = AssertUnwindSafe(work).catch_unwind().await.ok();
        }
        self.plan().met = true;
        self.shared.met.notify_waiters();
        match fault {
            Fault::Pause => {
                self.shared.release.notified().await;
                answer.unwrap_or_else(|| Err(BackendError::new(BackendErrorKind::Other, "faulty", call)))
            }
            Fault::ErrorBefore => Err(BackendError::new(BackendErrorKind::Unavailable, "faulty", call)),
            Fault::ErrorAfter => Err(BackendError::new(
                BackendErrorKind::OutcomeUnknown,
                "faulty",
                call,
            )),
            Fault::PanicBefore | Fault::PanicAfter => panic!("{PLANNED_PANIC} in {call}"),
            Fault::Hang | Fault::HangAfter => std::future::pending().await,
        }
    }
}
