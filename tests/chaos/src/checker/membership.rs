//! C11: nobody sees what his memberships do not cover; who is out gets nothing more and can do nothing more.

use std::collections::BTreeMap;

use super::index::{End, How, Index, Op};
use super::report::Report;
use super::{Bounds, nanos};

const C: &str = "C11";

pub(super) fn check(index: &Index<'_>, bounds: &Bounds, report: &mut Report) {
    let uncovered = |user: &str, conversation: &str, seq: u64| {
        !index
            .truth
            .member(conversation, user)
            .is_some_and(|member| member.covers(seq))
    };
    for sighting in &index.sightings {
        report.looked(C);
        let seen = &sighting.seen;
        if uncovered(sighting.user, &seen.c, seen.s) {
            report.add(
                C,
                sighting.t,
                format!(
                    "{} saw {} of {} without being a member then",
                    sighting.user, seen.s, seen.c
                ),
            );
        }
    }
    // Previews, quotes, and whatever else shows a text.
    let mut shown: Vec<(&str, u64, &str)> = Vec::new();
    for op in &index.ops {
        shown.extend(op.tokens().map(|mark| (op.user, op.ended, mark)));
    }
    for connection in index.connections.values() {
        for event in &connection.events {
            let marks = event.v.get("tok").and_then(serde_json::Value::as_array);
            let marks = marks.into_iter().flatten().filter_map(serde_json::Value::as_str);
            shown.extend(marks.map(|mark| (connection.user, event.t, mark)));
        }
    }
    for (user, t, mark) in shown {
        let row = index.marks.get(mark).and_then(|id| index.truth.by_id.get(id));
        if row.is_some_and(|row| uncovered(user, &row.c, row.s)) {
            report.add(
                C,
                t,
                format!("{user} was shown {mark} without being a member then"),
            );
        }
    }
    let mut seen_in: BTreeMap<(&str, &str), Vec<&super::index::Sighting<'_>>> = BTreeMap::new();
    for sighting in &index.sightings {
        seen_in
            .entry((sighting.user, sighting.seen.c.as_str()))
            .or_default()
            .push(sighting);
    }
    for (out, conversation, who) in outs(index) {
        let Some(until) = out_until(index, out, conversation, who) else {
            continue;
        };
        report.looked("C11 removals");
        let late = out
            .ended
            .saturating_add(nanos(bounds.removal))
            .saturating_add(nanos(bounds.slack));
        for sighting in seen_in.get(&(who, conversation)).into_iter().flatten() {
            let live = sighting.how == How::Event && sighting.t > late && sighting.t < until;
            let asked = sighting.how == How::Read && sighting.asked > out.ended && sighting.t < until;
            if live || asked {
                let text = format!(
                    "{who} saw {} of {conversation} after he was out since {:.3} s",
                    sighting.seen.s,
                    out.ended as f64 / 1e9
                );
                report.add(C, sighting.t, text);
            }
        }
        let commands = index
            .ops
            .iter()
            .filter(|op| op.user == who && op.is_ok() && op.text("c") == conversation);
        for op in commands.filter(|op| op.invoked > out.ended && op.ended < until && op.name != "add") {
            report.add(
                C,
                op.ended,
                format!("{who} did {} in {conversation} after he was out", op.name),
            );
        }
    }
}

/// Who was removed or left, by which command.
fn outs<'i>(index: &'i Index<'_>) -> impl Iterator<Item = (&'i Op<'i>, &'i str, &'i str)> {
    index
        .ops
        .iter()
        .filter(|op| op.is_ok())
        .filter_map(|op| match op.name {
            "remove" => Some((op, op.text("c"), op.text("who"))),
            "leave" => Some((op, op.text("c"), op.user)),
            _ => None,
        })
}

/// Until when somebody is certainly out; `None` where a command that may have added him cannot be ordered.
fn out_until(index: &Index<'_>, out: &Op<'_>, conversation: &str, who: &str) -> Option<u64> {
    let mut until = u64::MAX;
    for add in index
        .named("add")
        .filter(|op| op.text("c") == conversation && op.text("who") == who)
    {
        if !add.may_have_happened() {
            continue;
        }
        if add.invoked > out.ended {
            until = until.min(add.invoked);
        } else if add.over() > out.invoked
            && !(add.end == End::Info && add.ended < out.invoked.saturating_sub(30_000_000_000))
        {
            return None;
        }
    }
    Some(until)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::flagged;

    #[test]
    fn a_stranger_who_sees_something_is_found() {
        flagged("C11", |story| {
            let sent = story.send("ann", "a1");
            story.read("eve", &[sent]);
        });
    }

    #[test]
    fn a_quote_shown_to_a_stranger_is_found() {
        flagged("C11", |story| {
            story.send("ann", "a1");
            story.op_with("eve", "sync", json!({}), json!({ "tok": ["~a1~"] }));
        });
    }

    #[test]
    fn events_long_after_a_removal_are_found() {
        flagged("C11", |story| {
            let sent = story.send("ann", "a1");
            story.op("ann", "remove", json!({ "c": "room", "who": "bob" }));
            story.out("bob", 1);
            story.wait(5_000);
            story.event(
                "bob",
                2,
                "message_updated",
                json!({ "conversation_id": "room", "rev": 50, "seen": [sent] }),
            );
        });
    }

    #[test]
    fn a_command_after_a_removal_is_found() {
        flagged("C11", |story| {
            story.send("ann", "a1");
            story.op("ann", "remove", json!({ "c": "room", "who": "bob" }));
            story.out("bob", 1);
            story.op("bob", "clear", json!({ "c": "room" }));
        });
    }
}
