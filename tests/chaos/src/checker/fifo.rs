//! C6: messages of one connection keep the order they were sent in.

use std::collections::HashMap;

use super::index::Index;
use super::report::Report;

const C: &str = "C6";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut last: HashMap<(u64, &str), (u64, &str)> = HashMap::new();
    for op in index.named("send").filter(|op| op.is_ok()) {
        let (Some(conn), Some(seen)) = (op.conn, op.seen.first()) else {
            continue;
        };
        // A repeated one has the place of its first time.
        if op.answer("/replayed").and_then(serde_json::Value::as_bool) != Some(false) {
            continue;
        }
        report.looked(C);
        let before = last.insert((conn, op.text("c")), (seen.s, op.text("key")));
        if let Some((seq, key)) = before
            && seq >= seen.s
        {
            let text = format!(
                "{key} was sent before {} on one connection and has {seq}, not below {}",
                op.text("key"),
                seen.s
            );
            report.add(C, op.ended, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn messages_that_overtake_each_other_are_found() {
        flagged("C6", |story| {
            let first = story.invoke_send("ann", Some(1), "a1");
            let second = story.invoke_send("ann", Some(1), "a2");
            let ahead = story.store("ann", "a2");
            let behind = story.store("ann", "a1");
            story.end_send("ann", Some(1), &second, &ahead, false);
            story.end_send("ann", Some(1), &first, &behind, false);
        });
    }
}
