//! What each command does to the model, or why it is refused.

use chat_core::config::EditHistory;
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::model::Role;

use super::reference::{Chat, Line, Mention, Model, Outcome, Payload, Person, User};

const HOUR: i64 = 3_600_000;

/// What a send comes to.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) replayed: bool,
    pub(super) dropped: Vec<Mention>,
}

pub(super) fn as_message(code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::ConversationNotFound => ErrorCode::MessageNotFound,
        other => other,
    }
}

impl Model {
    pub(super) fn line_of(chat: &Chat, sender: User, at: i64) -> Line {
        Line {
            id: None,
            seq: chat.last_seq() + 1,
            sender,
            code: None,
            words: String::new(),
            key: None,
            payload: Payload::nothing(),
            mentions: Vec::new(),
            mentions_all: false,
            reply: None,
            silent: false,
            at,
            edited_at: None,
            version: 1,
            deleted: None,
            expires_at: None,
            kept: None,
            forwarded: None,
            pinned: None,
            reactions: Vec::new(),
            hidden_by: Vec::new(),
            former: Vec::new(),
            purged: false,
        }
    }

    /// A line of the engine.
    pub(super) fn say(&mut self, c: usize, who: User, code: &'static str) {
        let line = Line {
            code: Some(code),
            ..Self::line_of(&self.chats[c], who, self.now)
        };
        self.chats[c].lines.push(line);
    }

    /// May he write here, by block, rank, ice and mute?
    pub(super) fn may_write(&self, chat: &Chat, user: User, needs_rank: bool) -> Outcome<()> {
        if let Some(peer) = chat.peer(user) {
            if self.blocks(user, peer) {
                return Err(ErrorCode::YouBlocked);
            }
            if self.blocks(peer, user) {
                return Err(ErrorCode::NotPermitted);
            }
        } else if needs_rank && chat.only_admins_send && chat.member(user)?.role < Role::Admin {
            return Err(ErrorCode::Forbidden);
        }
        if chat.frozen || chat.member(user)?.silenced(self.now).is_some() {
            return Err(ErrorCode::NotPermitted);
        }
        Ok(())
    }

    /// Members, "everyone", and who is left out.
    fn sort_mentions(chat: &Chat, sender: User, asked: &[Mention]) -> (Vec<User>, bool, Vec<Mention>) {
        let admin = chat
            .person(sender)
            .is_some_and(|person| person.role >= Role::Admin);
        let (mut kept, mut all, mut dropped) = (Vec::new(), false, Vec::new());
        for mention in asked {
            match mention {
                Mention::All if chat.pair.is_none() && admin => all = true,
                Mention::One(user) if *user == sender || kept.contains(user) => {}
                Mention::One(user) if chat.member(*user).is_ok() => kept.push(*user),
                left_out if dropped.contains(left_out) => {}
                left_out => dropped.push(*left_out),
            }
        }
        (kept, all, dropped)
    }

    /// What was sent under this key before.
    pub(super) fn replay(
        chat: &Chat,
        user: User,
        payload: &Payload,
        key: Option<&str>,
    ) -> Outcome<Option<Sent>> {
        let earlier = (chat.lines.iter())
            .find(|line| key.is_some() && !line.purged && line.sender == user && line.key.as_deref() == key);
        match earlier {
            None => Ok(None),
            Some(earlier) if earlier.payload != *payload => Err(ErrorCode::IdempotencyConflict),
            Some(earlier) => Ok(Some(Sent {
                seq: earlier.seq,
                replayed: true,
                dropped: Vec::new(),
            })),
        }
    }

    pub(super) fn send(
        &mut self,
        user: User,
        c: usize,
        payload: &Payload,
        key: Option<&str>,
    ) -> Outcome<Sent> {
        let chat = &self.chats[c];
        chat.member(user)?;
        if let Some(sent) = Self::replay(chat, user, payload, key)? {
            return Ok(sent);
        }
        self.may_send(user, c, payload, true)?;
        let sent = self.write(user, c, payload, key);
        if self.rules.sending_reads {
            self.advance(user, c, sent.seq, true);
        }
        Ok(sent)
    }

