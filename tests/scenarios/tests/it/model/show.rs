//! The model's answers in the form of the wire, so that they can be laid beside the engine's. `null` means absent.

use chat_core::config::EditHistory;
use chat_core::error::ErrorCode;
use chat_core::model::{Muted, Role};
use chat_core::store::InboxFilter;
use chat_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::reference::{Chat, Line, Mention, Model, Mute, Outcome, Person, User};
use super::scheduled::{Address, Plan};

/// The users, in order of id.
pub(super) const NAMES: [&str; 5] = ["ada", "ben", "cem", "dee", "eli"];

pub(super) fn time(at: i64) -> Value {
    json!(Timestamp::from_millis(at))
}

pub(super) fn muted(mute: Mute) -> Muted {
    match mute {
        Mute::Until(at) => Muted::Until(Timestamp::from_millis(at)),
        Mute::Forever => Muted::Forever,
    }
}

pub(super) fn role(role: Role) -> Value {
    json!(role)
}

fn list<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Value {
    let items: Vec<Value> = items.into_iter().map(Into::into).collect();
    if items.is_empty() {
        Value::Null
    } else {
        items.into()
    }
}

impl Model {
    pub(super) fn show_line(&self, viewer: User, chat: &Chat, line: &Line) -> Value {
        let own = line.sender == viewer;
        // The answer to a repeated send may be about one that has disappeared: that it was sent, and nothing more.
        let over = self.is_over(line);
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("id", json!(line.id));
        put("conversation_id", json!(chat.id));
        put("seq", json!(line.seq));
        put("sender", json!({"id": NAMES[line.sender]}));
        put("client_id", json!(line.key.as_ref().filter(|_| own)));
        put("kind", json!(if line.code.is_some() { "system" } else { "text" }));
        put(
            "text",
            json!(Some(&line.words).filter(|words| !words.is_empty() && !over)),
        );
        put("system", json!(line.code.map(|code| json!({ "code": code }))));
        put(
            "reply_to",
            (line.reply.filter(|_| !over)).map_or(Value::Null, |seq| self.show_reply(viewer, chat, seq)),
        );
        let everyone = line.mentions_all.then_some("@all");
        let mentions = line.mentions.iter().map(|user| NAMES[*user]).chain(everyone);
        put("mentions", list(mentions.filter(|_| !over)));
        put(
            "reactions",
            if over {
                Value::Null
            } else {
                self.show_reactions(viewer, chat, line)
            },
        );
        let running = line.expires_at.filter(|_| line.kept.is_none());
        put("expires_at", running.map_or(Value::Null, time));
        put(
            "kept",
            (line.kept).map_or(Value::Null, |(at, by)| json!({"at": time(at), "by": NAMES[by]})),
        );
        let starred = !over && line.deleted.is_none() && self.has_starred(viewer, chat, line);
        put("starred", json!(starred.then_some(true)));
        put("silent", json!(line.silent));
        put("created_at", time(line.at));
        put("edited_at", line.edited_at.map_or(Value::Null, time));
        put("version", json!(line.version));
        put(
            "from_blocked",
            json!(self.is_folded(viewer, chat, line).then_some(true)),
        );
        put(
            "deleted",
            line.deleted
                .map_or(Value::Null, |(at, by)| json!({"at": time(at), "by": by})),
        );
        let first = line.forwarded.filter(|_| !over && line.deleted.is_none());
        put(
            "forwarded",
            first.map_or(Value::Null, |first| json!({"sender_id": NAMES[first]})),
        );
        let pinned = line.pinned.filter(|_| self.is_pinned(line));
        put(
            "pinned",
            pinned.map_or(Value::Null, |(at, by)| json!({"at": time(at), "by": NAMES[by]})),
        );
        let (recipients, delivered, read) = self.receipts(chat, line);
        let enough = |count: u64| count > 0 && (count == recipients || self.rules.any_reader_counts);
        let status = match (enough(read), enough(delivered)) {
            (true, _) => "read",
            (false, true) => "delivered",
            (false, false) => "sent",
        };
        put("status", json!(own.then_some(status)));
        let counts = json!({"recipients": recipients, "delivered": delivered, "read": read});
        put("receipts", json!(own.then_some(counts)));
        Value::Object(shown)
    }

