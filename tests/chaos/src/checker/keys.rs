//! C3: a sender's client id is one message, whatever he repeats.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::report::Report;

const C: &str = "C3";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut rows: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in index.truth.messages.values().flatten() {
        if let Some(key) = &row.key {
            *rows.entry((&row.by, key)).or_default() += 1;
        }
    }
    for (key, count) in rows.iter().filter(|(_, count)| **count > 1) {
        report.add(C, 0, format!("{key:?} is {count} messages"));
    }
    for (key, places) in &index.sends {
        report.looked(C);
        let answered: Vec<_> = index.attempts(places).filter(|op| op.is_ok()).collect();
        let told: BTreeSet<(&str, u64)> = answered
            .iter()
            .filter_map(|op| op.seen.first())
            .map(|seen| (seen.id.as_str(), seen.s))
            .collect();
        let fresh = answered
            .iter()
            .filter(|op| op.answer("/replayed").and_then(serde_json::Value::as_bool) == Some(false))
            .count();
        if told.len() > 1 || fresh > 1 {
            let t = answered.last().map_or(0, |op| op.ended);
            report.add(
                C,
                t,
                format!("answers to {key:?} tell of {told:?}, {fresh} of them as new"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn a_message_stored_twice_is_found() {
        flagged("C3", |story| {
            story.send("ann", "a1");
            story.store("ann", "a1");
        });
    }

    #[test]
    fn answers_that_disagree_are_found() {
        flagged("C3", |story| {
            let sent = story.send("ann", "a1");
            let mut other = sent.clone();
            other.s += 1;
            story.answer_send("ann", "a1", &other, true);
        });
    }
}
