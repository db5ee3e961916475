//! C10: after sync a client has exactly what its user may see. C20: live events since the last sync make the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::expected::{Expected, Room, State, expected};
use super::index::Index;
use super::report::Report;
use crate::history::Seen;

/// A conversation as a client has it.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    last_seq: Option<u64>,
    rev: Option<u64>,
    members: BTreeMap<String, String>,
    pub(super) my: Value,
    last: Option<u64>,
    messages: Vec<Seen>,
}

/// What a client has.
#[derive(Debug, Deserialize)]
pub(super) struct View {
    pub(super) conversations: BTreeMap<String, Shown>,
    blocks: BTreeSet<String>,
    pub(super) badge: Value,
}

pub(super) fn check(index: &Index<'_>, report: &mut Report) {
    let mut wanted: BTreeMap<&str, Expected> = BTreeMap::new();
    for line in &index.views {
        let (Some(user), Ok(view)) = (line.u.as_deref(), View::deserialize(&line.v)) else {
            continue;
        };
        let live = line.op == "live";
        let check = if live { "C20" } else { "C10" };
        report.looked(check);
        let wanted = wanted.entry(user).or_insert_with(|| expected(&index.truth, user));
        for problem in differences(wanted, &view, live) {
            report.add(
                check,
                line.t,
                format!("{} view of {} on {}: {problem}", line.op, user, line.p),
            );
        }
    }
}

fn differences(wanted: &Expected, view: &View, live: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let mut differ = |what: String, wanted: String, found: String| {
        if wanted != found {
            problems.push(format!("{what} should be {wanted} and is {found}"));
        }
    };
    let (should, is): (Vec<_>, Vec<_>) = (wanted.rooms.keys().collect(), view.conversations.keys().collect());
    differ("conversations".into(), format!("{should:?}"), format!("{is:?}"));
    differ(
        "blocks".into(),
        format!("{:?}", wanted.blocks),
        format!("{:?}", view.blocks),
    );
    for (id, room) in &wanted.rooms {
        let Some(shown) = view.conversations.get(id) else {
            continue;
        };
        differ(
            format!("members of {id}"),
            format!("{:?}", room.members),
            format!("{:?}", shown.members),
        );
        for (name, wanted, found) in fields(room, shown, live) {
            differ(format!("{name} of {id}"), wanted, found);
        }
        let found: BTreeMap<u64, &Seen> = shown.messages.iter().map(|seen| (seen.s, seen)).collect();
        let seqs: BTreeSet<u64> = room.messages.keys().chain(found.keys()).copied().collect();
        for seq in seqs {
            let (wanted, found) = (room.messages.get(&seq), found.get(&seq).copied());
            let same = match (wanted, found) {
                (Some(wanted), Some(found)) => same(wanted, found),
                _ => false,
            };
            if !same {
                differ(
                    format!("message {seq} of {id}"),
                    format!("{wanted:?}"),
                    format!("{found:?}"),
                );
            }
        }
    }
    problems
}

fn same(wanted: &State, found: &Seen) -> bool {
    wanted.id == found.id
        // 0: its client deleted it itself and was told no rev.
        && (wanted.r == found.r || found.r == 0)
        && wanted.ver == found.ver
        && wanted.del == found.del
        && wanted.body == found.body
        && wanted.re == found.re
        && wanted.pin == found.pin
}

/// What the client's own side of a conversation should be.
fn fields(room: &Room, shown: &Shown, live: bool) -> Vec<(&'static str, String, String)> {
    let my = |name: &str| shown.my.get(name).cloned().unwrap_or_default();
    let is_set = |name: &str| (!my(name).is_null()).to_string();
    let mut fields = vec![
        ("pin", room.pinned.to_string(), is_set("pinned_at")),
        ("mute", room.muted.to_string(), is_set("muted_until")),
    ];
    // By live events alone a client works these out by itself, or asks.
    if !live {
        fields.extend([
            ("role", format!("{:?}", room.role), my("role").to_string()),
            ("read_seq", room.read.to_string(), my("read_seq").to_string()),
            (
                "delivered_seq",
                room.delivered.to_string(),
                my("delivered_seq").to_string(),
            ),
            (
                "visible_from_seq",
                room.visible_from.to_string(),
                my("visible_from_seq").to_string(),
            ),
            ("archived", room.archived.to_string(), my("archived").to_string()),
            (
                "marked_unread",
                room.marked_unread.to_string(),
                my("marked_unread").to_string(),
            ),
            (
                "last_seq",
                format!("{:?}", Some(room.last_seq)),
                format!("{:?}", shown.last_seq),
            ),
            ("rev", format!("{:?}", Some(room.rev)), format!("{:?}", shown.rev)),
            (
                "last_message",
                format!("{:?}", room.last),
                format!("{:?}", shown.last),
            ),
        ]);
    }
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::{flagged, passes};

    #[test]
    fn a_message_that_sync_lost_is_found() {
        flagged("C10", |story| {
            story.send("ann", "a1");
            story.view("bob", "synced", |view| {
                view["conversations"]["room"]["messages"] = json!([]);
            });
        });
    }

    #[test]
    fn a_stale_text_is_found() {
        flagged("C10", |story| {
            story.send("ann", "a1");
            story.view("bob", "old", |view| {
                view["conversations"]["room"]["messages"][0]["body"] = json!("~stale~");
            });
        });
    }

    #[test]
    fn a_conversation_that_should_not_be_there_is_found() {
        flagged("C10", |story| {
            story.view("bob", "fresh", |view| {
                let room = view["conversations"]["room"].clone();
                view["conversations"]["other"] = room;
            });
        });
    }

    #[test]
    fn a_mark_that_sync_did_not_tell_is_found() {
        flagged("C10", |story| {
            story.send("ann", "a1");
            story.view("bob", "synced", |view| {
                view["conversations"]["room"]["my"]["read_seq"] = json!(1);
            });
        });
    }

    #[test]
    fn live_events_that_make_something_else_are_found() {
        flagged("C20", |story| {
            story.send("ann", "a1");
            story.view("bob", "live", |view| {
                view["conversations"]["room"]["messages"] = json!([]);
            });
        });
    }

    #[test]
    fn right_views_pass() {
        passes(|story| {
            story.send("ann", "a1");
            for how in ["live", "synced", "old", "fresh"] {
                story.view("bob", how, |_| {});
            }
        });
    }
}
