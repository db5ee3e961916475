//! What clients do, each time something else, by weight.

use hyper::Method;
use serde_json::{Value, json};

use super::person::{Letter, Person};
use super::rest::Outcome;
use super::set;
use crate::history::Seen;

const EMOJI: [&str; 4] = ["👍", "🎉", "❤️", "x"];

macro_rules! deeds {
    ($($weight:literal $name:ident,)*) => {
        /// Something a client does.
        #[derive(Debug, Clone, Copy)]
        enum Deed { $($name,)* }
        const DEEDS: &[(u32, Deed)] = &[$(($weight, Deed::$name),)*];
    };
}

deeds! {
    36 Send,
    6 Burst,
    4 SendAndCut,
    3 Repeat,
    1 Misuse,
    7 Edit,
    5 DeleteForEveryone,
    3 DeleteForMe,
    8 React,
    3 Unreact,
    9 Read,
    5 Deliver,
    2 Unread,
    4 History,
    2 Older,
    2 One,
    2 Search,
    4 Settings,
    1 Clear,
    1 Hide,
    2 Block,
    2 Unblock,
    3 Add,
    2 Remove,
    1 Leave,
    1 Rank,
    2 Pin,
    2 Star,
    1 Intrude,
    2 Sync,
    2 Remember,
    2 Disconnect,
}

impl Person {
    /// Does one thing.
    pub(crate) async fn act(&mut self) {
        let total: u32 = DEEDS.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.u32(..total);
        for (weight, deed) in DEEDS {
            if at < *weight {
                self.do_it(*deed).await;
                return;
            }
            at -= weight;
        }
    }

    async fn do_it(&mut self, deed: Deed) -> Option<()> {
        match deed {
            Deed::Send => {
                let letter = self.letter()?;
                self.keep(letter.clone());
                self.post(&letter, 7).await;
            }
            Deed::Burst => self.burst().await?,
            Deed::SendAndCut => {
                let letter = self.letter()?;
                let (data, mut a) = wire(&letter);
                set(&mut a, "cut", json!(true));
                self.ws_and_cut("send", "send_message", &data, a).await;
                self.keep(letter.clone());
                self.post(&letter, 7).await;
            }
            Deed::Repeat => {
                let letter = self.past_letter()?;
                self.post(&letter, 1).await;
            }
            Deed::Misuse => {
                let mut letter = self.past_letter()?;
                let text = format!("{} another text", self.mark("x"));
                set(&mut letter.payload, "text", json!(text));
                self.post(&letter, 1).await;
            }
            Deed::Edit => self.edit().await?,
            Deed::DeleteForEveryone => {
                let me = self.user.clone();
                let (room, seen) =
                    self.message(|room, seen| by(seen, &me) || room.is_group() && room.role() != "member")?;
                self.delete(&room, &seen, "everyone").await;
            }
            Deed::DeleteForMe => {
                let (room, seen) = self.message(|_, _| true)?;
                self.delete(&room, &seen, "me").await;
            }
            Deed::React | Deed::Unreact => self.react(matches!(deed, Deed::React)).await?,
            Deed::Read | Deed::Deliver | Deed::Unread => self.mark_room(deed).await?,
            Deed::History => {
                let room = self.room(|_| true)?;
                self.history(&room, "").await;
            }
            Deed::Older => {
                let (room, seen) = self.message(|_, _| true)?;
                let anchor = self.rng.choice(["before", "after", "around"])?;
                self.history(&room, &format!("&{anchor}={}", seen.s)).await;
            }
            Deed::One => {
                let (_, seen) = self.message(|_, _| true)?;
                let path = format!("/messages/{}", seen.id);
                self.rest(
                    "message",
                    &Method::GET,
                    &path,
                    None,
                    json!({ "c": seen.c, "m": seen.id }),
                )
                .await;
            }
            Deed::Search => {
                self.rest(
                    "search",
                    &Method::GET,
                    "/search/messages?q=hello&limit=50",
                    None,
                    json!({}),
                )
                .await;
            }
            Deed::Settings => self.settings().await?,
            Deed::Clear | Deed::Hide => {
                let room = self.room(|_| true)?;
                let op = if matches!(deed, Deed::Clear) {
                    "clear"
                } else {
                    "hide"
                };
                let path = format!("/conversations/{room}/{op}");
                self.rest(op, &Method::POST, &path, None, json!({ "c": room }))
                    .await;
            }
            Deed::Block | Deed::Unblock => self.block(matches!(deed, Deed::Block)).await?,
            Deed::Add | Deed::Remove | Deed::Rank => self.manage(deed).await?,
            Deed::Leave => {
                let room = self.room(|room| room.is_group() && room.members().len() > 5)?;
                let path = format!("/conversations/{room}/leave");
                self.rest("leave", &Method::POST, &path, None, json!({ "c": room }))
                    .await;
            }
            Deed::Pin => self.pin().await?,
            Deed::Star => {
                let (_, seen) = self.message(|_, seen| !seen.del)?;
                let (method, op) = if self.rng.bool() {
                    (Method::PUT, "star")
                } else {
                    (Method::DELETE, "unstar")
                };
                let path = format!("/messages/{}/star", seen.id);
                self.rest(op, &method, &path, None, json!({ "c": seen.c, "m": seen.id }))
                    .await;
            }
            Deed::Intrude => self.intrude().await?,
            Deed::Sync => {
                if self.is_connected() && !self.synchronise().await {
                    self.disconnect();
                }
            }
            Deed::Remember => self.old = Some(self.replica.clone()),
            Deed::Disconnect => self.disconnect(),
        }
        Some(())
    }