    fn show_reply(&self, viewer: User, chat: &Chat, seq: u64) -> Value {
        let Some(target) = chat.line(seq) else {
            return Value::Null;
        };
        let (state, preview) = if !self.sees(viewer, chat, target) {
            ("unavailable", Value::Null)
        } else if target.deleted.is_some() {
            ("deleted", Value::Null)
        } else {
            (
                "visible",
                json!({"sender_id": NAMES[target.sender], "text": target.words}),
            )
        };
        json!({"message_id": target.id, "seq": seq, "state": state, "preview": preview})
    }

    fn show_reactions(&self, viewer: User, chat: &Chat, line: &Line) -> Value {
        let hides = self.rules.blocked == chat_core::config::BlockedInGroup::Hide && chat.pair.is_none();
        let mut kinds: Vec<(&str, Vec<User>)> = Vec::new();
        for (user, emoji) in &line.reactions {
            if hides && self.blocks(viewer, *user) {
                continue;
            }
            match kinds.iter_mut().find(|(kind, _)| kind == emoji) {
                Some((_, users)) => users.push(*user),
                None => kinds.push((emoji, vec![*user])),
            }
        }
        list(kinds.into_iter().map(|(emoji, users)| {
            json!({
                "emoji": emoji,
                "count": users.len(),
                "mine": users.contains(&viewer),
                "users": users.iter().map(|user| NAMES[*user]).collect::<Vec<_>>(),
            })
        }))
    }

    pub(super) fn show_chat(&self, viewer: User, chat: &Chat, me: &Person) -> Value {
        let unread = self.unread(viewer, chat);
        let mentions = unread.iter().filter(|line| line.mentions(viewer)).count();
        let members: Vec<Value> = (chat.members().into_iter())
            .map(|person| {
                let (delivered, shown_read) = self.known_marks(viewer, person);
                // Nobody but him and the admins knows of a mute.
                let knows = me.role >= Role::Admin || person.user == viewer;
                json!({
                    "user": {"id": NAMES[person.user]},
                    "role": role(person.role),
                    "muted_until": person.silenced(self.now).filter(|_| knows).map(muted),
                    "joined_at": time(person.joined_at),
                    "delivered_seq": if person.user == viewer { person.delivered } else { delivered },
                    "read_seq": if person.user == viewer { person.read } else { shown_read },
                })
            })
            .collect();
        let last = self.preview(viewer, chat).map(|line| {
            json!({
                "seq": line.seq,
                "kind": if line.code.is_some() { "system" } else { "text" },
                "sender_id": NAMES[line.sender],
                "preview": match line.code {
                    Some(_) => "Update",
                    // What a blocked user says is not shown unasked.
                    None if self.is_folded(viewer, chat, line) => "Message",
                    None => &line.words,
                },
                "from_blocked": self.is_folded(viewer, chat, line).then_some(true),
                "created_at": time(line.at),
                "expires_at": line.expires_at.filter(|_| line.kept.is_none()).map(time),
            })
        });
        json!({
            "id": chat.id,
            "kind": if chat.pair.is_some() { "direct" } else { "group" },
            "created_at": time(chat.created_at),
            "last_activity_at": time(chat.active_at),
            "last_seq": chat.last_seq(),
            "first_seq": chat.first_seq(),
            "retention_seconds": chat.retention.map(|time| time / 1000),
            "slow_mode_ms": chat.slow,
            "member_count": members.len(),
            "members": members,
            "peer": chat.peer(viewer).map(|peer| json!({"id": NAMES[peer]})),
            "last_message": last,
            "frozen": chat.frozen,
            "message_ttl_ms": chat.ttl,
            "my": {
                "role": role(me.role),
                "read_seq": me.read,
                "delivered_seq": me.delivered,
                "unread_count": unread.len(),
                "mention_count": mentions,
                "first_unread_seq": unread.first().map(|line| line.seq),
                "marked_unread": me.marker.is_some(),
                "pinned_at": me.pinned_at.map(time),
                "muted_until": me.muted.filter(|_| me.is_muted(self.now)).map(muted),
                "archived": me.archived,
                "hidden": me.hidden,
                "visible_from_seq": (me.visible_from..).find(|seq| me.was_here(*seq)),
                "notification_level": me.level,
                "next_send_at": self.next_send_at(chat, viewer).map(time),
                "can": self.can(chat, viewer),
            },
        })
    }

