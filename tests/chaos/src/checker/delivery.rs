//! C9: on a live connection every message and edit arrives, in order and once, or the client is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::index::{Connection, How, Index, Op};
use super::report::Report;
use super::{Bounds, nanos};

const C: &str = "C9";

pub(super) fn check(index: &Index<'_>, bounds: &Bounds, report: &mut Report) {
    for (number, connection) in &index.connections {
        in_order(*number, connection, report);
    }
    let mut latencies = arrivals(index, bounds, report);
    latencies.sort_unstable();
    let at = |share: usize| {
        let place = (latencies.len() * share / 1000).min(latencies.len().saturating_sub(1));
        latencies.get(place).map_or(0.0, |t| *t as f64 / 1e6)
    };
    report.measure(
        "answer to live event",
        format!(
            "p50 {:.0} ms, p99 {:.0} ms, most {:.0} ms",
            at(500),
            at(990),
            at(1000)
        ),
    );
}

/// Revs of a conversation only grow on one connection.
fn in_order(number: u64, connection: &Connection<'_>, report: &mut Report) {
    let mut last: HashMap<&str, u64> = HashMap::new();
    for event in &connection.events {
        let (Some(conversation), Some(rev)) = (event.text("conversation_id"), event.number("rev")) else {
            continue;
        };
        report.looked("C9 order");
        let before = last.insert(conversation, rev).unwrap_or(0);
        if rev <= before {
            let text = format!(
                "connection {number} of {} got {} of {conversation} with rev {rev} after {before}",
                connection.user, event.name
            );
            report.add(C, event.t, text);
        }
    }
}

/// What one connection saw of one message: when, and of which rev.
type Arrivals<'h> = HashMap<(u64, &'h str, u64), Vec<(u64, u64, How)>>;

/// Every answered message and edit against every connection that should have had it; how long each took.
fn arrivals(index: &Index<'_>, bounds: &Bounds, report: &mut Report) -> Vec<u64> {
    let bound = nanos(bounds.delivery).saturating_add(nanos(bounds.slack));
    let mut seen: Arrivals<'_> = HashMap::new();
    for sighting in &index.sightings {
        if let Some(conn) = sighting.conn {
            let key = (conn, sighting.seen.c.as_str(), sighting.seen.s);
            seen.entry(key)
                .or_default()
                .push((sighting.t, sighting.seen.r, sighting.how));
        }
    }
    let mut told: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (number, connection) in &index.connections {
        let lagged = connection.events.iter().filter(|event| event.name == "lagged");
        told.insert(*number, lagged.map(|event| event.t).collect());
    }
    let mut latencies = Vec::new();
    let mut sent: BTreeSet<&str> = BTreeSet::new();
    for op in index
        .ops
        .iter()
        .filter(|op| op.is_ok() && matches!(op.name, "send" | "edit"))
    {
        let Some(change) = op.seen.first() else { continue };
        // A repetition tells of the first time.
        if op.name == "send" && !sent.insert(&change.id) {
            continue;
        }
        let began = began(index, op);
        let deadline = deadline(index, op.ended, bound);
        for (number, connection) in &index.connections {
            if connection.ready > began || connection.closed < deadline {
                continue;
            }
            if !should_have(index, connection.user, &change.c, change.s, &change.id) {
                continue;
            }
            report.looked(C);
            let first = seen
                .get(&(*number, change.c.as_str(), change.s))
                .into_iter()
                .flatten()
                .filter(|(_, rev, _)| *rev >= change.r)
                .min_by_key(|(t, _, _)| *t);
            match first {
                Some((t, _, How::Event)) => latencies.push(t.saturating_sub(op.ended)),
                Some(_) => {}
                None => latencies.push(bound),
            }
            let in_time = first.is_some_and(|(t, _, _)| *t <= deadline);
            let lagged = told
                .get(number)
                .is_some_and(|times| times.iter().any(|t| *t >= began && *t <= deadline));
            if !in_time && !lagged && !out(connection, &change.c, began, deadline) {
                let when = first.map_or_else(
                    || "never".to_owned(),
                    |(t, _, _)| format!("at {:.3} s", *t as f64 / 1e9),
                );
                let text = format!(
                    "{} {} of {} (rev {}) reached connection {number} of {} {when}",
                    op.name, change.s, change.c, change.r, connection.user
                );
                report.add(C, op.ended, text);
            }
        }
    }
    latencies
}

