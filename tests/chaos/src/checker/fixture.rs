//! Histories made by hand: a small good one, and what is wrong with it.
//!
//! Ann and Bob are members of the group `room`, Eve is not. Whatever is done through the methods here is consistent,
//! rows of the store included; a test then breaks one thing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::{Value, json};

use super::expected::expected;
use super::index::Index;
use super::{Bounds, check};
use crate::history::{Kind, Line, Seen};

/// Whose view, taken how, with which change.
type Wanted = (String, String, fn(&mut Value));

/// A history in the making.
pub(super) struct Story {
    lines: Vec<Line>,
    rows: Vec<Line>,
    views: Vec<Wanted>,
    t: u64,
    next: u64,
    seq: u64,
    rev: u64,
    direct: Option<(String, String)>,
}

/// A story with one fault, which the check of that name finds.
pub(super) fn flagged(name: &str, change: impl FnOnce(&mut Story)) {
    let mut story = Story::good();
    change(&mut story);
    let found = story.judged();
    assert!(found.found().contains(name), "{name} did not find it: {found}");
}

/// A story without a fault.
pub(super) fn passes(change: impl FnOnce(&mut Story)) {
    let mut story = Story::good();
    change(&mut story);
    story.passes();
}

impl Story {
    /// Nothing has happened yet but that the group was made.
    pub(super) fn good() -> Self {
        let mut story = Self {
            lines: Vec::new(),
            rows: Vec::new(),
            views: Vec::new(),
            t: 0,
            next: 0,
            seq: 0,
            rev: 0,
            direct: None,
        };
        for user in ["ann", "bob"] {
            story.truth(
                "member",
                json!({ "c": "room", "u": user, "role": "member", "active": true, "intervals": [[1, null]],
                        "read": 0, "delivered": 0, "floor": 0, "from": 1, "unread_from": null, "pinned": false,
                        "muted": false, "archived": null, "hidden": null }),
            );
        }
        story
    }

