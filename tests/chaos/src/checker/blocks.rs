//! C12: in a direct nothing that begins after a block was answered is sent.

use super::index::{End, Index};
use super::report::Report;

const C: &str = "C12";
/// A command whose answer never came may take effect this much later at most: it has left the machine by then.
const LATE: u64 = 30_000_000_000;

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    for block in index.named("block").filter(|op| op.is_ok()) {
        let (by, of) = (block.user, block.text("who"));
        let unblocks = || {
            index
                .named("unblock")
                .filter(move |op| op.user == by && op.text("who") == of && op.may_have_happened())
        };
        // One that runs at the same time, or of which nobody knows, may come last.
        let doubtful = |began: u64, over: u64| began < block.ended && over > block.invoked;
        if unblocks().any(|op| {
            doubtful(
                op.invoked,
                if op.end == End::Info {
                    op.invoked.saturating_add(LATE)
                } else {
                    op.ended
                },
            )
        }) {
            continue;
        }
        let until = unblocks()
            .map(|op| op.invoked)
            .filter(|t| *t > block.ended)
            .min()
            .unwrap_or(u64::MAX);
        let direct = index.truth.conversations.values().find(|row| {
            row.pair
                .as_ref()
                .is_some_and(|(low, high)| (low == by && high == of) || (low == of && high == by))
        });
        let Some(direct) = direct else { continue };
        report.looked(C);
        for ((sender, key), places) in &index.sends {
            let Some(first) = index.attempts(places).next() else {
                continue;
            };
            let here = first.text("c") == direct.c && (*sender == by || *sender == of);
            let after = first.invoked > block.ended && first.invoked < until;
            // Its answer may have come after the block was lifted; then it may be a later attempt that was stored.
            let sent = index.attempts(places).any(|op| op.is_ok() && op.ended < until);
            if here && after && sent {
                report.add(
                    C,
                    first.invoked,
                    format!("{key} of {sender} was sent after {by} had blocked {of}"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::{flagged, passes};

    #[test]
    fn a_send_after_a_block_is_found() {
        flagged("C12", |story| {
            story.direct("ann", "bob");
            story.op("ann", "block", json!({ "who": "bob" }));
            story.truth("block", json!({ "by": "ann", "of": "bob", "on": true }));
            story.send("bob", "b1");
        });
    }

    #[test]
    fn a_send_after_the_block_is_lifted_is_none() {
        passes(|story| {
            story.direct("ann", "bob");
            story.op("ann", "block", json!({ "who": "bob" }));
            story.op("ann", "unblock", json!({ "who": "bob" }));
            story.send("bob", "b1");
        });
    }
}