    /// A mark no other text has.
    fn mark(&mut self, kind: &str) -> String {
        self.written += 1;
        format!("~{}.{kind}{}~", self.source.process, self.written)
    }

    fn keep(&mut self, letter: Letter) {
        if self.letters.len() >= 20 {
            self.letters.remove(0);
        }
        self.letters.push(letter);
    }

    fn past_letter(&mut self) -> Option<Letter> {
        let at = self.rng.usize(..self.letters.len().max(1));
        self.letters.get(at).cloned()
    }

    fn room(&mut self, wanted: impl Fn(&super::replica::Room) -> bool) -> Option<String> {
        let rooms = self.replica.rooms.iter().filter(|(_, room)| wanted(room));
        let ids: Vec<&String> = rooms.map(|(id, _)| id).collect();
        self.rng.choice(ids).cloned()
    }

    /// A message it has and that fits, rather a new one.
    fn message(&mut self, wanted: impl Fn(&super::replica::Room, &Seen) -> bool) -> Option<(String, Seen)> {
        let id = self.room(|_| true)?;
        let room = self.replica.rooms.get(&id)?;
        let newest = room.messages.values().rev().take(30);
        let fitting: Vec<&Seen> = newest
            .filter(|seen| seen.body.is_some() && wanted(room, seen))
            .collect();
        Some((id, self.rng.choice(fitting)?.clone()))
    }

    fn letter(&mut self) -> Option<Letter> {
        let conversation = self.room(|_| true)?;
        Some(self.letter_to(conversation))
    }

    /// A new message to a conversation.
    pub(crate) fn letter_to(&mut self, conversation: String) -> Letter {
        let mark = self.mark("");
        let key = mark.trim_matches('~').to_owned();
        let mut payload = json!({ "client_id": key, "text": format!("{mark} hello") });
        if let Some(room) = self.replica.rooms.get(&conversation) {
            let answered: Vec<&Seen> = room.messages.values().rev().take(10).collect();
            if self.rng.u8(..10) < 2
                && let Some(answered) = self.rng.choice(answered)
                && answered.body.is_some()
            {
                set(&mut payload, "reply_to", json!(answered.id));
            }
            if self.rng.u8(..10) < 1
                && let Some((mentioned, _)) = self.rng.choice(room.members())
            {
                set(&mut payload, "mentions", json!([mentioned]));
            }
            if self.rng.u8(..20) < 1 {
                set(&mut payload, "silent", json!(true));
            }
        }
        Letter {
            key,
            conversation,
            payload,
        }
    }

