//! Disappearing messages in the model.

use chat_core::error::ErrorCode;
use chat_core::model::Role;

use super::reference::{Model, Outcome, User};

impl Model {
    /// Stops the clock of a disappearing message, or lets it go on.
    pub(super) fn keep(&mut self, user: User, c: usize, seq: u64, on: bool) -> Outcome<()> {
        let line = self.living(user, c, seq)?;
        let (mortal, kept) = (line.expires_at.is_some(), line.kept.is_some());
        self.may_set_clocks(user, c, false)?;
        if on && !mortal {
            return Err(ErrorCode::InvalidOperation);
        }
        if on != kept {
            let now = self.now;
            self.chats[c].lines[seq as usize - 1].kept = on.then_some((now, user));
        }
        Ok(())
    }

    /// What disappears is up to admins, or to everyone where a group lets; in a direct to either of the two, unless one blocks the other.
    fn may_set_clocks(&self, user: User, c: usize, everyone: bool) -> Outcome<()> {
        let chat = &self.chats[c];
        let Some(peer) = chat.peer(user) else {
            let admin = chat.member(user)?.role >= Role::Admin;
            return if admin || everyone {
                Ok(())
            } else {
                Err(ErrorCode::Forbidden)
            };
        };
        if self.blocks(user, peer) {
            Err(ErrorCode::YouBlocked)
        } else if self.blocks(peer, user) {
            Err(ErrorCode::NotPermitted)
        } else {
            Ok(())
        }
    }

    pub(super) fn set_ttl(&mut self, user: User, c: usize, ttl: Option<i64>) -> Outcome<()> {
        self.chats[c].member(user)?;
        self.may_set_clocks(user, c, self.chats[c].everyone_edits)?;
        if self.chats[c].ttl != ttl {
            self.chats[c].ttl = ttl;
            self.say(c, user, "timer_changed");
        }
        Ok(())
    }
}
