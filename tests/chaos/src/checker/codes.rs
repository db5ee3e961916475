//! C19: refusals carry codes of the catalogue, and outside of faults clients know what became of their commands.

use super::index::{End, Index};
use super::report::Report;
use super::{Bounds, nanos};

const C: &str = "C19";

/// Those of docs/errors.md, without those that are a fault of the server (`internal`) or of this program.
const CATALOGUE: &str = "unauthenticated token_expired token_invalid forbidden not_permitted you_blocked not_found \
    user_not_found conversation_not_found message_not_found attachment_not_found conflict idempotency_conflict \
    version_conflict conversation_gone payload_too_large unsupported_media_type empty_message message_too_long \
    too_many_attachments cannot_message_self group_too_small member_limit_exceeded invalid_cursor query_required \
    window_closed invalid_transition invalid_operation owner_cannot_leave rate_limited slow_mode rejected_by_policy \
    reset_required unavailable overloaded outcome_unknown storage_full invalid_argument";

pub(super) fn check(index: &Index<'_>, bounds: &Bounds, report: &mut Report) {
    let (mut outside, mut unknown) = (0_u64, 0_u64);
    for op in &index.ops {
        report.looked(C);
        if let End::Fail(code) = &op.end
            && !CATALOGUE.split_ascii_whitespace().any(|known| known == code)
        {
            report.add(
                C,
                op.ended,
                format!("{} of {} was refused with {code}", op.name, op.user),
            );
        }
        let slack = nanos(bounds.slack);
        let in_fault = index
            .windows
            .iter()
            .any(|window| op.invoked <= window.to.saturating_add(slack) && op.ended >= window.from);
        if !in_fault && !op.flag("cut") {
            outside += 1;
            unknown += u64::from(op.end == End::Info);
        }
    }
    let share = unknown * 1000 / outside.max(1);
    report.measure(
        "unknown outside of faults",
        format!("{unknown} of {outside}, {}.{} %", share / 10, share % 10),
    );
    if share >= bounds.unknown {
        report.add(
            C,
            0,
            format!("of {unknown} commands of {outside} outside of faults nobody knows what became"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::{flagged, passes};

    #[test]
    fn a_code_nobody_knows_is_found() {
        flagged("C19", |story| story.refuse("ann", "search", json!({}), "oops"));
        flagged("C19", |story| {
            story.refuse("ann", "search", json!({}), "internal")
        });
    }

    #[test]
    fn unknown_outcomes_without_a_fault_are_found() {
        flagged("C19", |story| {
            let id = story.invoke("ann", None, "search", json!({}));
            story.info("ann", "search", &id);
        });
    }

    #[test]
    fn unknown_outcomes_of_a_fault_are_expected() {
        passes(|story| {
            let id = story.invoke("ann", None, "search", json!({}));
            story.fault("kill_server", "start");
            story.info("ann", "search", &id);
            story.fault("kill_server", "stop");
        });
    }
}