    /// A viewer's conversations behind a filter, in the order of the list.
    pub(super) fn list(&self, viewer: User, filter: InboxFilter) -> Vec<&Chat> {
        let mut listed: Vec<(&Chat, &Person)> = Vec::new();
        for chat in &self.chats {
            let Ok(me) = chat.member(viewer) else {
                continue;
            };
            let open = !me.hidden && !me.archived;
            let shown = match filter {
                InboxFilter::Default => open,
                InboxFilter::All => !me.hidden,
                InboxFilter::Unread => open && (me.marker.is_some() || !self.unread(viewer, chat).is_empty()),
                InboxFilter::Pinned => open && me.pinned_at.is_some(),
                InboxFilter::Archived => me.archived && !me.hidden,
                InboxFilter::Muted => open && me.is_muted(self.now),
                InboxFilter::Direct => open && chat.pair.is_some(),
                InboxFilter::Group => open && chat.pair.is_none(),
            };
            if shown {
                listed.push((chat, me));
            }
        }
        // Pinned first, then latest activity, then higher id.
        listed.sort_by_key(|(chat, me)| std::cmp::Reverse((me.pinned_at.is_some(), chat.active_at, chat.id)));
        listed.into_iter().map(|(chat, _)| chat).collect()
    }

    pub(super) fn show_badge(&self, viewer: User) -> Value {
        let (mut messages, mut conversations, mut mentions) = (0, 0, 0);
        for chat in self.list(viewer, InboxFilter::Default) {
            let me = chat.member(viewer).ok();
            if me.is_some_and(|me| me.is_muted(self.now)) {
                continue;
            }
            let unread = self.unread(viewer, chat);
            messages += unread.len();
            mentions += unread.iter().filter(|line| line.mentions(viewer)).count();
            conversations += usize::from(!unread.is_empty() || me.is_some_and(|me| me.marker.is_some()));
        }
        json!({"unread_messages": messages, "unread_conversations": conversations, "mentions": mentions})
    }

    /// When each recipient got and read a message, as others may know.
    pub(super) fn show_receipts(&self, viewer: User, chat: &Chat, line: &Line) -> Value {
        let mut shown = Vec::new();
        for person in chat.members() {
            if person.user == line.sender || !person.was_here(line.seq) {
                continue;
            }
            let apart = self
                .apart_since(viewer, person.user)
                .filter(|_| viewer != person.user);
            let first = |read: bool| {
                let mut moves = person.moves.iter();
                moves
                    .find(|step| step.read == read && step.shown && step.to >= line.seq)
                    .filter(|step| apart.is_none_or(|apart| step.at <= apart))
                    .map(|step| time(step.at))
            };
            shown.push(json!({
                "user": {"id": NAMES[person.user]},
                "delivered_at": first(false),
                "read_at": first(true),
            }));
        }
        shown.into()
    }

