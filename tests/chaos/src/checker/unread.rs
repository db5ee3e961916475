//! C14: unread counts, mentions and the badge are what a recount gives.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::expected::{Expected, expected};
use super::index::Index;
use super::report::Report;
use super::views::View;

const C: &str = "C14";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut wanted: BTreeMap<&str, Expected> = BTreeMap::new();
    for line in index.views.iter().filter(|line| line.op != "live") {
        let (Some(user), Ok(view)) = (line.u.as_deref(), View::deserialize(&line.v)) else {
            continue;
        };
        report.looked(C);
        let wanted = wanted.entry(user).or_insert_with(|| expected(&index.truth, user));
        for (id, room) in &wanted.rooms {
            let Some(shown) = view.conversations.get(id) else {
                continue;
            };
            let count = |name: &str| shown.my.get(name).and_then(Value::as_u64);
            let found = (count("unread_count"), count("mention_count"));
            if found != (Some(room.unread), Some(room.mentions)) {
                let text = format!(
                    "{} view of {user} on {}: {id} should have {} unread and {} mentions and has {found:?}",
                    line.op, line.p, room.unread, room.mentions
                );
                report.add(C, line.t, text);
            }
        }
        let count = |name: &str| view.badge.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
        let found = (
            count("unread_messages"),
            count("unread_conversations"),
            count("mentions"),
        );
        let should = wanted.badge();
        if found != should {
            let text = format!(
                "{} view of {user} on {}: the badge should be {should:?} and is {found:?}",
                line.op, line.p
            );
            report.add(C, line.t, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::flagged;

    #[test]
    fn a_wrong_count_is_found() {
        flagged("C14", |story| {
            story.send("ann", "a1");
            story.view("bob", "fresh", |view| {
                view["conversations"]["room"]["my"]["unread_count"] = json!(2);
            });
        });
    }

    #[test]
    fn a_wrong_badge_is_found() {
        flagged("C14", |story| {
            story.send("ann", "a1");
            story.view("bob", "fresh", |view| view["badge"]["unread_messages"] = json!(0));
        });
    }
}
