//! Mutes of members and slow mode.

use chat_core::command::ConversationPatch;
use serde_json::json;

use super::MINUTE;
use crate::model::Verdict;
use crate::model::compare::expect;
use crate::model::game::Game;
use crate::model::reference::{Mute, User};
use crate::model::rng::Rng;
use crate::model::show::{NAMES, muted, role};

impl Game {
    pub(super) async fn silence(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let (user, c) = self.pick_chief(rng, user, c);
        let (id, other) = (self.model.chats[c].id, self.pick_user(rng, c));
        let until = match rng.below(4) {
            0 => None,
            1 => Some(Mute::Forever),
            _ => Some(Mute::Until(self.model.now + 60_000 * (rng.below(40) as i64 - 3))),
        };
        self.log.push(format!(
            "{} mutes {} in #{c}: {until:?}",
            NAMES[user], NAMES[other]
        ));
        let model = self.model.silence(user, c, other, until);
        let (actor, target) = (&self.actors[user], Self::id(other));
        let engine = match until {
            Some(until) => actor.mute_member(id, &target, muted(until)).await,
            None => actor.unmute_member(id, &target).await,
        };
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let person = self.model.chats[c].person(other);
        let wanted = person.map(|person| {
            json!({
                "user": {"id": NAMES[other]},
                "role": role(person.role),
                "muted_until": person.silenced(self.model.now).map(muted),
            })
        });
        expect("muted", &json!(wanted), &json!(engine))
    }

    pub(super) async fn set_slow(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let (user, c) = self.pick_chief(rng, user, c);
        let pause = rng.pick(&[None, Some(0), Some(15_000), Some(12 * MINUTE), Some(12 * MINUTE)]);
        self.log
            .push(format!("{} sets slow mode of #{c}: {pause:?}", NAMES[user]));
        let kept = pause.filter(|pause| *pause > 0).map(|pause| pause as i64);
        let model = self.model.set_slow(user, c, kept);
        let patch = ConversationPatch {
            slow_mode_ms: Some(pause),
            ..ConversationPatch::default()
        };
        let id = self.model.chats[c].id;
        let engine = self.actors[user].update_conversation(id, patch).await;
        self.agree(model, engine).map(drop)
    }
}