/// By when something answered then has to have arrived. While the store is down nobody knows who may see it, so the
/// bound begins anew when a fault that comes in between is over.
fn deadline(index: &Index<'_>, answered: u64, bound: u64) -> u64 {
    let mut deadline = answered.saturating_add(bound);
    for window in &index.windows {
        if window.from < deadline && window.to > answered {
            deadline = window.to.saturating_add(bound);
        }
    }
    deadline
}

/// When a change was first asked for.
fn began(index: &Index<'_>, op: &Op<'_>) -> u64 {
    let first = index.sends.get(&(op.user, op.text("key")));
    first
        .and_then(|places| index.attempts(places).next())
        .map_or(op.invoked, |first| first.invoked)
}

/// Whether a user sees a message all along: a present membership covers it, and he did not put it out of his sight.
fn should_have(index: &Index<'_>, user: &str, conversation: &str, seq: u64, id: &str) -> bool {
    index.truth.member(conversation, user).is_some_and(|member| {
        member.covers_now(seq)
            && seq >= member.from
            && !index.truth.hides.contains(&(user.to_owned(), id.to_owned()))
    })
}

/// Whether the connection was told meanwhile that its user is out, or in again, or that it has to look anew.
fn out(connection: &Connection<'_>, conversation: &str, from: u64, to: u64) -> bool {
    connection.events.iter().any(|event| {
        let about = event.text("conversation_id") == Some(conversation);
        let turns = about && event.name == "conversation_removed" || event.name == "conversation_created";
        turns && event.t >= from && event.t <= to
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::checker::fixture::{flagged, passes};

    #[test]
    fn a_message_that_never_arrives_is_found() {
        flagged("C9", |story| {
            story.event("bob", 1, "ready", json!({}));
            story.send("ann", "a1");
            story.wait(20_000);
            story.event("bob", 1, "typing_changed", json!({}));
        });
    }

    #[test]
    fn a_message_that_a_fault_holds_up_has_time_until_after_it() {
        let held_up = |fault: bool, until: u64| {
            move |story: &mut crate::checker::fixture::Story| {
                story.event("bob", 1, "ready", json!({}));
                let sent = story.send("ann", "a1");
                if fault {
                    story.fault("kill_database", "start");
                    story.wait(8_000);
                    story.fault("kill_database", "stop");
                }
                story.wait(until);
                story.event(
                    "bob",
                    1,
                    "message_created",
                    json!({ "conversation_id": "room", "rev": 1, "seen": [sent] }),
                );
            }
        };
        passes(held_up(true, 3_000));
        flagged("C9", held_up(true, 7_000));
        flagged("C9", held_up(false, 7_000));
    }

    #[test]
    fn a_client_that_is_told_is_not_wronged() {
        passes(|story| {
            story.event("bob", 1, "ready", json!({}));
            story.send("ann", "a1");
            story.event("bob", 1, "lagged", json!({}));
            story.wait(20_000);
        });
    }

    #[test]
    fn an_edit_that_never_arrives_is_found() {
        flagged("C9", |story| {
            let sent = story.send("ann", "a1");
            story.event("bob", 1, "ready", json!({}));
            story.edit("ann", &sent, "~e1~");
            story.wait(20_000);
        });
    }

    #[test]
    fn events_out_of_order_or_twice_are_found() {
        for second in [4, 5] {
            flagged("C9", |story| {
                let event = |rev: u64| json!({ "conversation_id": "room", "rev": rev });
                story.event("bob", 1, "members_changed", event(5));
                story.event("bob", 1, "members_changed", event(second));
            });
        }
    }
}
