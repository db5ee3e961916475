//! C4: seqs of a conversation are 1 to the last without a hole, tombstones among them.

use super::index::Index;
use super::report::Report;

const C: &str = "C4";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    for conversation in index.truth.conversations.values() {
        report.looked(C);
        let mut seqs: Vec<u64> = index
            .truth
            .messages_of(&conversation.c)
            .iter()
            .map(|row| row.s)
            .collect();
        seqs.sort_unstable();
        if !seqs.iter().copied().eq(1..=conversation.last_seq) {
            let text = format!(
                "{} says it ends at {} and has {seqs:?}",
                conversation.c, conversation.last_seq
            );
            report.add(C, 0, text);
        }
        let newest = index
            .truth
            .messages_of(&conversation.c)
            .iter()
            .map(|row| row.r)
            .max();
        if newest > Some(conversation.rev) {
            report.add(
                C,
                0,
                format!("{} has a message of a rev beyond its own", conversation.c),
            );
        }
        let active = index
            .truth
            .members
            .get(&conversation.c)
            .into_iter()
            .flat_map(|members| members.values())
            .filter(|member| member.active)
            .count() as u64;
        if active != conversation.members {
            let text = format!(
                "{} counts {} members and has {active}",
                conversation.c, conversation.members
            );
            report.add(C, 0, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::flagged;

    #[test]
    fn a_hole_is_found() {
        flagged("C4", |story| {
            story.skip();
            story.send("ann", "a1");
        });
    }

    #[test]
    fn a_seq_used_twice_is_found() {
        flagged("C4", |story| {
            story.send("ann", "a1");
            story.back();
            story.send("ann", "a2");
        });
    }
}
