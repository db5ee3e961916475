//! Stars.

use chat_core::command::StarMessage;

use crate::model::Verdict;
use crate::model::game::Game;
use crate::model::reference::User;
use crate::model::rng::Rng;
use crate::model::show::NAMES;

impl Game {
    pub(super) async fn star(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let Some((seq, message_id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let on = !rng.once_in(4);
        self.log.push(format!("{} stars #{c}/{seq}: {on}", NAMES[user]));
        let model = self.model.star(user, c, seq, on);
        let star = StarMessage { message_id };
        let engine = if on {
            self.actors[user].star_message(star).await
        } else {
            self.actors[user].unstar_message(star).await
        };
        self.changed(user, c, seq, model, engine)
    }
}
