//! C1 and C2 of what is on or off: reactions, blocks, stars. The store has the last answered value, or that of a
//! command nobody can order behind it; and nothing is on that nobody put on.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{Index, Op};
use super::report::Report;

type Key = (String, String, String);

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let truth = &index.truth;
    let reactions: BTreeSet<Key> = truth
        .reactions
        .iter()
        .flat_map(|(m, all)| all.iter().map(move |(u, e)| (u.clone(), m.clone(), plain(e))))
        .collect();
    let pairs = |set: &BTreeSet<(String, String)>| -> BTreeSet<Key> {
        set.iter()
            .map(|(u, m)| (u.clone(), m.clone(), String::new()))
            .collect()
    };
    let key = |op: &Op<'_>, target: &str| {
        (
            op.user.to_owned(),
            op.text(target).to_owned(),
            plain(op.text("e")),
        )
    };
    for (on, off, target, rows) in [
        ("react", "unreact", "m", reactions),
        ("block", "unblock", "who", pairs(&truth.blocks)),
        ("star", "unstar", "m", pairs(&truth.stars)),
    ] {
        let mut registers: BTreeMap<Key, Vec<(&Op<'_>, bool)>> = BTreeMap::new();
        for op in index.ops.iter().filter(|op| op.may_have_happened()) {
            if op.name == on || op.name == off {
                registers
                    .entry(key(op, target))
                    .or_default()
                    .push((op, op.name == on));
            }
        }
        for row in &rows {
            if !registers
                .get(row)
                .is_some_and(|ops| ops.iter().any(|(_, value)| *value))
            {
                report.add(
                    "C2",
                    0,
                    format!("{on} {row:?} is in the store and nobody asked for it"),
                );
            }
        }
        for (key, ops) in &registers {
            report.looked("C1");
            // A deleted message has no reactions, whoever put them there.
            if truth.by_id.get(&key.1).is_some_and(|row| row.del) {
                continue;
            }
            let is_on = rows.contains(key);
            let superseded = |op: &Op<'_>| {
                let later = |(other, _): &(&Op<'_>, bool)| other.is_ok() && other.invoked > op.over();
                ops.iter().any(later)
            };
            let mut last = ops.iter().filter(|(op, _)| !superseded(op));
            let fits = last.clone().any(|(_, value)| *value == is_on);
            // Before the first answered one it was off.
            let untouched = !is_on && ops.iter().all(|(op, _)| !op.is_ok());
            if !fits && !untouched {
                let t = last.next().map_or(0, |(op, _)| op.ended);
                report.add(
                    "C1",
                    t,
                    format!("{on} {key:?} is {is_on} in the store, and the last answer says otherwise"),
                );
            }
        }
    }
}

/// Without what tells a coloured sign from a plain one: the server stores one form of them.
fn plain(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::{flagged, passes};

    #[test]
    fn a_lost_reaction_is_found() {
        flagged("C1", |story| {
            let sent = story.send("ann", "a1");
            story.op("bob", "react", serde_json::json!({ "m": sent.id, "e": "x" }));
        });
    }

    #[test]
    fn a_reaction_nobody_made_is_found() {
        flagged("C2", |story| {
            let sent = story.send("ann", "a1");
            story.truth(
                "reaction",
                serde_json::json!({ "m": sent.id, "u": "bob", "e": "x" }),
            );
        });
    }

    #[test]
    fn a_block_of_unknown_fate_may_stand_or_not() {
        passes(|story| {
            let id = story.invoke("ann", None, "block", serde_json::json!({ "who": "bob" }));
            story.fault("kill_server", "start");
            story.info("ann", "block", &id);
            story.fault("kill_server", "stop");
        });
    }
}
