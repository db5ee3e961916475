//! When a send is decided, and what that changes.

use crate::model::AttachmentState;
use crate::time::Timestamp;

/// When a send is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Its sender asks for it now.
    Now,
    /// He has scheduled it, and its time has come.
    Due,
    /// He schedules it for this time, and nothing is written yet.
    Ahead(Timestamp),
}

impl Occasion {
    /// The time by which dates inside the message are judged.
    pub(super) fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ahead(send_at) => send_at,
            Self::Now | Self::Due => now,
        }
    }

    /// The state its files are in: those of a scheduled message wait with it.
    pub(super) fn files(self) -> AttachmentState {
        match self {
            Self::Due => AttachmentState::Reserved,
            Self::Now | Self::Ahead(_) => AttachmentState::Pending,
        }
    }
}