    /// The two talk in a direct instead.
    pub(super) fn direct(&mut self, one: &str, other: &str) {
        self.direct = Some((one.to_owned(), other.to_owned()));
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of a line")]
    fn line(
        &mut self,
        k: Kind,
        user: &str,
        conn: Option<u64>,
        op: &str,
        id: Option<&str>,
        a: Value,
        v: Value,
    ) {
        self.t += 1_000_000;
        self.lines.push(Line {
            t: self.t,
            p: format!("client of {user}"),
            u: Some(user.to_owned()),
            d: None,
            conn,
            k,
            op: op.to_owned(),
            id: id.map(str::to_owned),
            a,
            v,
        });
    }

    /// Lets milliseconds pass.
    pub(super) fn wait(&mut self, millis: u64) {
        self.t += millis * 1_000_000;
    }

    pub(super) fn invoke(&mut self, user: &str, conn: Option<u64>, op: &str, a: Value) -> String {
        self.next += 1;
        let id = format!("{op}-{}", self.next);
        self.line(Kind::Invoke, user, conn, op, Some(&id), a, Value::Null);
        id
    }

    pub(super) fn info(&mut self, user: &str, op: &str, id: &str) {
        self.line(Kind::Info, user, None, op, Some(id), Value::Null, Value::Null);
    }

    /// A command that is answered with what a `v` says.
    pub(super) fn op_with(&mut self, user: &str, op: &str, a: Value, v: Value) {
        let id = self.invoke(user, None, op, a);
        // What marks were answered is in the store.
        if let (Some(read), Some(delivered)) = (v["read_seq"].as_u64(), v["delivered_seq"].as_u64()) {
            let row = self.member(user);
            row["read"] = read.max(row["read"].as_u64().unwrap()).into();
            row["delivered"] = delivered.max(row["delivered"].as_u64().unwrap()).into();
        }
        self.line(Kind::Ok, user, None, op, Some(&id), Value::Null, v);
    }

    pub(super) fn op(&mut self, user: &str, op: &str, a: Value) {
        self.op_with(user, op, a, json!({}));
    }

    pub(super) fn refuse(&mut self, user: &str, op: &str, a: Value, code: &str) {
        let id = self.invoke(user, None, op, a);
        self.line(
            Kind::Fail,
            user,
            None,
            op,
            Some(&id),
            Value::Null,
            json!({ "code": code }),
        );
    }

    /// A message in the store, of which nobody has told.
    pub(super) fn store(&mut self, user: &str, key: &str) -> Seen {
        self.seq += 1;
        self.rev += 1;
        let seen = Seen {
            c: "room".to_owned(),
            s: self.seq,
            r: self.rev,
            id: format!("m{}", self.rev),
            by: Some(user.to_owned()),
            body: Some(format!("~{key}~")),
            ver: 1,
            ..Seen::default()
        };
        self.truth(
            "message",
            json!({ "c": "room", "s": seen.s, "r": seen.r, "id": seen.id, "by": user, "key": key, "body": seen.body,
                    "ver": 1, "del": false, "sys": false, "silent": false, "begin": false, "mentions": [],
                    "pin": false }),
        );
        seen
    }

    pub(super) fn invoke_send(&mut self, user: &str, conn: Option<u64>, key: &str) -> String {
        let a = json!({ "c": "room", "key": key, "body": format!("~{key}~") });
        self.invoke(user, conn, "send", a)
    }

    pub(super) fn end_send(&mut self, user: &str, conn: Option<u64>, id: &str, seen: &Seen, replayed: bool) {
        let v = json!({ "seen": [seen], "replayed": replayed });
        self.line(Kind::Ok, user, conn, "send", Some(id), Value::Null, v);
    }

    /// One more send under a key, answered like this.
    pub(super) fn answer_send(&mut self, user: &str, key: &str, seen: &Seen, replayed: bool) {
        let id = self.invoke_send(user, None, key);
        self.end_send(user, None, &id, seen, replayed);
    }

    /// A message that is sent, stored and answered.
    pub(super) fn send(&mut self, user: &str, key: &str) -> Seen {
        let id = self.invoke_send(user, None, key);
        let seen = self.store(user, key);
        self.end_send(user, None, &id, &seen, false);
        seen
    }

    pub(super) fn edit(&mut self, user: &str, sent: &Seen, body: &str) -> Seen {
        self.rev += 1;
        let seen = Seen {
            r: self.rev,
            ver: sent.ver + 1,
            body: Some(body.to_owned()),
            ..sent.clone()
        };
        let row = self.row("message", &sent.id);
        row["body"] = body.into();
        row["ver"] = seen.ver.into();
        row["r"] = seen.r.into();
        let a = json!({ "c": "room", "m": sent.id, "s": sent.s, "body": body });
        self.op_with(user, "edit", a, json!({ "seen": [seen] }));
        seen
    }

    /// Deletes a message for everyone.
    pub(super) fn delete(&mut self, user: &str, sent: &Seen) {
        self.rev += 1;
        let rev = self.rev;
        let row = self.row("message", &sent.id);
        row["del"] = true.into();
        row["r"] = rev.into();
        self.op(
            user,
            "delete",
            json!({ "c": "room", "m": sent.id, "for": "everyone" }),
        );
    }

    /// Somebody reads these messages.
    pub(super) fn read(&mut self, user: &str, seen: &[Seen]) {
        self.op_with(user, "message", json!({ "c": "room" }), json!({ "seen": seen }));
    }

    /// Somebody reads a page of history.
    pub(super) fn page(&mut self, user: &str, from: u64, to: u64, seen: &[Seen]) {
        let v = json!({ "range": { "from": from, "to": to }, "seen": seen });
        self.op_with(user, "history", json!({ "c": "room" }), v);
    }

    pub(super) fn event(&mut self, user: &str, conn: u64, name: &str, v: Value) {
        self.line(Kind::Event, user, Some(conn), name, None, Value::Null, v);
    }

    pub(super) fn fault(&mut self, name: &str, phase: &str) {
        self.line(
            Kind::Fault,
            "",
            None,
            name,
            None,
            json!({ "phase": phase }),
            Value::Null,
        );
    }

    /// What somebody has at the end, as it should be but for a change.
    pub(super) fn view(&mut self, user: &str, how: &str, change: fn(&mut Value)) {
        self.views.push((user.to_owned(), how.to_owned(), change));
    }

    /// Something written down at the end.
    pub(super) fn look(&mut self, user: &str, how: &str, v: Value) {
        self.line(Kind::View, user, None, how, None, Value::Null, v);
    }

    pub(super) fn truth(&mut self, op: &str, v: Value) {
        self.rows.push(Line {
            t: u64::MAX,
            p: "conductor".to_owned(),
            u: None,
            d: None,
            conn: None,
            k: Kind::Truth,
            op: op.to_owned(),
            id: None,
            a: Value::Null,
            v,
        });
    }

    pub(super) const fn truth_mut(&mut self) -> &mut Vec<Line> {
        &mut self.rows
    }

    pub(super) fn row(&mut self, op: &str, id: &str) -> &mut Value {
        let row = self.rows.iter_mut().find(|row| row.op == op && row.v["id"] == id);
        &mut row.unwrap().v
    }

    pub(super) fn member(&mut self, user: &str) -> &mut Value {
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.op == "member" && row.v["u"] == user);
        &mut row.unwrap().v
    }

