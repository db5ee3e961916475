//! C7: a send that began after another was answered has the higher seq.

use std::collections::BTreeMap;

use super::index::Index;
use super::report::Report;

const C: &str = "C7";

enum Moment<'h> {
    Began(&'h str),
    Answered(&'h str),
}

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut moments: BTreeMap<&str, Vec<(u64, u64, Moment<'_>)>> = BTreeMap::new();
    for ((_, key), places) in &index.sends {
        let first = index.attempts(places).find(|op| op.is_ok());
        let (Some(answered), Some(began)) = (first, index.attempts(places).next()) else {
            continue;
        };
        let Some(seen) = answered.seen.first() else {
            continue;
        };
        let list = moments.entry(answered.text("c")).or_default();
        list.push((began.invoked, seen.s, Moment::Began(key)));
        list.push((answered.ended, seen.s, Moment::Answered(key)));
    }
    for list in moments.values_mut() {
        list.sort_by_key(|(t, _, _)| *t);
        let mut highest = (0, "");
        for (t, seq, moment) in list {
            match moment {
                Moment::Answered(key) if *seq > highest.0 => highest = (*seq, key),
                Moment::Answered(_) => {}
                Moment::Began(key) => {
                    report.looked(C);
                    if *seq <= highest.0 {
                        let (before, other) = highest;
                        report.add(
                            C,
                            *t,
                            format!("{key} began after {other} was answered with {before}, and has {seq}"),
                        );
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn a_later_send_with_a_lower_seq_is_found() {
        flagged("C7", |story| {
            let early = story.store("ann", "a1");
            story.send("bob", "b1");
            story.answer_send("ann", "a1", &early, false);
        });
    }
}
