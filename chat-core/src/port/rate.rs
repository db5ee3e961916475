use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::config::{Limits, Rate};

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RateScope {
    /// Socket commands and writing requests of a user.
    Commands,
    /// Searches of a user.
    Searches,
    /// New conversations of a user.
    Creates,
    /// Logins of an account from an address.
    Logins,
    /// Logins of any account from an address.
    Addresses,
    /// Reports of a user.
    Reports,
}

/// Whether there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// Go on.
    Granted,
    /// Wait so long.
    Wait(Duration),
}

/// Counts what callers do.
#[async_trait]
pub trait RateLimiter: Send + Sync + fmt::Debug {
    /// Takes one from the caller's room.
    async fn take(&self, scope: RateScope, key: &str) -> Allowance;
}

/// Limits of one process (GCRA, by the `governor` crate).
pub struct LocalRateLimiter {
    limiters: HashMap<RateScope, DefaultKeyedRateLimiter<String>>,
    clock: DefaultClock,
    taken: AtomicU64,
}

/// So many questions lie between two sweeps.
const SWEEP_EVERY: u64 = 10_000;

impl LocalRateLimiter {
    /// Limiters at the configured rates.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let limiters = [
            (RateScope::Commands, limits.commands),
            (RateScope::Searches, limits.searches),
            (RateScope::Creates, limits.creates),
            (RateScope::Logins, limits.logins),
            (RateScope::Addresses, limits.logins_per_address),
            (RateScope::Reports, limits.reports),
        ]
        .into_iter()
        .map(|(scope, rate)| (scope, DefaultKeyedRateLimiter::keyed(quota(rate))))
        .collect();
        Self {
            limiters,
            clock: DefaultClock::default(),
            taken: AtomicU64::new(0),
        }
    }

    /// Forgets keys that have all their room again, from time to time, so that the tables stay as small as the
    /// number of busy users.
    fn sweep(&self) {
        if self.taken.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            for limiter in self.limiters.values() {
                limiter.retain_recent();
            }
        }
    }
}

fn quota(rate: Rate) -> Quota {
    let per_minute = NonZeroU32::new(rate.per_minute).unwrap_or(NonZeroU32::MIN);
    let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(per_minute).allow_burst(burst)
}

impl fmt::Debug for LocalRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRateLimiter").finish_non_exhaustive()
    }
}

#[async_trait]
impl RateLimiter for LocalRateLimiter {
    async fn take(&self, scope: RateScope, key: &str) -> Allowance {
        self.sweep();
        let Some(limiter) = self.limiters.get(&scope) else {
            return Allowance::Granted;
        };
        match limiter.check_key(&key.to_owned()) {
            Ok(()) => Allowance::Granted,
            Err(refused) => Allowance::Wait(refused.wait_time_from(self.clock.now())),
        }
    }
}
