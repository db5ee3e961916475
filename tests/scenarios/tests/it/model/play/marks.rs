//! Marks: delivered, read, unread.

use chat_core::ChatResult;
use chat_core::command::{Mark, Marks};
use chat_core::view::{MarkAnswer, MarksAnswer};
use serde_json::json;

use crate::model::Verdict;
use crate::model::compare::expect;
use crate::model::game::Game;
use crate::model::reference::{Outcome, User};
use crate::model::rng::Rng;
use crate::model::show::NAMES;

impl Game {
    pub(super) async fn mark(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
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

    pub(super) async fn mark_unread(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
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

    fn marked(&self, user: User, c: usize, model: Outcome<()>, engine: ChatResult<MarksAnswer>) -> Verdict {
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &self.model.chats[c];
        let me = chat.member(user).map_err(|code| format!("{code:?}"))?;
        let unread = self.model.unread(user, chat).len();
        let wanted = json!([{"delivered_seq": me.delivered, "read_seq": me.read, "unread_count": unread}]);
        expect("marks", &wanted, &json!(engine.marks as Vec<MarkAnswer>))
    }

    pub(super) async fn read_all(&mut self, user: User) -> Verdict {
        self.log.push(format!("{} reads everything", NAMES[user]));
        let model = self.model.read_all(user);
        let engine = self.actors[user].read_all().await;
        let Some((model, engine)) = self.agree(Ok(model), engine)? else {
            return Ok(());
        };
        expect("read", &json!(model), &json!(engine.conversations))
    }
}
