//! Sending, retrying, editing, deleting, reacting.

use chat_core::ChatResult;
use chat_core::command::{DeleteMessage, DeletionScope, EditMessage, KeepMessage, ReactTo, SendMessage};
use chat_core::id::UserId;
use chat_core::view::{MessageView, SentMessage};
use serde_json::json;

use super::mention_id;
use crate::model::Verdict;
use crate::model::compare::expect;
use crate::model::game::Game;
use crate::model::reference::{Mention, Outcome, Payload, User};
use crate::model::rng::Rng;
use crate::model::rules::Sent;
use crate::model::show::NAMES;
use crate::world::client_id;

impl Game {
    pub(in crate::model) fn payload(&self, rng: &mut Rng, c: usize) -> Payload {
        let mut mentions = Vec::new();
        if rng.once_in(3) {
            for _ in 0..1 + rng.below(2) {
                mentions.push(if rng.once_in(3) {
                    Mention::All
                } else {
                    Mention::One(rng.below(NAMES.len()))
                });
            }
        }
        let from = if rng.once_in(8) {
            rng.below(self.model.chats.len())
        } else {
            c
        };
        let reply = rng.once_in(5).then(|| self.pick_line(rng, from)).flatten();
        Payload {
            text: rng.clone().word(2 + rng.below(4)),
            silent: rng.once_in(6),
            mentions,
            reply: reply.map(|(seq, _)| (from, seq)),
            forward: None,
        }
    }

    pub(in crate::model) fn command(&self, payload: &Payload, key: Option<&str>) -> SendMessage {
        let reply = payload
            .reply
            .and_then(|(c, seq)| self.model.chats[c].line(seq)?.id);
        SendMessage {
            client_id: key.map(client_id),
            text: Some(payload.text.clone()),
            silent: payload.silent,
            mentions: payload
                .mentions
                .iter()
                .map(|mention| mention_id(*mention))
                .collect(),
            reply_to: reply,
            ..SendMessage::default()
        }
    }

    pub(super) async fn send(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let payload = self.payload(rng, c);
        self.sent += 1;
        let key = rng.once_in(2).then(|| format!("k{}", self.sent));
        self.send_this(user, c, payload, key).await
    }

    pub(super) async fn retry(&mut self, rng: &mut Rng) -> Verdict {
        let sent = self
            .model
            .chats
            .iter()
            .enumerate()
            .flat_map(|(c, chat)| chat.lines.iter().map(move |line| (c, line)));
        let keyed: Vec<_> = sent
            .filter_map(|(c, line)| Some((c, line.sender, line.key.clone()?, line.payload.clone())))
            // Keys of scheduled messages are the engine's.
            .filter(|(_, _, key, _)| !key.starts_with("sched:"))
            .collect();
        if keyed.is_empty() {
            return Ok(());
        }
        let (c, mut user, key, mut payload) = keyed[rng.below(keyed.len())].clone();
        match rng.below(6) {
            0 if payload.forward.is_none() => payload.text.push('!'),
            1 => payload.silent = !payload.silent,
            2 => user = rng.below(NAMES.len()),
            _ => {}
        }
        if let Some(from) = payload.forward {
            return self.forward_this(user, from, c, payload.silent, Some(key)).await;
        }
        self.send_this(user, c, payload, Some(key)).await
    }

    async fn send_this(&mut self, user: User, c: usize, payload: Payload, key: Option<String>) -> Verdict {
        self.log
            .push(format!("{} sends to #{c}: {payload:?} {key:?}", NAMES[user]));
        let command = SendMessage {
            conversation_id: Some(self.model.chats[c].id),
            ..self.command(&payload, key.as_deref())
        };
        let model = self.model.send(user, c, &payload, key.as_deref());
        let engine = self.actors[user].send(command).await;
        self.sent_as(user, c, model, engine)
    }

