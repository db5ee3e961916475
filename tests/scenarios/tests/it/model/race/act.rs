//! Commands as data: the same one is done to the engine once and to the model in any place of an order.

use chat_core::command::{
    AddMembers, ConversationPatch, ConversationSettings, DeleteMessage, DeletionScope, EditMessage, Mark,
    Marks, OpenDirect, PermissionsPatch, PinMessage, ReactTo, SetRole, StarMessage, TransferOwnership,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{Permission, Role};
use chat_core::{Actor, command::SendMessage};

use crate::model::game::Game;
use crate::model::groups::{Own, Permits};
use crate::model::play::ids;
use crate::model::reference::{Model, Outcome, Payload, User};
use crate::model::rng::Rng;
use crate::world::client_id;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) user: User,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Send(usize, Payload, Option<String>),
    Edit(usize, u64, String),
    Delete(usize, u64, DeletionScope),
    React(usize, u64, &'static str, bool),
    Mark(usize, u64, bool),
    MarkUnread(usize, Option<u64>),
    Add(usize, Vec<User>),
    Remove(usize, User),
    Leave(usize),
    SetRole(usize, User, Role),
    Transfer(usize, User),
    Dissolve(usize),
    Freeze(usize, bool),
    Permit(usize, Permits),
    Own(usize, Own),
    Pin(usize, u64, bool),
    Star(usize, u64, bool),
    Block(User, bool),
    OpenDirect(User),
}

/// What of an answer says where in the order it stands, and what was made.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Compared with the model's.
    pub(super) told: String,
    message: Option<MessageId>,
    conversation: Option<ConversationId>,
}

impl Said {
    fn only(told: impl ToString) -> Self {
        Self {
            told: told.to_string(),
            ..Self::default()
        }
    }
}

/// The command as the engine takes it, with the ids it needs.
pub(super) enum Command {
    Send(Box<SendMessage>),
    Edit(EditMessage),
    Delete(DeleteMessage),
    React(ReactTo, bool),
    Mark(Marks, bool),
    MarkUnread(Mark),
    Add(ConversationId, AddMembers),
    Remove(ConversationId, User),
    Leave(ConversationId),
    SetRole(ConversationId, User, Role),
    Transfer(ConversationId, User),
    Dissolve(ConversationId),
    Change(ConversationId, Box<ConversationPatch>),
    Settings(ConversationId, ConversationSettings),
    Clear(ConversationId),
    Hide(ConversationId),
    Pin(MessageId, bool),
    Star(MessageId, bool),
    Block(User, bool),
    OpenDirect(User),
}

impl Game {
    /// Something for a race in one chat, where others do something too.
    pub(super) fn draw(&self, rng: &mut Rng, c: usize) -> Option<Act> {
        let user = self.pick_user(rng, c);
        let other = self.pick_user(rng, c);
        let line = |rng: &mut Rng| self.pick_line(rng, c).map(|(seq, _)| seq);
        let last = self.model.chats[c].last_seq();
        let what = match rng.below(40) {
            0..=9 => {
                // The same key twice, now and then.
                let key = rng
                    .once_in(3)
                    .then(|| format!("race-{}-{}", self.sent, rng.below(2)));
                What::Send(c, self.payload(rng, c), key)
            }
            10..=11 => What::Edit(c, line(rng)?, rng.word(3)),
            12..=13 => What::Delete(c, line(rng)?, DeletionScope::Me),
            14..=16 => What::Delete(c, line(rng)?, DeletionScope::Everyone),
            17..=18 => What::React(c, line(rng)?, rng.pick(&["👍", "❤"]), !rng.once_in(3)),
            19..=21 => What::Mark(c, last + rng.below(3) as u64, rng.once_in(2)),
            22 => What::MarkUnread(c, rng.once_in(2).then_some(last)),
            23..=24 => What::Add(c, rng.users(self.model.users, 2)),
            25..=26 => What::Remove(c, other),
            27 => What::Leave(c),
            28 => What::SetRole(c, other, rng.pick(&[Role::Admin, Role::Member])),
            29 => What::Transfer(c, other),
            30 if rng.once_in(3) => What::Dissolve(c),
            30..=31 => What::Freeze(c, rng.once_in(2)),
            32 => What::Permit(
                c,
                Permits {
                    only_admins_send: rng.once_in(2),
                    everyone_adds: rng.once_in(2),
                    everyone_edits: rng.once_in(2),
                    everyone_pins: rng.once_in(2),
                },
            ),
            33 => What::Own(
                c,
                rng.pick(&[Own::Pin(true), Own::Archive(true), Own::Clear, Own::Hide]),
            ),
            34 => What::Pin(c, line(rng)?, !rng.once_in(4)),
            35 => What::Star(c, line(rng)?, !rng.once_in(4)),
            36..=37 => What::Block(other, !rng.once_in(3)),
            _ => What::OpenDirect(rng.below(self.model.users)),
        };
        let chief = matches!(
            what,
            What::Remove(..)
                | What::SetRole(..)
                | What::Transfer(..)
                | What::Dissolve(..)
                | What::Freeze(..)
                | What::Permit(..)
        );
        let user = if chief {
            let members = self.model.chats[c].members();
            let highest = members.iter().max_by_key(|person| person.role);
            highest
                .filter(|_| !rng.once_in(4))
                .map_or(user, |person| person.user)
        } else {
            user
        };
        Some(Act { user, what })
    }

