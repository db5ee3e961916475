//! C2: everything in the store was asked for, and nothing of it was refused.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{Index, Op};
use super::report::Report;

const C: &str = "C2";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut edits: BTreeMap<&str, Vec<&Op<'_>>> = BTreeMap::new();
    for op in index.named("edit").filter(|op| op.may_have_happened()) {
        edits.entry(op.text("m")).or_default().push(op);
    }
    let deleted: BTreeSet<&str> = index
        .named("delete")
        .filter(|op| op.may_have_happened() && op.text("for") == "everyone")
        .map(|op| op.text("m"))
        .collect();
    for row in index.truth.by_id.values().filter(|row| !row.sys) {
        report.looked(C);
        let what = || format!("{} at {} of {}", row.key.as_deref().unwrap_or("?"), row.s, row.c);
        let key = row.key.as_deref().unwrap_or_default();
        let attempts: Vec<&Op<'_>> = index
            .sends
            .get(&(row.by.as_str(), key))
            .into_iter()
            .flat_map(|places| index.attempts(places))
            .filter(|op| op.may_have_happened() && op.text("c") == row.c)
            .collect();
        if attempts.is_empty() {
            report.add(
                C,
                0,
                format!("{} is in the store; nobody sent it, or it was refused", what()),
            );
            continue;
        }
        let edits = edits.get(row.id.as_str()).map_or(&[][..], Vec::as_slice);
        if row.ver > 1 + edits.len() as u64 {
            report.add(
                C,
                0,
                format!("{} has version {} after {} edits", what(), row.ver, edits.len()),
            );
        }
        let mut written = if row.ver == 1 {
            attempts.iter()
        } else {
            edits.iter()
        };
        if !row.del && !written.any(|op| op.body() == row.body.as_deref()) {
            report.add(
                C,
                0,
                format!("{} has the text {:?}, which nobody wrote", what(), row.body),
            );
        }
        if row.del && !deleted.contains(row.id.as_str()) {
            report.add(C, 0, format!("{} is deleted, and nobody asked for that", what()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn a_message_nobody_sent_is_found() {
        flagged("C2", |story| {
            story.store("bob", "b9");
        });
    }

    #[test]
    fn a_refused_message_that_is_stored_is_found() {
        flagged("C2", |story| {
            story.refuse(
                "bob",
                "send",
                serde_json::json!({ "c": "room", "key": "b9", "body": "~b9~" }),
                "forbidden",
            );
            story.store("bob", "b9");
        });
    }

    #[test]
    fn a_deletion_nobody_asked_for_is_found() {
        flagged("C2", |story| {
            let sent = story.send("ann", "a1");
            story.row("message", &sent.id)["del"] = true.into();
        });
    }
}
