//! C5: two sightings of one state of a message agree, whoever saw it and however.

use std::collections::HashMap;

use super::index::Index;
use super::report::Report;
use crate::history::Seen;

const C: &str = "C5";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut known: HashMap<(&str, u64, u64), &Seen> = HashMap::new();
    for sighting in index
        .sightings
        .iter()
        .filter(|one| !one.seen.gone && one.seen.r > 0)
    {
        report.looked(C);
        let seen = &sighting.seen;
        let first = *known.entry((&seen.c, seen.s, seen.r)).or_insert(seen);
        let same = first.id == seen.id
            && first.by == seen.by
            && first.ver == seen.ver
            && first.del == seen.del
            && first.body == seen.body;
        if !same {
            report.add(
                C,
                sighting.t,
                format!("{} saw {seen:?}, somebody else {first:?}", sighting.user),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn two_texts_of_one_state_are_found() {
        flagged("C5", |story| {
            let mut sent = story.send("ann", "a1");
            sent.body = Some("~other~".to_owned());
            story.read("bob", &[sent]);
        });
    }
}