    /// Several messages to one conversation, without waiting for answers.
    async fn burst(&mut self) -> Option<()> {
        let conversation = self.room(|_| true)?;
        let letters: Vec<Letter> = (0..self.rng.u32(3..6))
            .map(|_| self.letter_to(conversation.clone()))
            .collect();
        let commands = letters
            .iter()
            .map(|letter| {
                let (data, a) = wire(letter);
                ("send", "send_message", data, a)
            })
            .collect();
        for outcome in self.ws_at_once(commands).await {
            if let Outcome::Ok(answer) = outcome {
                self.taken(&answer);
            }
        }
        Some(())
    }

    async fn edit(&mut self) -> Option<()> {
        let me = self.user.clone();
        let (_, seen) = self.message(|_, seen| by(seen, &me))?;
        let body = self.mark("e");
        let a = json!({ "c": seen.c, "m": seen.id, "s": seen.s, "body": body });
        let text = format!("{body} hello");
        if self.is_connected() && self.rng.bool() {
            let data = json!({ "message_id": seen.id, "text": text });
            let answer = self.ws("edit", "edit_message", &data, a).await.ok()?;
            self.taken(&answer);
        } else {
            let path = format!("/messages/{}", seen.id);
            self.rest("edit", &Method::PATCH, &path, Some(&json!({ "text": text })), a)
                .await;
        }
        Some(())
    }

    async fn delete(&mut self, room: &str, seen: &Seen, whose: &str) {
        let a = json!({ "c": room, "m": seen.id, "s": seen.s, "for": whose });
        if self.is_connected() && self.rng.bool() {
            let data = json!({ "message_id": seen.id, "for": whose });
            if let Outcome::Ok(_) = self.ws("delete", "delete_message", &data, a).await {
                self.replica.deleted(room, seen.s, whose == "everyone");
            }
        } else {
            let path = format!("/messages/{}?for={whose}", seen.id);
            self.rest("delete", &Method::DELETE, &path, None, a).await;
        }
    }

    async fn react(&mut self, on: bool) -> Option<()> {
        let (_, seen) = self.message(|_, seen| on || seen.re.values().any(|(_, mine)| *mine))?;
        let mine = seen.re.iter().find(|(_, (_, mine))| *mine);
        let emoji = match mine {
            Some((emoji, _)) if !on => emoji.clone(),
            _ => (*self.rng.choice(&EMOJI)?).to_owned(),
        };
        let a = json!({ "c": seen.c, "m": seen.id, "s": seen.s, "e": emoji });
        let (op, command) = if on {
            ("react", "add_reaction")
        } else {
            ("unreact", "remove_reaction")
        };
        let data = json!({ "message_id": seen.id, "emoji": emoji });
        let answer = self.ws(op, command, &data, a).await.ok()?;
        self.taken(&answer);
        Some(())
    }

    async fn mark_room(&mut self, deed: Deed) -> Option<()> {
        let room = self.room(|room| room.last_seq() > 0)?;
        let last = self.replica.rooms.get(&room)?.last_seq();
        let seq = last - self.rng.u64(..last.min(4));
        let (op, command) = match deed {
            Deed::Read => ("read", "mark_read"),
            Deed::Deliver => ("delivered", "mark_delivered"),
            _ => ("unread", "mark_unread"),
        };
        let a = json!({ "c": room, "s": seq });
        if self.is_connected() && self.rng.bool() {
            let data = json!({ "conversation_id": room, "seq": seq });
            self.ws(op, command, &data, a).await;
        } else {
            let path = format!("/conversations/{room}/{op}");
            self.rest(op, &Method::PUT, &path, Some(&json!({ "seq": seq })), a)
                .await;
        }
        Some(())
    }

    async fn history(&mut self, room: &str, anchor: &str) {
        let path = format!("/conversations/{room}/messages?limit=20{anchor}");
        let a = json!({ "c": room, "newest": anchor.is_empty() });
        self.rest("history", &Method::GET, &path, None, a).await;
    }

    async fn settings(&mut self) -> Option<()> {
        let room = self.room(|_| true)?;
        let body = match self.rng.u8(..6) {
            0 => json!({ "pinned": true }),
            1 => json!({ "pinned": false }),
            2 => json!({ "muted_until": "forever" }),
            3 => json!({ "muted_until": null }),
            4 => json!({ "archived": true }),
            _ => json!({ "archived": false }),
        };
        let path = format!("/conversations/{room}/settings");
        let a = json!({ "c": room, "set": body });
        self.rest("settings", &Method::PATCH, &path, Some(&body), a).await;
        Some(())
    }