    /// Messages of people that a viewer sees, of all chats, newest first.
    fn said(&self, viewer: User) -> Vec<(&Chat, &Line)> {
        let mut said: Vec<(&Chat, &Line)> = (self.chats.iter())
            .flat_map(|chat| {
                self.seen_lines(viewer, chat)
                    .into_iter()
                    .map(move |line| (chat, line))
            })
            .filter(|(_, line)| line.code.is_none() && line.deleted.is_none())
            .collect();
        said.sort_by_key(|(_, line)| std::cmp::Reverse((line.at, line.id)));
        said
    }

    /// Messages that contain a text, newest first.
    pub(super) fn search(&self, viewer: User, q: &str) -> Vec<(&Chat, &Line)> {
        let wanted = q.to_lowercase();
        let mut hits = self.said(viewer);
        hits.retain(|(_, line)| line.words.to_lowercase().contains(&wanted));
        hits
    }

    /// Messages of others that mention a viewer and are not folded up, newest first.
    pub(super) fn mentioning(&self, viewer: User, unread: bool) -> Vec<(&Chat, &Line)> {
        let mut found = self.said(viewer);
        found.retain(|(chat, line)| {
            line.sender != viewer
                && line.mentions(viewer)
                && !self.is_folded(viewer, chat, line)
                && (!unread || self.unread(viewer, chat).iter().any(|new| new.seq == line.seq))
        });
        found
    }

    /// What a message said before, for who may know: the newest version first.
    pub(super) fn former(&self, viewer: User, chat: &Chat, line: &Line) -> Outcome<Vec<Value>> {
        let admin = chat.pair.is_none() && chat.member(viewer)?.role >= Role::Admin;
        match self.rules.edit_history {
            EditHistory::Members => {}
            EditHistory::Moderators if admin => {}
            EditHistory::Moderators | EditHistory::Off => return Err(ErrorCode::Forbidden),
        }
        let former = line.former.iter().rev();
        Ok(former
            .map(|(version, text, at)| json!({"version": version, "text": text, "edited_at": time(*at)}))
            .collect())
    }

    /// A scheduled message as its owner sees it.
    pub(super) fn show_plan(&self, plan: &Plan) -> Value {
        let payload = &plan.now.payload;
        let mentions = payload.mentions.iter().map(|mention| match mention {
            Mention::One(user) => NAMES[*user],
            Mention::All => "@all",
        });
        let reply = (payload.reply).and_then(|(c, seq)| self.chats[c].line(seq)?.id);
        let text = Some(&payload.text).filter(|text| !text.is_empty());
        let chat = plan.chat.map(|c| &self.chats[c]);
        let recipient = match plan.now.to {
            Address::User(user) => Some(NAMES[user]),
            Address::Chat(_) => None,
        };
        json!({
            "id": plan.id,
            "client_id": plan.key,
            "conversation_id": chat.map(|chat| chat.id),
            "recipient_id": recipient,
            "message": {"kind": "text", "text": text, "mentions": list(mentions), "reply_to": reply},
            "send_at": time(plan.now.send_at),
            "state": plan.state,
            "message_id": plan.sent.and_then(|seq| chat?.line(seq)?.id),
            "error_code": plan.error.map(|code| code.as_str()),
            "version": plan.version,
            "created_at": time(plan.created_at),
        })
    }
}

/// The first place where the engine's answer is not what the model says; more of it than the model says is no
/// difference, but for lists.
pub(crate) fn difference(path: &str, model: &Value, engine: &Value) -> Option<String> {
    match (model, engine) {
        (Value::Object(model), Value::Object(engine)) => model.iter().find_map(|(key, value)| {
            let other = engine.get(key).unwrap_or(&Value::Null);
            difference(&format!("{path}.{key}"), value, other)
        }),
        (Value::Array(model), Value::Array(engine)) if model.len() == engine.len() => {
            let pairs = model.iter().zip(engine).enumerate();
            pairs
                .into_iter()
                .find_map(|(i, (model, engine))| difference(&format!("{path}[{i}]"), model, engine))
        }
        (model, engine) if model == engine => None,
        (model, engine) => Some(format!("{path}: the model says {model}, the engine {engine}")),
    }
}
