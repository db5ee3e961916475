//! Sync positions from transaction ids.
//!
//! Every change has a number (`change_no`): the id of its transaction and its place in it. Ids are given when
//! transactions begin, so one with a lower id may commit after one with a higher id, and a reader at that moment has
//! seen the higher one only. A position therefore says two things: up to which number anything was seen at all, and
//! how far below it something may still be missing because its transaction was under way. What was seen is reported
//! again in that stretch; nothing is missed. Without transactions under way the stretch is empty.
//!
//! In 63 bits, so that a later position is a higher number: the newest number (44 bits of the transaction's id, 12 of
//! the place), whether the position lies between pages, and the length of the stretch as a power of two, turned round.

use std::sync::{Mutex, PoisonError};

use chat_core::store::SyncPosition;

/// Bits of a number for the change's place in its transaction.
pub(super) const PLACE_BITS: u32 = 12;
/// Bits below the number in a position: the kind, and the length of the stretch.
const LOW_BITS: u32 = 7;
const BETWEEN_PAGES: u64 = 0;
const AT_REST: u64 = 1;
const STRETCH_BITS: u32 = 6;
const LONGEST: u64 = (1 << STRETCH_BITS) - 1;

/// A position, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The newest number that was seen.
    pub(super) newest: u64,
    /// Every change below this number was seen. Between pages: a number above `newest` says that nothing is missing
    /// among the pages so far.
    pub(super) complete_below: u64,
    /// Whether it is the end of a page: the next one goes on after `newest`, and only the last one leads to a position
    /// from which the stretch is reported again.
    pub(super) between_pages: bool,
}

impl Position {
    /// What the next question has to look at: this number and higher ones.
    pub(super) fn look_from(self) -> u64 {
        if self.between_pages {
            self.newest + 1
        } else {
            self.complete_below
        }
    }

    /// The newest position of a snapshot: transactions below `oldest` have ended, `next` is not given yet.
    pub(super) fn of_snapshot(oldest: u64, next: u64) -> Self {
        Self {
            newest: (next << PLACE_BITS).saturating_sub(1),
            complete_below: oldest << PLACE_BITS,
            between_pages: false,
        }
    }

    pub(super) fn pack(self) -> SyncPosition {
        let lookback = if self.complete_below > self.newest {
            0
        } else {
            (self.newest >> PLACE_BITS) - (self.complete_below >> PLACE_BITS) + 1
        };
        let stretch = match lookback {
            0 => 0,
            ids => 1 + u64::from(ids.next_power_of_two().trailing_zeros()),
        };
        let kind = if self.between_pages {
            BETWEEN_PAGES
        } else {
            AT_REST
        };
        SyncPosition(
            self.newest << LOW_BITS | kind << STRETCH_BITS | LONGEST.saturating_sub(stretch.min(LONGEST)),
        )
    }

    pub(super) fn unpack(position: SyncPosition) -> Self {
        if position.0 == 0 {
            // The beginning of everything.
            return Self {
                newest: 0,
                complete_below: 1,
                between_pages: false,
            };
        }
        let newest = position.0 >> LOW_BITS;
        let complete_below = match LONGEST - (position.0 & LONGEST) {
            0 => newest + 1,
            stretch => {
                let ids = 1_u64.checked_shl(u32::try_from(stretch - 1).unwrap_or(u32::MAX));
                let first = ids.and_then(|ids| ((newest >> PLACE_BITS) + 1).checked_sub(ids));
                first.unwrap_or(0) << PLACE_BITS
            }
        };
        Self {
            newest,
            complete_below,
            between_pages: position.0 >> STRETCH_BITS & 1 == BETWEEN_PAGES,
        }
    }
}

/// The epoch clients are told: that of the data, and the time line of the server. A promoted standby may have lost the
/// last transactions and gives their ids again.
pub(super) fn epoch(of_data: u64, time_line: u64) -> u64 {
    // The first time line leaves it as it is; others scatter it.
    let mixed = of_data ^ time_line.saturating_sub(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed & (u64::MAX >> 1)
}

/// What this process said last. Below which number everything was seen can be looked up less exactly than a moment ago;
/// what was true then is true still, and a position must not be followed by one that looks older.
#[derive(Debug, Default)]
pub(super) struct Horizon(Mutex<Option<Position>>);

impl Horizon {
    /// A position that was just looked up, at least as complete as the last one up to the same number.
    pub(super) fn settle(&self, mut found: Position) -> Position {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some(last) if last.newest == found.newest => {
                found.complete_below = found.complete_below.max(last.complete_below);
            }
            // An answer that was overtaken by a later one.
            Some(last) if last.newest > found.newest => return found,
            _ => {}
        }
        *last = Some(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_snapshot_is_exact() {
        let position = Position::of_snapshot(800, 800);
        assert_eq!(Position::unpack(position.pack()), position);
        assert_eq!(position.look_from(), 800 << PLACE_BITS);
    }

    #[test]
    fn a_stretch_is_never_shorter_than_it_has_to_be() {
        for oldest in 1..=300 {
            let position = Position::of_snapshot(oldest, 300);
            let unpacked = Position::unpack(position.pack());
            assert_eq!(unpacked.newest, position.newest);
            assert!(unpacked.complete_below <= position.complete_below, "{oldest}");
            assert!(
                (300 - (unpacked.complete_below >> PLACE_BITS)) <= 2 * (300 - oldest),
                "{oldest}"
            );
        }
    }

    #[test]
    fn what_was_complete_stays_complete() {
        let horizon = Horizon::default();
        let whole = horizon.settle(Position::of_snapshot(9, 9));
        let vague = horizon.settle(Position::of_snapshot(7, 9));
        assert!(vague.pack() >= whole.pack());
        let later = Position::of_snapshot(8, 12);
        assert_eq!(horizon.settle(later), later);
        let overtaken = Position::of_snapshot(5, 9);
        assert_eq!(horizon.settle(overtaken), overtaken);
    }

    #[test]
    fn later_snapshots_are_higher() {
        let mut last = SyncPosition(0);
        for (oldest, next) in [
            (3, 3),
            (3, 4),
            (3, 9),
            (5, 9),
            (8, 9),
            (9, 9),
            (9, 400),
            (399, 400),
            (400, 400),
        ] {
            let position = Position::of_snapshot(oldest, next).pack();
            assert!(position > last, "{oldest} {next}");
            last = position;
        }
    }

    #[test]
    fn pages_go_on_after_the_last_one() {
        let page = Position {
            newest: 17 << PLACE_BITS | 5,
            complete_below: 12 << PLACE_BITS,
            between_pages: true,
        };
        let unpacked = Position::unpack(page.pack());
        assert_eq!(unpacked.look_from(), (17 << PLACE_BITS | 5) + 1);
        assert!(unpacked.complete_below <= page.complete_below);
        assert!(unpacked.between_pages);
    }

    #[test]
    fn the_largest_ids_fit() {
        let position = Position::of_snapshot(1, (1 << 44) - 1);
        assert!(i64::try_from(position.pack().0).is_ok());
        assert_eq!(Position::unpack(position.pack()).newest, position.newest);
        assert_eq!(Position::unpack(position.pack()).complete_below, 0);
    }

    #[test]
    fn another_time_line_is_another_epoch() {
        assert_eq!(epoch(77, 1), 77);
        assert_ne!(epoch(77, 2), 77);
        assert!(i64::try_from(epoch(u64::MAX, 3)).is_ok());
    }
}
