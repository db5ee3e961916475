//! The steps of a history: each is done to the model and to the engine, and the two answers are compared.

mod groups;
mod marks;
mod messages;
mod own_side;
mod restraint;
mod retention;
mod scheduled;
mod spread;
mod stars;

use chat_core::command::DeletionScope;
use chat_core::id::UserId;

use super::Verdict;
use super::game::Game;
use super::reference::{Mention, User};
use super::rng::Rng;
use super::show::NAMES;

const MINUTE: u64 = 60_000;

fn mention_id(mention: Mention) -> UserId {
    match mention {
        Mention::One(user) => Game::id(user),
        Mention::All => UserId::new("@all").unwrap(),
    }
}

pub(in crate::model) fn ids(users: &[User]) -> Vec<UserId> {
    users.iter().map(|user| Game::id(*user)).collect()
}

impl Game {
    pub(in crate::model) async fn step(&mut self, rng: &mut Rng) -> Verdict {
        if self.model.chats.is_empty() {
            return Ok(());
        }
        let c = rng.below(self.model.chats.len());
        let user = self.pick_user(rng, c);
        match rng.below(120) {
            0..=22 => self.send(rng, user, c).await,
            23..=25 => self.retry(rng).await,
            26..=30 => self.edit(rng, user, c).await,
            31..=34 => self.delete(rng, user, c, DeletionScope::Me).await,
            35..=39 => self.delete(rng, user, c, DeletionScope::Everyone).await,
            40..=44 => self.react(rng, user, c).await,
            45..=52 => self.mark(rng, user, c).await,
            53..=55 => self.mark_unread(rng, user, c).await,
            56 => self.read_all(user).await,
            57..=62 => self.change_members(rng, user, c).await,
            63..=66 => self.change_group(rng, user, c).await,
            67..=70 => self.block(rng, user).await,
            71..=81 => self.own_side(rng, user, c).await,
            82..=83 => self.send_to(rng, user).await,
            84 => self.open_direct(user, rng.below(NAMES.len())).await,
            85 if self.model.chats.len() < 6 => self.create_group(user, rng.users(NAMES.len(), 4)).await,
            86..=91 => {
                let millis = rng.pick(&[
                    1,
                    1000,
                    20_000,
                    10 * MINUTE,
                    30 * MINUTE,
                    30 * MINUTE,
                    61 * MINUTE,
                ]);
                self.wait(millis).await
            }
            92 => self.set_ttl(rng, user, c).await,
            93 => self.keep(rng, user, c).await,
            94 => self.forward(rng, user, c).await,
            95 => self.pin(rng, user, c).await,
            100..=104 => self.star(rng, user, c).await,
            105 => self.silence(rng, user, c).await,
            106 => self.set_slow(rng, user, c).await,
            107..=111 => self.schedule(rng, user, c).await,
            112 => self.change_plan(rng, user).await,
            113 => self.cancel_plan(rng, user).await,
            114..=115 => self.set_retention(rng, c).await,
            116 => self.pin(rng, user, c).await,
            117 => self.forward(rng, user, c).await,
            _ => {
                let how = rng.below(3);
                self.sync(user, rng, how).await
            }
        }
    }
}
