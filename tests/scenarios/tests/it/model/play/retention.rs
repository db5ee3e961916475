//! How long messages are kept, which is the host's word.

use std::time::Duration;

use chat_core::model::Retention;

use super::MINUTE;
use crate::model::game::Game;
use crate::model::rng::Rng;
use crate::model::{Verdict, told};

impl Game {
    pub(super) async fn set_retention(&mut self, rng: &mut Rng, c: usize) -> Verdict {
        let time = rng.pick(&[None, Some(15 * MINUTE), Some(70 * MINUTE)]);
        self.log.push(format!("messages of #{c} are kept for {time:?}"));
        let wanted = time.map(|time| Retention::For(Duration::from_millis(time)));
        // No time of its own, and for good, come to the same here.
        let wanted = wanted.or(rng.once_in(2).then_some(Retention::Forever));
        self.model.chats[c].retention = time.map(|time| time as i64);
        let id = self.model.chats[c].id;
        told("retention", self.world.engine.set_retention(id, wanted).await)?;
        self.purge().await
    }

    /// Purges what is due, whenever something may have become due: else the engine's own clockwork does it, at a time
    /// that no seed decides.
    pub(in crate::model) async fn purge(&mut self) -> Verdict {
        self.model.purge();
        told("purge", self.world.engine.sweep_retention().await).map(drop)
    }
}