    /// What speaks against a message; with `waits` also that it comes too soon.
    pub(super) fn may_send(&self, user: User, c: usize, payload: &Payload, waits: bool) -> Outcome<()> {
        let chat = &self.chats[c];
        chat.member(user)?;
        self.may_write(chat, user, true)?;
        if waits && self.next_send_at(chat, user).is_some() {
            return Err(ErrorCode::SlowMode);
        }
        if let Some((other, seq)) = payload.reply {
            let target = (other == c).then(|| chat.line(seq)).flatten();
            match target.filter(|line| self.sees(user, chat, line)) {
                None => return Err(ErrorCode::MessageNotFound),
                Some(line) if line.deleted.is_some() => return Err(ErrorCode::InvalidOperation),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Writes a message that nothing speaks against.
    pub(super) fn write(&mut self, user: User, c: usize, payload: &Payload, key: Option<&str>) -> Sent {
        let chat = &self.chats[c];
        let (mentions, mentions_all, dropped) = Self::sort_mentions(chat, user, &payload.mentions);
        let line = Line {
            words: payload.text.clone(),
            key: key.map(str::to_owned),
            payload: payload.clone(),
            mentions,
            mentions_all,
            reply: payload.reply.map(|(_, seq)| seq),
            silent: payload.silent,
            expires_at: chat.ttl.map(|ttl| self.now + ttl),
            ..Self::line_of(chat, user, self.now)
        };
        let (seq, now) = (line.seq, self.now);
        let chat = &mut self.chats[c];
        chat.lines.push(line);
        if !payload.silent {
            chat.active_at = now;
            for person in &mut chat.people {
                person.hidden = false;
                if person.user != user && !person.is_muted(now) {
                    person.archived = false;
                }
            }
        }
        self.note_slow(user, c);
        Sent {
            seq,
            replayed: false,
            dropped,
        }
    }

    /// The message a command is about, when the caller may know of it.
    fn subject(&self, user: User, c: usize, seq: u64) -> Outcome<&Line> {
        let line = self.chats[c].line(seq).filter(|line| !line.purged);
        let line = line.ok_or(ErrorCode::MessageNotFound)?;
        self.chats[c].member(user).map_err(as_message)?;
        Ok(line)
    }

    /// The message a command is about, when the caller sees it; a tombstone is seen.
    pub(super) fn seen(&self, user: User, c: usize, seq: u64) -> Outcome<&Line> {
        let line = self.subject(user, c, seq)?;
        if self.sees(user, &self.chats[c], line) {
            Ok(line)
        } else {
            Err(ErrorCode::MessageNotFound)
        }
    }

    pub(super) fn living(&self, user: User, c: usize, seq: u64) -> Outcome<&Line> {
        let line = self.seen(user, c, seq)?;
        if line.deleted.is_some() || line.code.is_some() {
            Err(ErrorCode::InvalidOperation)
        } else {
            Ok(line)
        }
    }

    pub(super) fn edit(
        &mut self,
        user: User,
        c: usize,
        seq: u64,
        text: &str,
        mentions: Option<&[Mention]>,
        version: Option<u32>,
    ) -> Outcome<()> {
        let line = self.living(user, c, seq)?;
        if line.sender != user {
            return Err(ErrorCode::Forbidden);
        }
        self.may_write(&self.chats[c], user, true)?;
        if version.is_some_and(|version| version != line.version) {
            return Err(ErrorCode::VersionConflict);
        }
        if text.trim().is_empty() {
            return Err(ErrorCode::EmptyMessage);
        }
        let mut asked: Vec<Mention> = line.mentions.iter().map(|user| Mention::One(*user)).collect();
        asked.extend(line.mentions_all.then_some(Mention::All));
        let (kept, all, _) = Self::sort_mentions(&self.chats[c], user, mentions.unwrap_or(&asked));
        let (now, history) = (self.now, self.rules.edit_history);
        let line = &mut self.chats[c].lines[seq as usize - 1];
        if line.words != text || line.mentions != kept || line.mentions_all != all {
            if history != EditHistory::Off {
                line.former.push((line.version, line.words.clone(), now));
            }
            text.clone_into(&mut line.words);
            line.mentions = kept;
            line.mentions_all = all;
            line.version += 1;
            line.edited_at = Some(now);
        }
        Ok(())
    }

    pub(super) fn delete_for_me(&mut self, user: User, c: usize, seq: u64) -> Outcome<()> {
        let line = self.subject(user, c, seq)?;
        if line.hidden_by.contains(&user) {
            return Ok(());
        }
        if !self.sees(user, &self.chats[c], line) {
            return Err(ErrorCode::MessageNotFound);
        }
        self.chats[c].lines[seq as usize - 1].hidden_by.push(user);
        Ok(())
    }

    pub(super) fn delete_for_everyone(&mut self, user: User, c: usize, seq: u64) -> Outcome<()> {
        let line = self.subject(user, c, seq)?;
        let chat = &self.chats[c];
        let author = line.sender == user;
        if (!author || self.is_over(line)) && !self.sees(user, chat, line) {
            return Err(ErrorCode::MessageNotFound);
        }
        if line.code.is_some() {
            return Err(ErrorCode::InvalidOperation);
        }
        let admin = chat.pair.is_none() && chat.member(user)?.role >= Role::Admin;
        if !author && !admin {
            return Err(ErrorCode::Forbidden);
        }
        if line.deleted.is_some() {
            return Ok(());
        }
        let by = if author && self.now <= line.at + HOUR {
            "author"
        } else if admin {
            "moderator"
        } else {
            return Err(ErrorCode::WindowClosed);
        };
        let now = self.now;
        let line = &mut self.chats[c].lines[seq as usize - 1];
        line.words.clear();
        line.mentions.clear();
        line.mentions_all = false;
        line.reply = None;
        line.reactions.clear();
        line.former.clear();
        line.deleted = Some((now, by));
        line.expires_at = None;
        line.kept = None;
        line.pinned = None;
        Ok(())
    }

    pub(super) fn react(
        &mut self,
        user: User,
        c: usize,
        seq: u64,
        emoji: &'static str,
        on: bool,
    ) -> Outcome<()> {
        self.living(user, c, seq)?;
        self.may_write(&self.chats[c], user, false)?;
        let reactions = &mut self.chats[c].lines[seq as usize - 1].reactions;
        if !on {
            reactions.retain(|reaction| *reaction != (user, emoji));
        } else if !reactions.contains(&(user, emoji)) {
            reactions.push((user, emoji));
        }
        Ok(())
    }

    /// Moves a mark that is lower; reading takes "mark unread" back.
    fn advance(&mut self, user: User, c: usize, seq: u64, reads: bool) {
        let now = self.now;
        let peer = self.chats[c].peer(user);
        let shown = !peer.is_some_and(|peer| self.blocks(user, peer) || self.blocks(peer, user));
        let Some(person) = self.chats[c].person_mut(user) else {
            return;
        };
        if reads {
            person.marker = None;
            if seq > person.read {
                person.read = seq;
                if shown {
                    person.shown_read = seq;
                }
                person.note(true, shown, seq, now);
            }
        }
        if seq > person.delivered {
            person.delivered = seq;
            person.note(false, true, seq, now);
        }
    }

    pub(super) fn mark(&mut self, user: User, c: usize, seq: u64, reads: bool) -> Outcome<()> {
        self.chats[c].member(user)?;
        if seq > self.chats[c].last_seq() {
            return Err(ErrorCode::InvalidArgument);
        }
        self.advance(user, c, seq, reads);
        Ok(())
    }

    pub(super) fn mark_unread(&mut self, user: User, c: usize, seq: Option<u64>) -> Outcome<()> {
        let chat = &self.chats[c];
        let person = chat.member(user)?;
        let from = match seq {
            Some(seq) if seq > chat.last_seq() || seq < person.visible_from || !person.was_here(seq) => {
                return Err(ErrorCode::InvalidArgument);
            }
            Some(seq) => seq,
            // A cleared conversation counts as empty.
            None if chat.last_seq() >= person.visible_from => return Err(ErrorCode::InvalidArgument),
            None => 0,
        };
        let first = self.unread(user, chat).first().map(|line| line.seq);
        let present = person.marker.or(first);
        if present.is_none_or(|present| present > from)
            && let Some(person) = self.chats[c].person_mut(user)
        {
            person.marker = Some(from);
        }
        Ok(())
    }

    pub(super) fn read_all(&mut self, user: User) -> usize {
        let mut conversations = 0;
        for c in 0..self.chats.len() {
            let chat = &self.chats[c];
            let marked = chat.member(user).is_ok_and(|person| person.marker.is_some());
            if marked || !self.unread(user, chat).is_empty() {
                conversations += 1;
                self.advance(user, c, self.chats[c].last_seq(), true);
            }
        }
        conversations
    }

    pub(super) fn block(&mut self, user: User, other: User, on: bool) -> Outcome<()> {
        if user == other {
            return Err(ErrorCode::InvalidOperation);
        }
        let present = self.blocks.iter().position(|block| *block == (user, other));
        match (present, on) {
            (None, true) => {
                self.blocks.push((user, other));
                self.blocked_at.push(self.now);
            }
            (Some(place), false) => {
                self.blocks.remove(place);
                self.blocked_at.remove(place);
            }
            _ => {}
        }
        Ok(())
    }

    /// Finds the direct of two, or says whether it may be made.
    pub(super) fn direct(&self, user: User, other: User) -> Outcome<Option<usize>> {
        if user == other {
            return Err(ErrorCode::CannotMessageSelf);
        }
        let found = (self.chats.iter()).position(|chat| {
            chat.pair.is_some() && chat.peer(user) == Some(other) && chat.peer(other) == Some(user)
        });
        if found.is_none() && self.blocks(user, other) {
            Err(ErrorCode::YouBlocked)
        } else if found.is_none() && self.blocks(other, user) {
            Err(ErrorCode::NotPermitted)
        } else {
            Ok(found)
        }
    }

    pub(super) fn new_chat(
        &mut self,
        id: ConversationId,
        pair: Option<(User, User)>,
        users: &[User],
    ) -> usize {
        let people = users.iter().map(|user| Person::new(*user, 1, self.now));
        self.chats.push(Chat {
            id,
            pair,
            people: people.collect(),
            lines: Vec::new(),
            frozen: false,
            only_admins_send: false,
            everyone_adds: false,
            everyone_edits: false,
            everyone_pins: false,
            slow: None,
            retention: None,
            ttl: None,
            created_at: self.now,
            active_at: self.now,
        });
        self.chats.len() - 1
    }
}