    /// The answer to a send or a forward.
    pub(super) fn sent_as(
        &mut self,
        user: User,
        c: usize,
        model: Outcome<Sent>,
        engine: ChatResult<SentMessage>,
    ) -> Verdict {
        let Some((model, engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let seq = model.seq;
        let line = &mut self.model.chats[c].lines[seq as usize - 1];
        line.id = line.id.or(Some(engine.message.id));
        let chat = &self.model.chats[c];
        let line = &chat.lines[seq as usize - 1];
        let dropped: Vec<UserId> = model.dropped.into_iter().map(mention_id).collect();
        let wanted = json!({
            "message": self.model.show_line(user, chat, line),
            "replayed": model.replayed,
            "dropped_mentions": dropped,
        });
        expect("sent", &wanted, &json!(engine))
    }

    pub(super) async fn send_to(&mut self, rng: &mut Rng, user: User) -> Verdict {
        let other = rng.below(NAMES.len());
        let payload = Payload {
            text: rng.word(3),
            ..Payload::nothing()
        };
        self.log
            .push(format!("{} sends to {}", NAMES[user], NAMES[other]));
        let model = match self.model.direct(user, other) {
            Ok(Some(c)) => self.model.send(user, c, &payload, None).map(|_| c),
            Ok(None) => {
                let c = self.model.new_chat(
                    chat_core::id::ConversationId::from_uuid(uuid::Uuid::nil()),
                    Some((user, other)),
                    &[user, other],
                );
                self.model.send(user, c, &payload, None).map(|_| c)
            }
            Err(code) => Err(code),
        };
        let command = SendMessage {
            recipient_id: Some(Self::id(other)),
            ..self.command(&payload, None)
        };
        let engine = self.actors[user].send(command).await;
        let Some((c, engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &mut self.model.chats[c];
        chat.id = engine.message.conversation_id;
        if let Some(line) = chat.lines.last_mut() {
            line.id = Some(engine.message.id);
        }
        let chat = &self.model.chats[c];
        let me = chat.member(user).map_err(|code| format!("{code:?}"))?;
        expect(
            "its conversation",
            &self.model.show_chat(user, chat, me),
            &json!(engine.conversation),
        )
    }

    pub(super) async fn edit(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let Some((seq, id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let line = self.model.chats[c].lines[seq as usize - 1].sender;
        let user = if rng.once_in(4) { user } else { line };
        let payload = self.payload(rng, c);
        let same = self.model.chats[c].lines[seq as usize - 1].words.clone();
        let text = if rng.once_in(5) { same } else { payload.text };
        let mentions = rng.once_in(2).then_some(payload.mentions);
        let version = rng.once_in(4).then(|| 1 + rng.below(2) as u32);
        self.log.push(format!(
            "{} edits #{c}/{seq}: {text} {mentions:?} {version:?}",
            NAMES[user]
        ));
        let edit = EditMessage {
            message_id: id,
            text: text.clone(),
            mentions: mentions
                .as_ref()
                .map(|mentions| mentions.iter().map(|mention| mention_id(*mention)).collect()),
            expected_version: version,
        };
        let model = self.model.edit(user, c, seq, &text, mentions.as_deref(), version);
        let engine = self.actors[user].edit(edit).await;
        self.changed(user, c, seq, model, engine)
    }

    pub(super) fn changed(
        &self,
        user: User,
        c: usize,
        seq: u64,
        model: Outcome<()>,
        engine: ChatResult<MessageView>,
    ) -> Verdict {
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &self.model.chats[c];
        expect(
            "changed",
            &self.model.show_line(user, chat, &chat.lines[seq as usize - 1]),
            &json!(engine),
        )
    }

    pub(super) async fn delete(
        &mut self,
        rng: &mut Rng,
        user: User,
        c: usize,
        scope: DeletionScope,
    ) -> Verdict {
        let Some((seq, message_id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let line = &self.model.chats[c].lines[seq as usize - 1];
        let user = if scope == DeletionScope::Everyone && rng.once_in(2) {
            line.sender
        } else {
            user
        };
        self.log
            .push(format!("{} deletes #{c}/{seq} for {scope:?}", NAMES[user]));
        let model = match scope {
            DeletionScope::Me => self.model.delete_for_me(user, c, seq),
            DeletionScope::Everyone => self.model.delete_for_everyone(user, c, seq),
        };
        let engine = self.actors[user]
            .delete_message(DeleteMessage { message_id, scope })
            .await;
        self.agree(model, engine).map(drop)
    }

    pub(super) async fn keep(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let Some((seq, message_id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let on = !rng.once_in(3);
        self.log.push(format!("{} keeps #{c}/{seq}: {on}", NAMES[user]));
        let model = self.model.keep(user, c, seq, on);
        let keep = KeepMessage { message_id };
        if on {
            let engine = self.actors[user].keep_message(keep).await;
            return self.changed(user, c, seq, model, engine);
        }
        let engine = self.actors[user].unkeep_message(keep).await;
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &self.model.chats[c];
        let line = &chat.lines[seq as usize - 1];
        let wanted = if self.model.is_over(line) {
            json!({"id": message_id, "seq": seq, "gone": true})
        } else {
            self.model.show_line(user, chat, line)
        };
        expect("let go", &wanted, &json!(engine))
    }

    pub(super) async fn react(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let Some((seq, message_id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let (emoji, toggles) = (rng.pick(&["👍", "❤"]), rng.once_in(4));
        let there =
            (self.model.chats[c].line(seq)).is_some_and(|line| line.reactions.contains(&(user, emoji)));
        let on = if toggles { !there } else { !rng.once_in(3) };
        self.log.push(format!(
            "{} reacts to #{c}/{seq}: {emoji} {on}, toggles: {toggles}",
            NAMES[user]
        ));
        let react = ReactTo {
            message_id,
            emoji: emoji.to_owned(),
        };
        let model = self.model.react(user, c, seq, emoji, on);
        let actor = &self.actors[user];
        let engine = if toggles {
            actor.toggle_reaction(react).await
        } else if on {
            actor.add_reaction(react).await
        } else {
            actor.remove_reaction(react).await
        };
        self.changed(user, c, seq, model, engine)
    }
}
