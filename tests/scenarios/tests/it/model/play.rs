//! The steps of a history: each is done to the model and to the engine, and the two answers are compared.

use chat_core::command::{
    AddMembers, ConversationPatch, ConversationSettings, CreateGroup, DeleteMessage, DeletionScope,
    EditMessage, Mark, Marks, OpenDirect, PermissionsPatch, ReactTo, SendMessage, SetRole, TransferOwnership,
};
use chat_core::id::UserId;
use chat_core::model::{Permission, Role};
use chat_core::view::{MarkAnswer, MarksAnswer};
use serde_json::json;

use super::Verdict;
use super::compare::expect;
use super::game::Game;
use super::groups::Own;
use super::reference::{Mention, Mute, Payload, User};
use super::rng::Rng;
use super::show::{NAMES, muted};
use crate::world::client_id;

const MINUTE: u64 = 60_000;

fn mention_id(mention: Mention) -> UserId {
    match mention {
        Mention::One(user) => Game::id(user),
        Mention::All => UserId::new("@all").unwrap(),
    }
}

fn ids(users: &[User]) -> Vec<UserId> {
    users.iter().map(|user| Game::id(*user)).collect()
}

impl Game {
    pub(super) async fn step(&mut self, rng: &mut Rng) -> Verdict {
        if self.model.chats.is_empty() {
            return Ok(());
        }
        let c = rng.below(self.model.chats.len());
        let user = self.pick_user(rng, c);
        match rng.below(100) {
            0..=22 => self.send(rng, user, c).await,
            23..=25 => self.retry(rng).await,
            26..=30 => self.edit(rng, user, c).await,
            31..=34 => self.delete(rng, user, c, DeletionScope::Me).await,
            35..=39 => self.delete(rng, user, c, DeletionScope::Everyone).await,
            40..=44 => self.react(rng, user, c).await,
            45..=52 => self.mark(rng, user, c).await,
            53..=55 => self.mark_unread(rng, user, c).await,
            56 => self.read_all(user).await,
            57..=62 => self.change_members(rng, user, c).await,
            63..=66 => self.change_group(rng, user, c).await,
            67..=70 => self.block(rng, user).await,
            71..=81 => self.own_side(rng, user, c).await,
            82..=83 => self.send_to(rng, user).await,
            84 => self.open_direct(user, rng.below(NAMES.len())).await,
            85 if self.model.chats.len() < 6 => self.create_group(user, rng.users(NAMES.len(), 4)).await,
            86..=91 => {
                let millis = rng.pick(&[
                    1,
                    1000,
                    20_000,
                    10 * MINUTE,
                    30 * MINUTE,
                    30 * MINUTE,
                    61 * MINUTE,
                ]);
                self.wait(millis);
                Ok(())
            }
            _ => {
                let how = rng.below(3);
                self.sync(user, rng, how).await
            }
        }
    }

