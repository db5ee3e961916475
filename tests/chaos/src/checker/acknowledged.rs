//! C1: what was answered is in the store, unchanged.

use super::index::Index;
use super::report::Report;

const C: &str = "C1";

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    for op in index.named("send").filter(|op| op.is_ok()) {
        report.looked(C);
        let Some(seen) = op.seen.first() else {
            report.add(
                C,
                op.ended,
                format!("the answer to {} shows no message", op.text("key")),
            );
            continue;
        };
        let Some(row) = index.truth.by_id.get(&seen.id) else {
            report.add(
                C,
                op.ended,
                format!("{} was answered and is not in the store", op.text("key")),
            );
            continue;
        };
        let same = row.c == seen.c
            && row.c == op.text("c")
            && row.s == seen.s
            && row.by == op.user
            && row.key.as_deref() == Some(op.text("key"));
        let same_text = row.del || seen.del || row.ver != seen.ver || row.body == seen.body;
        if !same || !same_text {
            report.add(
                C,
                op.ended,
                format!("{} was answered as {seen:?} and is {row:?}", op.text("key")),
            );
        }
    }
    for op in index.named("edit").filter(|op| op.is_ok()) {
        report.looked(C);
        let (Some(row), Some(seen)) = (index.truth.by_id.get(op.text("m")), op.seen.first()) else {
            report.add(
                C,
                op.ended,
                format!("the edited message {} is not in the store", op.text("m")),
            );
            continue;
        };
        let kept = row.del || row.ver > seen.ver || row.ver == seen.ver && row.body.as_deref() == op.body();
        if !kept {
            report.add(
                C,
                op.ended,
                format!("the edit {:?} was answered, and the store has {row:?}", op.body()),
            );
        }
    }
    for op in index.named("delete").filter(|op| op.is_ok()) {
        report.looked(C);
        let id = op.text("m");
        let done = if op.text("for") == "everyone" {
            index.truth.by_id.get(id).is_some_and(|row| row.del)
        } else {
            index.truth.hides.contains(&(op.user.to_owned(), id.to_owned()))
        };
        if !done {
            report.add(
                C,
                op.ended,
                format!("the deletion of {id} was answered and did not stay"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checker::fixture::{Story, flagged};

    #[test]
    fn an_answered_message_that_is_lost_is_found() {
        flagged("C1", |story| {
            let sent = story.send("ann", "a1");
            story
                .truth_mut()
                .retain(|row| row.op != "message" || row.v["id"] != sent.id.as_str());
        });
    }

    #[test]
    fn an_answered_message_with_another_text_is_found() {
        flagged("C1", |story| {
            let sent = story.send("ann", "a1");
            story.row("message", &sent.id)["body"] = "~other~".into();
        });
    }

    #[test]
    fn a_lost_edit_is_found() {
        flagged("C1", |story| {
            let sent = story.send("ann", "a1");
            story.edit("ann", &sent, "~e1~");
            let row = story.row("message", &sent.id);
            row["body"] = "~a1~".into();
            row["ver"] = 1.into();
        });
    }

    #[test]
    fn a_deletion_that_did_not_stay_is_found() {
        flagged("C1", |story| {
            let sent = story.send("ann", "a1");
            story.delete("ann", &sent);
            let row = story.row("message", &sent.id);
            row["del"] = false.into();
        });
    }

    #[test]
    fn a_good_story_passes() {
        Story::good().passes();
    }
}