    /// Somebody is out, and has seen everything up to that seq.
    pub(super) fn out(&mut self, user: &str, to: u64) {
        let row = self.member(user);
        row["active"] = false.into();
        row["intervals"] = json!([[1, to]]);
    }

    /// The next message leaves a hole before it.
    pub(super) const fn skip(&mut self) {
        self.seq += 1;
    }

    /// The next message gets a seq that is taken.
    pub(super) const fn back(&mut self) {
        self.seq -= 1;
    }

    fn finished(mut self) -> Vec<Line> {
        let members = self
            .rows
            .iter()
            .filter(|row| row.op == "member" && row.v["active"] == true);
        let row = json!({ "c": "room", "group": self.direct.is_none(), "last_seq": self.seq, "rev": self.rev,
                          "members": members.count(), "pair": self.direct });
        self.truth("conversation", row);
        let views = std::mem::take(&mut self.views);
        for (user, how, change) in views {
            let mut view = right(&self.rows, &user);
            change(&mut view);
            self.look(&user, &how, view);
        }
        self.lines.append(&mut self.rows);
        self.lines
    }

    fn judged(self) -> super::Report {
        check(&self.finished(), &Bounds::default()).unwrap()
    }

    /// Nothing is wrong with it.
    pub(super) fn passes(self) {
        let report = self.judged();
        assert!(report.is_clean(), "{report}");
    }
}

/// What a client of that user should have.
fn right(rows: &[Line], user: &str) -> Value {
    let index = Index::new(rows).unwrap();
    let expected = expected(&index.truth, user);
    let rooms: serde_json::Map<String, Value> = expected
        .rooms
        .iter()
        .map(|(id, room)| {
            let messages: Vec<Value> = room
                .messages
                .iter()
                .map(|(seq, state)| {
                    json!({ "c": id, "s": seq, "r": state.r, "id": state.id, "body": state.body, "ver": state.ver,
                            "del": state.del })
                })
                .collect();
            let shown = json!({
                "last_seq": room.last_seq, "rev": room.rev, "members": room.members, "last": room.last,
                "messages": messages,
                "my": { "role": room.role, "read_seq": room.read, "delivered_seq": room.delivered,
                        "visible_from_seq": room.visible_from, "archived": room.archived,
                        "marked_unread": room.marked_unread, "unread_count": room.unread,
                        "mention_count": room.mentions },
            });
            (id.clone(), shown)
        })
        .collect();
    let (messages, conversations, mentions) = expected.badge();
    json!({ "conversations": rooms, "blocks": expected.blocks, "stars": [],
            "badge": { "unread_messages": messages, "unread_conversations": conversations, "mentions": mentions } })
}
