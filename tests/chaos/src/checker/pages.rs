//! C8: a page of history is closed: it holds everything that was answered before it was asked for, and what is not in
//! it never comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::index::{How, Index};
use super::report::Report;

const C: &str = "C8";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    // When a send of each message was first answered, and when it was first asked for.
    let mut answered: HashMap<&str, u64> = HashMap::new();
    for op in index.named("send").filter(|op| op.is_ok()) {
        if let Some(seen) = op.seen.first() {
            let t = answered.entry(&seen.id).or_insert(u64::MAX);
            *t = (*t).min(op.ended);
        }
    }
    // By user and conversation: since when a seq is known to be absent.
    let mut absent: BTreeMap<(&str, &str), HashMap<u64, u64>> = BTreeMap::new();
    for op in index.named("history").filter(|op| op.is_ok()) {
        report.looked(C);
        let (Some(from), Some(to)) = (op.number("/range/from"), op.number("/range/to")) else {
            report.add(C, op.ended, "a page without a range");
            continue;
        };
        let rows: BTreeSet<u64> = op.seen.iter().map(|seen| seen.s).collect();
        let conversation = op.text("c");
        let missing = absent.entry((op.user, conversation)).or_default();
        for seq in (from..=to).filter(|seq| !rows.contains(seq)) {
            missing.entry(seq).or_insert(op.ended);
        }
        let Some(member) = index.truth.member(conversation, op.user) else {
            continue;
        };
        for row in index.truth.messages_of(conversation) {
            let sees = member.covers(row.s)
                && row.s >= member.from
                && !index.truth.hides.contains(&(op.user.to_owned(), row.id.clone()));
            let was_there = answered.get(row.id.as_str()).is_some_and(|t| *t < op.invoked);
            let inside = (from..=to).contains(&row.s) || op.flag("newest") && row.s > to;
            if sees && was_there && inside && !rows.contains(&row.s) {
                let text = format!(
                    "{} read {from}-{to} of {conversation} without {}, which was answered before",
                    op.user, row.s
                );
                report.add(C, op.ended, text);
            }
        }
    }
    for sighting in index
        .sightings
        .iter()
        .filter(|one| one.how == How::Read && !one.seen.gone)
    {
        let seen = &sighting.seen;
        let since = absent
            .get(&(sighting.user, seen.c.as_str()))
            .and_then(|seqs| seqs.get(&seen.s));
        if since.is_some_and(|since| *since < sighting.asked) {
            let text = format!(
                "{} saw {} of {} after a page said it is not there",
                sighting.user, seen.s, seen.c
            );
            report.add(C, sighting.t, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn a_page_that_gains_a_row_is_found() {
        flagged("C8", |story| {
            let one = story.store("ann", "a1");
            let two = story.send("ann", "a2");
            story.page("bob", 1, 2, &[two]);
            story.answer_send("ann", "a1", &one, false);
            story.read("bob", &[one]);
        });
    }

    #[test]
    fn a_page_without_an_answered_message_is_found() {
        flagged("C8", |story| {
            story.send("ann", "a1");
            let two = story.send("ann", "a2");
            story.page("bob", 1, 2, &[two]);
        });
    }
}
