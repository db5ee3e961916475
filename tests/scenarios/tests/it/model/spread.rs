//! Forwarding and pinning in the model.

use chat_core::error::ErrorCode;
use chat_core::model::Role;

use super::reference::{Chat, Line, Model, Outcome, Payload, User};
use super::rules::Sent;

/// So many messages of a chat are pinned at most.
pub(super) const PINS: usize = 3;

/// What is kept of a forward, so that a repetition is known.
pub(super) fn forward_payload(from: (usize, u64), silent: bool) -> Payload {
    Payload {
        silent,
        forward: Some(from),
        ..Payload::nothing()
    }
}

impl Model {
    /// What is sent on of a message, and who wrote the first original.
    fn forwardable(&self, user: User, c: usize, seq: u64) -> Outcome<(String, User)> {
        let line = self.seen(user, c, seq)?;
        if line.deleted.is_some() || line.code.is_some() {
            return Err(ErrorCode::InvalidOperation);
        }
        Ok((line.words.clone(), line.forwarded.unwrap_or(line.sender)))
    }

    /// Sends a copy of a message on. What was forwarded before is answered, whatever became of the original since.
    pub(super) fn forward(
        &mut self,
        user: User,
        from: (usize, u64),
        c: usize,
        silent: bool,
        key: Option<&str>,
    ) -> Outcome<Sent> {
        let payload = forward_payload(from, silent);
        match self.forwardable(user, from.0, from.1) {
            Ok((words, first)) => {
                let sent = self.send(user, c, &payload, key)?;
                if !sent.replayed {
                    let line = &mut self.chats[c].lines[sent.seq as usize - 1];
                    line.words = words;
                    line.forwarded = Some(first);
                }
                Ok(sent)
            }
            Err(refusal) if key.is_none() => Err(refusal),
            Err(refusal) => {
                let chat = &self.chats[c];
                chat.member(user)?;
                Self::replay(chat, user, &payload, key)?.ok_or(refusal)
            }
        }
    }

    /// Whether it hangs on the wall of its chat.
    pub(super) fn is_pinned(&self, line: &Line) -> bool {
        line.pinned.is_some() && !line.purged && line.deleted.is_none() && !self.is_over(line)
    }

    /// Pinned messages as far as a viewer sees them, the newest pin first.
    pub(super) fn pins<'a>(&self, viewer: User, chat: &'a Chat) -> Vec<&'a Line> {
        let mut pins = self.seen_lines(viewer, chat);
        pins.retain(|line| self.is_pinned(line));
        pins.sort_by_key(|line| std::cmp::Reverse((line.pinned.map(|(at, _)| at), line.seq)));
        pins
    }

    pub(super) fn pin(&mut self, user: User, c: usize, seq: u64, on: bool) -> Outcome<()> {
        let chat = &self.chats[c];
        if on {
            self.living(user, c, seq)?;
        } else {
            self.seen(user, c, seq)?;
        }
        if chat.pair.is_none() && !chat.everyone_pins && chat.member(user)?.role < Role::Admin {
            return Err(ErrorCode::Forbidden);
        }
        self.may_write(chat, user, false)?;
        let line = &chat.lines[seq as usize - 1];
        if !on {
            self.chats[c].lines[seq as usize - 1].pinned = None;
            return Ok(());
        }
        if line.pinned.is_some() {
            return Ok(());
        }
        if chat.lines.iter().filter(|line| self.is_pinned(line)).count() >= PINS {
            return Err(ErrorCode::Conflict);
        }
        let now = self.now;
        self.chats[c].lines[seq as usize - 1].pinned = Some((now, user));
        self.say(c, user, "message_pinned");
        Ok(())
    }
}
