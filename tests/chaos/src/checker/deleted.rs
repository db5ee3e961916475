//! C18: nothing that was asked for after a message was deleted for everyone shows its text: no history, no preview, no
//! quote, no search, no repetition of the send.

use std::collections::HashMap;

use super::index::Index;
use super::report::Report;

const C: &str = "C18";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut deleted: HashMap<&str, u64> = HashMap::new();
    for op in index.named("delete") {
        if op.is_ok() && op.text("for") == "everyone" {
            let t = deleted.entry(op.text("m")).or_insert(u64::MAX);
            *t = (*t).min(op.ended);
        }
    }
    for op in index.ops.iter().filter(|op| op.is_ok()) {
        for mark in op.tokens() {
            report.looked(C);
            let since = index.marks.get(mark).and_then(|id| deleted.get(id.as_str()));
            if since.is_some_and(|since| *since < op.invoked) {
                report.add(
                    C,
                    op.ended,
                    format!("{} got {mark} by {} after it was deleted", op.user, op.name),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::flagged;

    #[test]
    fn a_deleted_text_in_a_preview_is_found() {
        flagged("C18", |story| {
            let sent = story.send("ann", "a1");
            story.delete("ann", &sent);
            story.op_with("bob", "sync", json!({}), json!({ "tok": ["~a1~"] }));
        });
    }

    #[test]
    fn a_deleted_text_in_history_is_found() {
        flagged("C18", |story| {
            let sent = story.send("ann", "a1");
            story.delete("ann", &sent);
            story.read("bob", &[sent]);
        });
    }
}
