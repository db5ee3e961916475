//! C17: after the last fault everything works again.

use super::index::{End, Index};
use super::report::Report;
use super::{Bounds, nanos};

const C: &str = "C17";

pub(super) fn check(index: &Index<'_>, bounds: &Bounds, report: &mut Report) {
    let Some(healed) = index.healed else { return };
    let limit = healed.saturating_add(nanos(bounds.healing));
    let mut last = None;
    for op in index
        .ops
        .iter()
        .filter(|op| op.invoked > healed && !op.flag("cut"))
    {
        let broken = match &op.end {
            End::Ok => false,
            End::Info => true,
            End::Fail(code) => {
                matches!(
                    code.as_str(),
                    "unavailable" | "overloaded" | "internal" | "storage_full"
                ) || code.starts_with("status_")
            }
        };
        if broken {
            last = Some(op.invoked - healed);
        }
        if op.invoked <= limit {
            continue;
        }
        report.looked(C);
        if broken {
            report.add(
                C,
                op.invoked,
                format!("{} of {} ended as {:?}", op.name, op.user, op.end),
            );
        }
    }
    let told = last.map_or_else(
        || "none".to_owned(),
        |t| format!("{:.1} s after it", t as f64 / 1e9),
    );
    report.measure("last failed command after the last fault", told);
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn a_command_that_fails_long_after_the_last_fault_is_found() {
        flagged("C17", |story| {
            story.fault("healed", "stop");
            story.wait(11_000);
            story.refuse("ann", "search", serde_json::json!({}), "unavailable");
        });
    }
}
