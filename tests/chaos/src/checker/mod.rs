//! Judges a history. Each check is a file of its own and knows only what was recorded.

mod acknowledged;
mod agreement;
mod blocks;
mod codes;
mod deleted;
mod delivery;
mod density;
mod expected;
mod fifo;
mod healing;
mod index;
mod invoked;
mod keys;
mod marks;
mod membership;
mod pages;
mod presence;
mod realtime;
mod registers;
mod report;
mod truth;
mod unread;
mod views;

#[cfg(test)]
mod fixture;

use std::time::Duration;

pub use report::{Measure, Report, Violation};

use crate::Failure;
use crate::history::Line;
use index::Index;

/// How long things may take. The promise's bound, and what is added because of the machine the run was made on: a
/// client that got no time to read has not been told later.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// What was committed reaches live connections.
    pub delivery: Duration,
    /// Live delivery ends after somebody is out.
    pub removal: Duration,
    /// Everything works again after the last fault.
    pub healing: Duration,
    /// Added to each of them.
    pub slack: Duration,
    /// Commands outside of faults of which nobody knows what became, in a thousand.
    pub unknown: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            delivery: Duration::from_secs(5),
            removal: Duration::from_secs(1),
            healing: Duration::from_secs(10),
            slack: Duration::from_secs(1),
            unknown: 50,
        }
    }
}

/// A span of time as histories count it.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Judges a history.
///
/// # Errors
/// It is no whole history: a row of the store cannot be read, or there are none.
pub fn check(lines: &[Line], bounds: &Bounds) -> Result<Report, Failure> {
    let index = Index::new(lines)?;
    let mut report = Report::new(&index);
    acknowledged::check(&index, &mut report);
    registers::check(&index, &mut report);
    invoked::check(&index, &mut report);
    keys::check(&index, &mut report);
    density::check(&index, &mut report);
    agreement::check(&index, &mut report);
    fifo::check(&index, &mut report);
    realtime::check(&index, &mut report);
    pages::check(&index, &mut report);
    delivery::check(&index, bounds, &mut report);
    views::check(&index, &mut report);
    membership::check(&index, bounds, &mut report);
    blocks::check(&index, &mut report);
    marks::check(&index, &mut report);
    unread::check(&index, &mut report);
    presence::check(&index, &mut report);
    healing::check(&index, bounds, &mut report);
    deleted::check(&index, &mut report);
    codes::check(&index, bounds, &mut report);
    Ok(report)
}