    pub(super) fn as_command(&self, act: &Act) -> Option<Command> {
        let id = |c: usize| self.model.chats[c].id;
        let message = |c: usize, seq: u64| self.model.chats[c].line(seq).and_then(|line| line.id);
        Some(match &act.what {
            What::Send(c, payload, key) => Command::Send(Box::new(SendMessage {
                conversation_id: Some(id(*c)),
                client_id: key.as_deref().map(client_id),
                ..self.command(payload, None)
            })),
            What::Edit(c, seq, text) => Command::Edit(EditMessage {
                message_id: message(*c, *seq)?,
                text: text.clone(),
                mentions: None,
                expected_version: None,
            }),
            What::Delete(c, seq, scope) => Command::Delete(DeleteMessage {
                message_id: message(*c, *seq)?,
                scope: *scope,
            }),
            What::React(c, seq, emoji, on) => {
                let react = ReactTo {
                    message_id: message(*c, *seq)?,
                    emoji: (*emoji).to_owned(),
                };
                Command::React(react, *on)
            }
            What::Mark(c, seq, reads) => {
                let marks = Marks {
                    conversation_id: Some(id(*c)),
                    seq: Some(*seq),
                    marks: None,
                };
                Command::Mark(marks, *reads)
            }
            What::MarkUnread(c, seq) => Command::MarkUnread(Mark {
                conversation_id: id(*c),
                seq: *seq,
            }),
            What::Add(c, asked) => Command::Add(id(*c), AddMembers { user_ids: ids(asked) }),
            What::Remove(c, other) => Command::Remove(id(*c), *other),
            What::Leave(c) => Command::Leave(id(*c)),
            What::SetRole(c, other, role) => Command::SetRole(id(*c), *other, *role),
            What::Transfer(c, other) => Command::Transfer(id(*c), *other),
            What::Dissolve(c) => Command::Dissolve(id(*c)),
            What::Freeze(c, on) => {
                let patch = ConversationPatch {
                    frozen: Some(*on),
                    ..ConversationPatch::default()
                };
                Command::Change(id(*c), Box::new(patch))
            }
            What::Permit(c, wanted) => {
                let by = |everyone: bool| {
                    Some(if everyone {
                        Permission::Everyone
                    } else {
                        Permission::Admins
                    })
                };
                let permissions = PermissionsPatch {
                    send: by(!wanted.only_admins_send),
                    add_members: by(wanted.everyone_adds),
                    edit_info: by(wanted.everyone_edits),
                    pin_messages: by(wanted.everyone_pins),
                };
                let patch = ConversationPatch {
                    permissions: Some(permissions),
                    ..ConversationPatch::default()
                };
                Command::Change(id(*c), Box::new(patch))
            }
            What::Own(c, own) => {
                let mut patch = ConversationSettings::default();
                match own {
                    Own::Pin(on) => patch.pinned = Some(*on),
                    Own::Archive(on) => patch.archived = Some(*on),
                    Own::Clear => return Some(Command::Clear(id(*c))),
                    Own::Hide => return Some(Command::Hide(id(*c))),
                    Own::Mute(_) | Own::Level(_) => return None,
                }
                Command::Settings(id(*c), patch)
            }
            What::Pin(c, seq, on) => Command::Pin(message(*c, *seq)?, *on),
            What::Star(c, seq, on) => Command::Star(message(*c, *seq)?, *on),
            What::Block(other, on) => Command::Block(*other, *on),
            What::OpenDirect(other) => Command::OpenDirect(*other),
        })
    }
}

