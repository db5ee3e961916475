//! Forwarding and pinning.

use chat_core::command::{ForwardMessage, PinMessage};

use crate::model::Verdict;
use crate::model::game::Game;
use crate::model::reference::User;
use crate::model::rng::Rng;
use crate::model::show::NAMES;
use crate::world::client_id;

impl Game {
    pub(super) async fn forward(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let from = rng.below(self.model.chats.len());
        let Some((seq, _)) = self.pick_line(rng, from) else {
            return Ok(());
        };
        self.sent += 1;
        let key = rng.once_in(2).then(|| format!("k{}", self.sent));
        self.forward_this(user, (from, seq), c, rng.once_in(6), key).await
    }

    pub(super) async fn forward_this(
        &mut self,
        user: User,
        from: (usize, u64),
        c: usize,
        silent: bool,
        key: Option<String>,
    ) -> Verdict {
        let Some(message_id) = self.model.chats[from.0].line(from.1).and_then(|line| line.id) else {
            return Ok(());
        };
        self.log.push(format!(
            "{} forwards #{}/{} to #{c}, silent: {silent} {key:?}",
            NAMES[user], from.0, from.1
        ));
        let forward = ForwardMessage {
            message_id,
            conversation_id: Some(self.model.chats[c].id),
            recipient_id: None,
            client_id: key.as_deref().map(client_id),
            silent,
            client_time: None,
        };
        let model = self.model.forward(user, from, c, silent, key.as_deref());
        let engine = self.actors[user].forward(forward).await;
        self.sent_as(user, c, model, engine)
    }

    pub(super) async fn pin(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let Some((seq, message_id)) = self.pick_line(rng, c) else {
            return Ok(());
        };
        let on = !rng.once_in(4);
        self.log.push(format!("{} pins #{c}/{seq}: {on}", NAMES[user]));
        let model = self.model.pin(user, c, seq, on);
        let pin = PinMessage {
            message_id,
            conversation_id: None,
        };
        if on {
            let engine = self.actors[user].pin_message(pin).await;
            return self.changed(user, c, seq, model, engine);
        }
        let engine = self.actors[user].unpin_message(pin).await;
        self.agree(model, engine).map(drop)
    }
}
