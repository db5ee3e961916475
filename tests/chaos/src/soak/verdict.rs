//! What a row of measurements comes to: too much, growing without an end, or neither.

use std::fmt;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;
/// What follows the warm-up is looked at in so many parts.
const PARTS: usize = 5;

/// What a server used at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Since the beginning.
    pub at: Duration,
    /// Resident memory, in bytes.
    pub memory: u64,
    /// Open files and sockets.
    pub files: u64,
}

/// What it may use.
#[derive(Debug, Clone, Copy)]
pub struct Ceilings {
    /// Resident memory, in bytes.
    pub memory: u64,
    /// How much more it may have at the end than after the warm-up, in bytes, if it grows all the time.
    pub growth: u64,
    /// How many files more than at the beginning it may keep open when everybody has left.
    pub files: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// More memory than the ceiling, in bytes.
    TooMuch(u64),
    /// Memory that grew in every part of the run: after the warm-up and at the end, in bytes.
    Grows(u64, u64),
    /// Files that stay open: at the beginning, and when everybody had left.
    Leaks(u64, u64),
    /// Too few measurements to say anything.
    TooShort(usize),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch(memory) => write!(f, "{} MiB of memory are above the ceiling", memory / MIB),
            Self::Grows(from, to) => write!(
                f,
                "memory grows all the time: {} KiB after the warm-up, {} KiB at the end",
                from / 1024,
                to / 1024
            ),
            Self::Leaks(from, to) => write!(f, "{to} files are open when everybody has left, {from} before"),
            Self::TooShort(samples) => write!(f, "{samples} measurements say nothing"),
        }
    }
}

/// Judges what was measured while clients were there. The first half is the warm-up: caches fill up to their bounds.
#[must_use]
pub fn judge(samples: &[Sample], ceilings: &Ceilings) -> Vec<Finding> {
    let mut found = Vec::new();
    let highest = samples.iter().map(|sample| sample.memory).max().unwrap_or(0);
    if highest > ceilings.memory {
        found.push(Finding::TooMuch(highest));
    }
    let warm = samples.get(samples.len() / 2..).unwrap_or_default();
    if warm.len() < PARTS * 2 {
        found.push(Finding::TooShort(samples.len()));
        return found;
    }
    // What is left over belongs to the warm-up.
    let length = warm.len() / PARTS;
    let parts = warm.get(warm.len() % PARTS..).unwrap_or_default();
    let medians: Vec<u64> = parts.chunks(length).map(median).collect();
    let rises = medians.is_sorted_by(|earlier, later| earlier < later);
    if let (Some(first), Some(last)) = (medians.first(), medians.last())
        && rises
        && last - first > ceilings.growth
    {
        found.push(Finding::Grows(*first, *last));
    }
    found
}

/// Judges the files that are open before anybody came and after everybody has left.
#[must_use]
pub fn judge_rest(before: &Sample, after: &Sample, ceilings: &Ceilings) -> Option<Finding> {
    (after.files > before.files + ceilings.files).then_some(Finding::Leaks(before.files, after.files))
}

fn median(part: &[Sample]) -> u64 {
    let mut memory: Vec<u64> = part.iter().map(|sample| sample.memory).collect();
    memory.sort_unstable();
    memory.get(memory.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILINGS: Ceilings = Ceilings {
        memory: 200 * MIB,
        growth: 4 * MIB,
        files: 10,
    };

    fn of(memory: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |second| Sample {
            at: Duration::from_secs(second),
            memory: memory(second) * 1024,
            files: 20,
        };
        (0..300).map(sample).collect()
    }

    #[test]
    fn a_server_that_warms_up_and_stays_there_is_fine() {
        let warming = of(|second| 20_000 + 500 * second.min(100));
        assert_eq!(judge(&warming, &CEILINGS), []);
        let breathing = of(|second| 60_000 + 2_000 * (second % 20));
        assert_eq!(judge(&breathing, &CEILINGS), []);
        let creeping = of(|second| 60_000 + second);
        assert_eq!(judge(&creeping, &CEILINGS), [], "less than what is allowed");
        let stepping = of(|second| if second < 200 { 60_000 } else { 80_000 });
        assert_eq!(judge(&stepping, &CEILINGS), [], "once is not all the time");
    }

    #[test]
    fn a_server_that_grows_all_the_time_is_found() {
        let leaking = of(|second| 60_000 + 100 * second);
        assert!(matches!(judge(&leaking, &CEILINGS)[..], [Finding::Grows(..)]));
        let leaking_and_breathing = of(|second| 60_000 + 100 * second + 3_000 * (second % 7));
        assert!(matches!(
            judge(&leaking_and_breathing, &CEILINGS)[..],
            [Finding::Grows(..)]
        ));
    }

    #[test]
    fn a_server_above_the_ceiling_is_found_even_for_a_moment() {
        let once = of(|second| if second == 7 { 300_000 } else { 60_000 });
        assert_eq!(judge(&once, &CEILINGS), [Finding::TooMuch(300_000 * 1024)]);
    }

    #[test]
    fn a_run_too_short_to_say_anything_is_no_success() {
        assert_eq!(judge(&of(|_| 1)[..10], &CEILINGS), [Finding::TooShort(10)]);
    }

    #[test]
    fn files_that_stay_open_are_found() {
        let with = |files| Sample {
            at: Duration::ZERO,
            memory: 1,
            files,
        };
        assert_eq!(judge_rest(&with(20), &with(30), &CEILINGS), None);
        assert_eq!(
            judge_rest(&with(20), &with(31), &CEILINGS),
            Some(Finding::Leaks(20, 31))
        );
    }
}
