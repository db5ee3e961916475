//! What a user does on his own side: blocks, pins, mutes, archive.

use chat_core::command::ConversationSettings;
use chat_core::model::NotificationLevel;
use serde_json::json;

use crate::model::Verdict;
use crate::model::compare::expect;
use crate::model::game::Game;
use crate::model::groups::Own;
use crate::model::reference::{Mute, User};
use crate::model::rng::Rng;
use crate::model::show::{NAMES, muted};

impl Game {
    pub(super) async fn block(&mut self, rng: &mut Rng, user: User) -> Verdict {
        let (other, on) = (rng.below(NAMES.len()), rng.once_in(2));
        self.log
            .push(format!("{} blocks {}: {on}", NAMES[user], NAMES[other]));
        let model = self.model.block(user, other, on);
        let (actor, other) = (&self.actors[user], Self::id(other));
        let engine = if on {
            actor.block(&other).await
        } else {
            actor.unblock(&other).await
        };
        self.agree(model, engine).map(drop)
    }

    pub(super) async fn own_side(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let until = Mute::Until(self.model.now + 60_000 * (rng.below(40) as i64 - 5));
        let own = match rng.below(12) {
            0..=1 => Own::Pin(!rng.once_in(3)),
            2 => Own::Mute(Some(Mute::Forever)),
            3 => Own::Mute(Some(until)),
            4 => Own::Mute(None),
            5..=7 => Own::Archive(!rng.once_in(4)),
            8..=9 => Own::Clear,
            10 => Own::Level(rng.pick(&[
                NotificationLevel::All,
                NotificationLevel::Mentions,
                NotificationLevel::None,
            ])),
            _ => Own::Hide,
        };
        self.log.push(format!("{} sets #{c}: {own:?}", NAMES[user]));
        let model = self.model.change_own_side(user, c, own);
        let (actor, id) = (&self.actors[user], self.model.chats[c].id);
        let mut patch = ConversationSettings::default();
        match own {
            Own::Pin(on) => patch.pinned = Some(on),
            Own::Mute(mute) => patch.muted_until = Some(mute.map(muted)),
            Own::Archive(on) => patch.archived = Some(on),
            Own::Level(level) => patch.notification_level = Some(level),
            Own::Clear => return self.agree(model, actor.clear(id).await).map(drop),
            Own::Hide => return self.agree(model, actor.hide(id).await).map(drop),
        }
        let engine = actor.update_conversation_settings(id, patch).await;
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        let chat = &self.model.chats[c];
        let me = chat.member(user).map_err(|code| format!("{code:?}"))?;
        expect("settings", &self.model.show_chat(user, chat, me), &json!(engine))
    }
}
