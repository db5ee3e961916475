//! C15: at the end a user with a live connection is online to whoever may know.

use serde_json::Value;

use super::index::Index;
use super::report::Report;

const C: &str = "C15";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    for line in index.views.iter().filter(|line| line.op == "presence") {
        let Some(viewer) = line.u.as_deref() else { continue };
        let list = line.v.get("items").and_then(Value::as_array);
        for entry in list.into_iter().flatten() {
            let user = entry.get("user_id").and_then(Value::as_str).unwrap_or_default();
            let there = index
                .connections
                .values()
                .any(|one| one.user == user && one.ready < line.t && one.closed > line.t);
            if !there || index.truth.block_between(viewer, user) {
                continue;
            }
            report.looked(C);
            let status = entry.get("status").and_then(Value::as_str);
            if status != Some("online") {
                report.add(
                    C,
                    line.t,
                    format!("{user} is connected and {viewer} is told {status:?}"),
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
    fn a_connected_user_who_is_told_to_be_away_is_found() {
        flagged("C15", |story| {
            story.event("bob", 1, "ready", json!({}));
            story.look(
                "ann",
                "presence",
                json!({ "items": [{ "user_id": "bob", "status": "offline" }] }),
            );
        });
    }
}
