//! C13: marks never go back, and read never passes delivered.

use std::collections::BTreeMap;

use super::index::Index;
use super::report::Report;

const C: &str = "C13";

/// When marks were asked for and answered, and what was answered: read, delivered.
type Answer = (u64, u64, u64, u64);

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    // By user and conversation, in order of invocation.
    let mut answers: BTreeMap<(&str, &str), Vec<Answer>> = BTreeMap::new();
    for op in &index.ops {
        if !op.is_ok() || !matches!(op.name, "read" | "delivered" | "unread") {
            continue;
        }
        let number = |name: &str| {
            op.number(&format!("/{name}"))
                .or_else(|| op.number(&format!("/marks/0/{name}")))
        };
        let (Some(read), Some(delivered)) = (number("read_seq"), number("delivered_seq")) else {
            continue;
        };
        report.looked(C);
        if read > delivered {
            report.add(
                C,
                op.ended,
                format!("{} has read {read} and got {delivered}", op.user),
            );
        }
        answers
            .entry((op.user, op.text("c")))
            .or_default()
            .push((op.invoked, op.ended, read, delivered));
    }
    for ((user, conversation), list) in &answers {
        let mut ends: Vec<(u64, u64, u64)> = list.iter().map(|(_, ended, r, d)| (*ended, *r, *d)).collect();
        ends.sort_unstable();
        let mut ends = ends.into_iter().peekable();
        let (mut read, mut delivered) = (0, 0);
        for (invoked, ended, r, d) in list {
            while let Some((_, before_r, before_d)) = ends.next_if(|(t, _, _)| t < invoked) {
                read = read.max(before_r);
                delivered = delivered.max(before_d);
            }
            if *r < read || *d < delivered {
                let text =
                    format!("marks of {user} in {conversation} were {read}/{delivered} and are {r}/{d}");
                report.add(C, *ended, text);
            }
        }
        let row = index.truth.member(conversation, user);
        let most = |pick: fn(&Answer) -> u64| list.iter().map(pick).max().unwrap_or(0);
        let lost = |row: &super::truth::Member| row.read < most(|m| m.2) || row.delivered < most(|m| m.3);
        if row.is_some_and(lost) {
            report.add(
                C,
                0,
                format!("marks of {user} in {conversation} were answered and are lower in the store"),
            );
        }
    }
    for members in index.truth.members.values() {
        for row in members.values() {
            let last = index.truth.conversations.get(&row.c).map_or(0, |c| c.last_seq);
            if row.read > row.delivered || row.delivered > last {
                report.add(
                    C,
                    0,
                    format!(
                        "{} of {} has read {}, got {}, of {last}",
                        row.u, row.c, row.read, row.delivered
                    ),
                );
            }
        }
    }
    for connection in index.connections.values() {
        let mut known: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for event in connection
            .events
            .iter()
            .filter(|event| event.name == "receipt_updated")
        {
            let (Some(c), Some(user)) = (event.text("conversation_id"), event.text("user_id")) else {
                continue;
            };
            report.looked(C);
            let read = event.number("read_seq").unwrap_or(0);
            let delivered = event.number("delivered_seq").unwrap_or(0);
            let before = known.insert((c, user), (read, delivered));
            if before.is_some_and(|(r, d)| r > read || d > delivered) {
                let text = format!(
                    "{} was told that marks of {user} in {c} went back from {before:?} to {read}/{delivered}",
                    connection.user
                );
                report.add(C, event.t, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::flagged;

    #[test]
    fn a_mark_that_goes_back_is_found() {
        flagged("C13", |story| {
            story.send("ann", "a1");
            story.send("ann", "a2");
            story.op_with(
                "bob",
                "read",
                json!({ "c": "room" }),
                json!({ "read_seq": 2, "delivered_seq": 2 }),
            );
            story.op_with(
                "bob",
                "read",
                json!({ "c": "room" }),
                json!({ "read_seq": 1, "delivered_seq": 2 }),
            );
        });
    }

    #[test]
    fn a_receipt_that_goes_back_is_found() {
        flagged("C13", |story| {
            let event = |read: u64| json!({ "conversation_id": "room", "user_id": "bob", "read_seq": read, "delivered_seq": 2, "rev": 10 + 2 - read });
            story.event("ann", 1, "receipt_updated", event(2));
            story.event("ann", 1, "receipt_updated", event(1));
        });
    }

    #[test]
    fn an_answered_mark_that_is_lost_is_found() {
        flagged("C13", |story| {
            story.send("ann", "a1");
            story.op_with(
                "bob",
                "read",
                json!({ "c": "room" }),
                json!({ "read_seq": 1, "delivered_seq": 1 }),
            );
            story.member("bob")["read"] = 0.into();
        });
    }
}