    async fn block(&mut self, on: bool) -> Option<()> {
        let me = self.user.clone();
        let who = if on {
            // Rather somebody of a direct: there it matters most.
            let room = self.room(|room| room.peer().is_some());
            let peer = room.and_then(|room| Some(self.replica.rooms.get(&room)?.peer()?.to_owned()));
            // A few at a time, or nobody would talk at last.
            (self.replica.blocked.len() < 2).then_some(peer?)?
        } else {
            self.rng.choice(&self.replica.blocked)?.clone()
        };
        if who == me {
            return None;
        }
        let (op, method) = if on {
            ("block", Method::PUT)
        } else {
            ("unblock", Method::DELETE)
        };
        let path = format!("/blocks/{who}");
        self.rest(op, &method, &path, None, json!({ "who": who })).await;
        Some(())
    }

    async fn manage(&mut self, deed: Deed) -> Option<()> {
        let room = self.room(|room| room.is_group() && room.role() != "member")?;
        let known = self.replica.rooms.get(&room)?;
        let (members, me) = (known.members(), self.user.clone());
        let others: Vec<&String> = members
            .iter()
            .filter(|(user, role)| **user != me && *role == "member")
            .map(|(user, _)| user)
            .collect();
        match deed {
            Deed::Add => {
                let outside: Vec<&String> = self
                    .shared
                    .users
                    .iter()
                    .filter(|user| !members.contains_key(*user))
                    .collect();
                let who = self.rng.choice(outside)?.clone();
                let path = format!("/conversations/{room}/members");
                let a = json!({ "c": room, "who": who });
                self.rest(
                    "add",
                    &Method::POST,
                    &path,
                    Some(&json!({ "user_ids": [who] })),
                    a,
                )
                .await;
            }
            Deed::Remove if members.len() > 4 => {
                let who = self.rng.choice(others)?.clone();
                let path = format!("/conversations/{room}/members/{who}");
                let a = json!({ "c": room, "who": who });
                self.rest("remove", &Method::DELETE, &path, None, a).await;
            }
            Deed::Rank => {
                let who = self.rng.choice(others)?.clone();
                let role = if self.rng.bool() { "admin" } else { "member" };
                let path = format!("/conversations/{room}/members/{who}");
                let a = json!({ "c": room, "who": who, "role": role });
                self.rest("role", &Method::PATCH, &path, Some(&json!({ "role": role })), a)
                    .await;
            }
            _ => {}
        }
        Some(())
    }

    async fn pin(&mut self) -> Option<()> {
        let (_, seen) =
            self.message(|room, seen| !seen.del && (!room.is_group() || room.role() != "member"))?;
        let (op, method) = if seen.pin {
            ("unpin", Method::DELETE)
        } else {
            ("pin", Method::PUT)
        };
        let path = format!("/conversations/{}/pins/{}", seen.c, seen.id);
        self.rest(op, &method, &path, None, json!({ "c": seen.c, "m": seen.id }))
            .await;
        Some(())
    }

    /// Asks for what it has no business with: a conversation it is not in any more, or never was.
    async fn intrude(&mut self) -> Option<()> {
        let old = self.old.as_ref()?;
        let lost: Vec<&String> = old
            .rooms
            .keys()
            .filter(|id| !self.replica.rooms.contains_key(*id))
            .collect();
        let room = self.rng.choice(lost)?.clone();
        self.history(&room, "").await;
        let letter = self.letter_to(room);
        self.post(&letter, 1).await;
        Some(())
    }
}

fn by(seen: &Seen, user: &str) -> bool {
    seen.by.as_deref() == Some(user)
}

/// A letter as a live command, and as the history tells of it.
fn wire(letter: &Letter) -> (Value, Value) {
    let mut data = letter.payload.clone();
    set(&mut data, "conversation_id", json!(letter.conversation));
    let a = json!({ "c": letter.conversation, "key": letter.key, "body": letter.payload.get("text"),
                    "silent": letter.payload.get("silent"), "mentions": letter.payload.get("mentions") });
    (data, a)
}