    fn payload(&self, rng: &mut Rng, c: usize) -> Payload {
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
        }
    }

    fn command(&self, payload: &Payload, key: Option<&str>) -> SendMessage {
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

    async fn send(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let payload = self.payload(rng, c);
        self.sent += 1;
        let key = rng.once_in(2).then(|| format!("k{}", self.sent));
        self.send_this(user, c, payload, key).await
    }

    async fn retry(&mut self, rng: &mut Rng) -> Verdict {
        let sent = self
            .model
            .chats
            .iter()
            .enumerate()
            .flat_map(|(c, chat)| chat.lines.iter().map(move |line| (c, line)));
        let keyed: Vec<_> = sent
            .filter_map(|(c, line)| Some((c, line.sender, line.key.clone()?, line.payload.clone())))
            .collect();
        if keyed.is_empty() {
            return Ok(());
        }
        let (c, mut user, key, mut payload) = keyed[rng.below(keyed.len())].clone();
        match rng.below(6) {
            0 => payload.text.push('!'),
            1 => payload.silent = !payload.silent,
            2 => user = rng.below(NAMES.len()),
            _ => {}
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

    /// To a user: the direct is found or made in the same step.
    async fn send_to(&mut self, rng: &mut Rng, user: User) -> Verdict {
        let other = rng.below(NAMES.len());
        let payload = Payload {
            text: rng.word(3),
            silent: false,
            mentions: Vec::new(),
            reply: None,
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

    async fn edit(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
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

    /// The message a command answers with.
    fn changed(
        &self,
        user: User,
        c: usize,
        seq: u64,
        model: super::reference::Outcome<()>,
        engine: chat_core::ChatResult<chat_core::view::MessageView>,
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

    async fn delete(&mut self, rng: &mut Rng, user: User, c: usize, scope: DeletionScope) -> Verdict {
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

    async fn react(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let Some((seq, message_id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let (emoji, on) = (rng.pick(&["👍", "❤"]), !rng.once_in(3));
        self.log
            .push(format!("{} reacts to #{c}/{seq}: {emoji} {on}", NAMES[user]));
        let react = ReactTo {
            message_id,
            emoji: emoji.to_owned(),
        };
        let model = self.model.react(user, c, seq, emoji, on);
        let actor = &self.actors[user];
        let engine = if on {
            actor.add_reaction(react).await
        } else {
            actor.remove_reaction(react).await
        };
        self.changed(user, c, seq, model, engine)
    }

    async fn mark(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let last = self.model.chats[c].last_seq();
        let seq = if rng.once_in(2) {
            last
        } else {
            rng.below(last as usize + 3) as u64
        };
        let reads = rng.once_in(2);
        self.log
            .push(format!("{} marks #{c} up to {seq}, reads: {reads}", NAMES[user]));
        let marks = Marks {
            conversation_id: Some(self.model.chats[c].id),
            seq: Some(seq),
            marks: None,
        };
        let model = self.model.mark(user, c, seq, reads);
        let actor = &self.actors[user];
        let engine = if reads {
            actor.mark_read(marks).await
        } else {
            actor.mark_delivered(marks).await
        };
        self.marked(user, c, model, engine)
    }

    async fn mark_unread(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let last = self.model.chats[c].last_seq();
        let seq = (!rng.once_in(4)).then(|| rng.below(last as usize + 2) as u64);
        self.log
            .push(format!("{} marks #{c} unread from {seq:?}", NAMES[user]));
        let mark = Mark {
            conversation_id: self.model.chats[c].id,
            seq,
        };
        let model = self.model.mark_unread(user, c, seq);
        let engine = self.actors[user].mark_unread(mark).await;
        self.marked(user, c, model, engine)
    }

    fn marked(
        &self,
        user: User,
        c: usize,
        model: super::reference::Outcome<()>,
        engine: chat_core::ChatResult<MarksAnswer>,
    ) -> Verdict {
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &self.model.chats[c];
        let me = chat.member(user).map_err(|code| format!("{code:?}"))?;
        let unread = self.model.unread(user, chat).len();
        let wanted = json!([{"delivered_seq": me.delivered, "read_seq": me.read, "unread_count": unread}]);
        expect("marks", &wanted, &json!(engine.marks as Vec<MarkAnswer>))
    }

    async fn read_all(&mut self, user: User) -> Verdict {
        self.log.push(format!("{} reads everything", NAMES[user]));
        let model = self.model.read_all(user);
        let engine = self.actors[user].read_all().await;
        let Some((model, engine)) = self.agree(Ok(model), engine)? else {
            return Ok(());
        };
        expect("read", &json!(model), &json!(engine.conversations))
    }

    async fn change_members(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let (id, other) = (self.model.chats[c].id, self.pick_user(rng, c));
        match rng.below(5) {
            0 => {
                self.log.push(format!("{} leaves #{c}", NAMES[user]));
                let model = self.model.leave(user, c);
                self.agree(model, self.actors[user].leave(id).await).map(drop)
            }
            1 => {
                self.log
                    .push(format!("{} removes {} from #{c}", NAMES[user], NAMES[other]));
                let model = self.model.remove(user, c, other);
                let engine = self.actors[user].remove_member(id, &Self::id(other)).await;
                self.agree(model, engine).map(drop)
            }
            _ => {
                let asked = rng.users(NAMES.len(), 3);
                self.log.push(format!("{} adds {asked:?} to #{c}", NAMES[user]));
                let model = self.model.add(user, c, &asked);
                let engine = self.actors[user]
                    .add_members(
                        id,
                        AddMembers {
                            user_ids: ids(&asked),
                        },
                    )
                    .await;
                let Some((model, engine)) = self.agree(model, engine)? else {
                    return Ok(());
                };
                let wanted = json!({
                    "added": ids(&model.added),
                    "already_members": ids(&model.already),
                    "skipped": ids(&model.skipped),
                });
                expect("added", &wanted, &json!(engine))
            }
        }
    }

    async fn change_group(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let (id, other) = (self.model.chats[c].id, self.pick_user(rng, c));
        let name = NAMES[user];
        let actor = self.actors[user].clone();
        match rng.below(12) {
            0..=4 => {
                let role = rng.pick(&[Role::Admin, Role::Admin, Role::Member]);
                self.log
                    .push(format!("{name} makes {} of #{c} {role:?}", NAMES[other]));
                let model = self.model.set_role(user, c, other, role);
                self.agree(
                    model,
                    actor.set_role(id, &Self::id(other), SetRole { role }).await,
                )
                .map(drop)
            }
            5 => {
                self.log.push(format!("{name} hands #{c} to {}", NAMES[other]));
                let model = self.model.transfer(user, c, other);
                let to = TransferOwnership {
                    user_id: Self::id(other),
                };
                self.agree(model, actor.transfer_ownership(id, to).await)
                    .map(drop)
            }
            6 => {
                self.log.push(format!("{name} deletes #{c}"));
                let model = self.model.dissolve(user, c);
                self.agree(model, actor.delete_conversation(id).await).map(drop)
            }
            7..=8 => {
                let (send, add) = (rng.once_in(3), rng.once_in(2));
                self.log.push(format!(
                    "{name} permits in #{c}: only admins send {send}, everyone adds {add}"
                ));
                let by = |everyone: bool| {
                    Some(if everyone {
                        Permission::Everyone
                    } else {
                        Permission::Admins
                    })
                };
                let permissions = PermissionsPatch {
                    send: by(!send),
                    add_members: by(add),
                    edit_info: None,
                };
                let patch = ConversationPatch {
                    permissions: Some(permissions),
                    ..ConversationPatch::default()
                };
                let model = self.model.permit(user, c, send, add);
                self.agree(model, actor.update_conversation(id, patch).await)
                    .map(drop)
            }
            _ => {
                let on = rng.once_in(2);
                self.log.push(format!("{name} freezes #{c}: {on}"));
                let patch = ConversationPatch {
                    frozen: Some(on),
                    ..ConversationPatch::default()
                };
                let model = self.model.freeze(user, c, on);
                self.agree(model, actor.update_conversation(id, patch).await)
                    .map(drop)
            }
        }
    }

    async fn block(&mut self, rng: &mut Rng, user: User) -> Verdict {
        let (other, on) = (rng.below(NAMES.len()), rng.once_in(2));
        self.log
            .push(format!("{} blocks {}: {on}", NAMES[user], NAMES[other]));
        let model = self.model.block(user, other, on);
        let (actor, other) = (&self.actors[user], Self::id(other));
        let engine = if on {
            actor.block(&other).await
        } else {
            actor.unblock(&other).await
        };
        self.agree(model, engine).map(drop)
    }

    async fn own_side(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let until = Mute::Until(self.model.now + 60_000 * (rng.below(40) as i64 - 5));
        let own = match rng.below(11) {
            0..=1 => Own::Pin(!rng.once_in(3)),
            2 => Own::Mute(Some(Mute::Forever)),
            3 => Own::Mute(Some(until)),
            4 => Own::Mute(None),
            5..=7 => Own::Archive(!rng.once_in(4)),
            8..=9 => Own::Clear,
            _ => Own::Hide,
        };
        self.log.push(format!("{} sets #{c}: {own:?}", NAMES[user]));
        let model = self.model.change_own_side(user, c, own);
        let (actor, id) = (&self.actors[user], self.model.chats[c].id);
        let mut patch = ConversationSettings::default();
        match own {
            Own::Pin(on) => patch.pinned = Some(on),
            Own::Mute(mute) => patch.muted_until = Some(mute.map(muted)),
            Own::Archive(on) => patch.archived = Some(on),
            Own::Clear => return self.agree(model, actor.clear(id).await).map(drop),
            Own::Hide => return self.agree(model, actor.hide(id).await).map(drop),
        }
        let engine = actor.update_conversation_settings(id, patch).await;
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &self.model.chats[c];
        let me = chat.member(user).map_err(|code| format!("{code:?}"))?;
        expect("settings", &self.model.show_chat(user, chat, me), &json!(engine))
    }

    pub(super) async fn open_direct(&mut self, user: User, other: User) -> Verdict {
        self.log
            .push(format!("{} opens a direct with {}", NAMES[user], NAMES[other]));
        let model = self.model.direct(user, other);
        let engine = self.actors[user]
            .open_direct(OpenDirect {
                user_id: Self::id(other),
            })
            .await;
        let Some((found, engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        expect("created", &json!(found.is_none()), &json!(engine.created))?;
        let id = engine.conversation.id;
        let c = found.unwrap_or_else(|| self.model.new_chat(id, Some((user, other)), &[user, other]));
        expect("direct", &json!(self.model.chats[c].id), &json!(id))
    }

    pub(super) async fn create_group(&mut self, user: User, others: Vec<User>) -> Verdict {
        self.log
            .push(format!("{} makes a group with {others:?}", NAMES[user]));
        let model = self.model.plan_group(user, &others);
        let create = CreateGroup {
            name: format!("g{}", self.model.chats.len()),
            member_ids: ids(&others),
            description: None,
            avatar_attachment_id: None,
            permissions: None,
            custom: None,
            client_id: None,
        };
        let engine = self.actors[user].create_group(create).await;
        let Some(((mut kept, skipped), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        expect("skipped", &json!(ids(&skipped)), &json!(engine.skipped))?;
        kept.insert(0, user);
        let c = self.model.new_chat(engine.conversation.id, None, &kept);
        if let Some(person) = self.model.chats[c].person_mut(user) {
            person.role = Role::Owner;
        }
        self.model.say(c, user, "conversation_created");
        Ok(())
    }
}
