//! Stars in the model: what a user has marked for himself.

use chat_core::error::ErrorCode;

use super::reference::{Chat, Line, Model, Outcome, User};

/// So many messages a user has starred at most.
pub(super) const STARS: usize = 2;

impl Model {
    /// Whether a star shows: what is deleted or out of sight has none.
    fn shows_star(&self, (user, c, seq): (User, usize, u64)) -> bool {
        let chat = &self.chats[c];
        chat.line(seq)
            .is_some_and(|line| line.deleted.is_none() && self.sees(user, chat, line))
    }

    pub(super) fn has_starred(&self, user: User, chat: &Chat, line: &Line) -> bool {
        let mut stars = self.stars.iter();
        stars.any(|(who, c, seq)| *who == user && self.chats[*c].id == chat.id && *seq == line.seq)
    }

    pub(super) fn star(&mut self, user: User, c: usize, seq: u64, on: bool) -> Outcome<()> {
        let line = self.seen(user, c, seq)?;
        if on && (line.deleted.is_some() || line.code.is_some()) {
            return Err(ErrorCode::InvalidOperation);
        }
        let star = (user, c, seq);
        if !on {
            self.stars.retain(|other| *other != star);
            return Ok(());
        }
        if self.stars.contains(&star) {
            return Ok(());
        }
        let full = |model: &Self| model.stars.iter().filter(|star| star.0 == user).count() >= STARS;
        if full(self) {
            // What shows no more makes room.
            let mut stars = self.stars.clone();
            stars.retain(|star| star.0 != user || self.shows_star(*star));
            self.stars = stars;
        }
        if full(self) {
            return Err(ErrorCode::Conflict);
        }
        self.stars.push(star);
        Ok(())
    }

    /// A user's starred messages as far as he sees them, the newest star first; of one chat, or of all.
    pub(super) fn starred(&self, user: User, of: Option<usize>) -> Vec<(&Chat, &Line)> {
        let shown = self
            .stars
            .iter()
            .rev()
            .filter(|star| star.0 == user && of.is_none_or(|c| c == star.1) && self.shows_star(**star));
        shown
            .filter_map(|(_, c, seq)| Some((&self.chats[*c], self.chats[*c].line(*seq)?)))
            .collect()
    }
}