impl Command {
    pub(super) async fn ask(self, actor: Actor) -> ChatResult<Said> {
        let done = |()| Said::default();
        match self {
            Self::Send(send) => actor.send(*send).await.map(|sent| Said {
                told: format!("{} {}", sent.message.seq, sent.replayed),
                message: Some(sent.message.id),
                conversation: None,
            }),
            Self::Edit(edit) => actor.edit(edit).await.map(|view| Said::only(view.version)),
            Self::Delete(delete) => actor.delete_message(delete).await.map(done),
            Self::React(react, true) => actor.add_reaction(react).await.map(drop).map(done),
            Self::React(react, false) => actor.remove_reaction(react).await.map(drop).map(done),
            Self::Mark(marks, true) => actor.mark_read(marks).await.map(drop).map(done),
            Self::Mark(marks, false) => actor.mark_delivered(marks).await.map(drop).map(done),
            Self::MarkUnread(mark) => actor.mark_unread(mark).await.map(drop).map(done),
            Self::Add(id, add) => actor.add_members(id, add).await.map(|added| {
                let told = (added.added, added.already_members, added.skipped);
                Said::only(format!("{told:?}"))
            }),
            Self::Remove(id, other) => actor
                .remove_member(id, &Game::id(other))
                .await
                .map(drop)
                .map(done),
            Self::Leave(id) => actor.leave(id).await.map(drop).map(done),
            Self::SetRole(id, other, role) => {
                let role = SetRole { role };
                actor
                    .set_role(id, &Game::id(other), role)
                    .await
                    .map(drop)
                    .map(done)
            }
            Self::Transfer(id, other) => {
                let user_id = Game::id(other);
                let transfer = actor.transfer_ownership(id, TransferOwnership { user_id });
                transfer.await.map(drop).map(done)
            }
            Self::Dissolve(id) => actor.delete_conversation(id).await.map(drop).map(done),
            Self::Change(id, patch) => actor.update_conversation(id, *patch).await.map(drop).map(done),
            Self::Settings(id, patch) => {
                let settings = actor.update_conversation_settings(id, patch);
                settings.await.map(drop).map(done)
            }
            Self::Clear(id) => actor.clear(id).await.map(drop).map(done),
            Self::Hide(id) => actor.hide(id).await.map(drop).map(done),
            Self::Pin(message_id, on) => {
                let pin = PinMessage {
                    message_id,
                    conversation_id: None,
                };
                if on {
                    actor.pin_message(pin).await.map(drop).map(done)
                } else {
                    actor.unpin_message(pin).await.map(drop).map(done)
                }
            }
            Self::Star(message_id, true) => {
                let star = actor.star_message(StarMessage { message_id });
                star.await.map(drop).map(done)
            }
            Self::Star(message_id, false) => {
                let star = actor.unstar_message(StarMessage { message_id });
                star.await.map(drop).map(done)
            }
            Self::Block(other, true) => actor.block(&Game::id(other)).await.map(drop).map(done),
            Self::Block(other, false) => actor.unblock(&Game::id(other)).await.map(drop).map(done),
            Self::OpenDirect(other) => {
                let user_id = Game::id(other);
                let opened = actor.open_direct(OpenDirect { user_id }).await?;
                Ok(Said {
                    told: opened.created.to_string(),
                    message: None,
                    conversation: Some(opened.conversation.id),
                })
            }
        }
    }
}

impl Act {
    /// Does it to the model; ids of what it makes are those the engine told.
    pub(super) fn on_the_model(&self, model: &mut Model, said: &Result<Said, ErrorCode>) -> Outcome<String> {
        let user = self.user;
        let made = said.as_ref().ok();
        let done = |()| String::new();
        match &self.what {
            What::Send(c, payload, key) => model.send(user, *c, payload, key.as_deref()).map(|sent| {
                let line = &mut model.chats[*c].lines[sent.seq as usize - 1];
                line.id = line.id.or_else(|| made.and_then(|made| made.message));
                format!("{} {}", sent.seq, sent.replayed)
            }),
            What::Edit(c, seq, text) => model.edit(user, *c, *seq, text, None, None).map(|()| {
                let line = &model.chats[*c].lines[*seq as usize - 1];
                line.version.to_string()
            }),
            What::Delete(c, seq, DeletionScope::Me) => model.delete_for_me(user, *c, *seq).map(done),
            What::Delete(c, seq, DeletionScope::Everyone) => {
                model.delete_for_everyone(user, *c, *seq).map(done)
            }
            What::React(c, seq, emoji, on) => model.react(user, *c, *seq, emoji, *on).map(done),
            What::Mark(c, seq, reads) => model.mark(user, *c, *seq, *reads).map(done),
            What::MarkUnread(c, seq) => model.mark_unread(user, *c, *seq).map(done),
            What::Add(c, asked) => model.add(user, *c, asked).map(|added| {
                let told = (ids(&added.added), ids(&added.already), ids(&added.skipped));
                format!("{told:?}")
            }),
            What::Remove(c, other) => model.remove(user, *c, *other).map(done),
            What::Leave(c) => model.leave(user, *c).map(done),
            What::SetRole(c, other, role) => model.set_role(user, *c, *other, *role).map(done),
            What::Transfer(c, other) => model.transfer(user, *c, *other).map(done),
            What::Dissolve(c) => model.dissolve(user, *c).map(done),
            What::Freeze(c, on) => model.freeze(user, *c, *on).map(done),
            What::Permit(c, wanted) => model.permit(user, *c, *wanted).map(done),
            What::Own(c, own) => model.change_own_side(user, *c, *own).map(done),
            What::Pin(c, seq, on) => model.pin(user, *c, *seq, *on).map(done),
            What::Star(c, seq, on) => model.star(user, *c, *seq, *on).map(done),
            What::Block(other, on) => model.block(user, *other, *on).map(done),
            What::OpenDirect(other) => {
                let found = model.direct(user, *other)?;
                let c = match (found, made.and_then(|made| made.conversation)) {
                    (Some(c), _) => c,
                    (None, id) => {
                        let id = id.unwrap_or(ConversationId::from_uuid(uuid::Uuid::nil()));
                        model.new_chat(id, Some((user, *other)), &[user, *other])
                    }
                };
                debug_assert!(c < model.chats.len());
                Ok(found.is_none().to_string())
            }
        }
    }
}
