//! Messages that are sent later.

use std::time::Duration;

use chat_core::command::{CancelScheduled, ScheduleMessage, SendMessage, UpdateScheduled};
use chat_core::model::ScheduledState;
use chat_core::time::Timestamp;
use chat_core::view::ScheduledView;
use serde_json::json;

use super::mention_id;
use crate::model::compare::expect;
use crate::model::game::Game;
use crate::model::reference::{Payload, User};
use crate::model::rng::Rng;
use crate::model::scheduled::{Address, Plan, Wish};
use crate::model::show::NAMES;
use crate::model::{Verdict, told};

/// How often it is asked whether what is due was sent.
const PATIENCE: u32 = 2_000;

impl Game {
    /// Some time ahead, now and then too soon.
    fn later(&self, rng: &mut Rng) -> i64 {
        self.model.now + rng.pick(&[4_999, 5_000, 20_000, 600_000, 1_500_000, 3_600_000])
    }

    pub(super) async fn schedule(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let own: Vec<usize> = (0..self.model.plans.len())
            .filter(|p| self.model.plans[*p].owner == user && self.model.plans[*p].key.is_some())
            .collect();
        if !own.is_empty() && rng.once_in(6) {
            let plan = &self.model.plans[rng.pick(&own)];
            let (mut wish, key) = (plan.first.clone(), plan.key.clone());
            if rng.once_in(4) {
                wish.send_at += 1;
            }
            return self.schedule_this(user, wish, key).await;
        }
        let to = if rng.once_in(4) {
            Address::User(rng.below(NAMES.len()))
        } else {
            Address::Chat(c)
        };
        let payload = match to {
            Address::Chat(_) => self.payload(rng, c),
            Address::User(_) => Payload {
                text: rng.word(3),
                ..Payload::nothing()
            },
        };
        self.sent += 1;
        let key = rng.once_in(2).then(|| format!("k{}", self.sent));
        let send_at = self.later(rng);
        let wish = Wish { to, payload, send_at };
        self.schedule_this(user, wish, key).await
    }

    async fn schedule_this(&mut self, user: User, wish: Wish, key: Option<String>) -> Verdict {
        self.log
            .push(format!("{} schedules {wish:?} {key:?}", NAMES[user]));
        let mut message = self.command(&wish.payload, key.as_deref());
        match wish.to {
            Address::Chat(c) => message.conversation_id = Some(self.model.chats[c].id),
            Address::User(other) => message.recipient_id = Some(Self::id(other)),
        }
        let schedule = ScheduleMessage::new(SendMessage { ..message }, Timestamp::from_millis(wish.send_at));
        let model = self.model.plan(user, &wish, key.as_deref());
        let engine = self.actors[user].schedule(schedule).await;
        let Some((found, engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        expect("replayed", &json!(found.is_ok()), &json!(engine.replayed))?;
        let p = found.unwrap_or_else(|chat| {
            self.model.plans.push(Plan {
                id: engine.scheduled.id,
                owner: user,
                key,
                first: wish.clone(),
                now: wish,
                chat,
                state: ScheduledState::Pending,
                sent: None,
                error: None,
                version: 1,
                created_at: self.model.now,
            });
            self.model.plans.len() - 1
        });
        self.planned(p, &engine.scheduled)
    }

    fn planned(&self, p: usize, engine: &ScheduledView) -> Verdict {
        let wanted = self.model.show_plan(&self.model.plans[p]);
        expect("scheduled", &wanted, &json!(engine))
    }

    /// One that is scheduled, more often one of his.
    fn pick_plan(&self, rng: &mut Rng, user: User) -> Option<(User, usize)> {
        let plans = &self.model.plans;
        let p = (!plans.is_empty()).then(|| rng.below(plans.len()))?;
        Some(if rng.once_in(5) {
            (user, p)
        } else {
            (plans[p].owner, p)
        })
    }

    pub(super) async fn change_plan(&mut self, rng: &mut Rng, user: User) -> Verdict {
        let Some((user, p)) = self.pick_plan(rng, user) else {
            return Ok(());
        };
        let text = rng.once_in(2).then(|| rng.word(3));
        let mentions = rng.once_in(3).then(|| {
            self.payload(rng, rng.clone().below(self.model.chats.len()))
                .mentions
        });
        let send_at = rng.once_in(2).then(|| self.later(rng));
        let version = rng.once_in(4).then(|| 1 + rng.below(2) as u32);
        self.log.push(format!(
            "{} changes plan {p}: {text:?} {mentions:?} {send_at:?} {version:?}",
            NAMES[user]
        ));
        let update = UpdateScheduled {
            scheduled_id: self.model.plans[p].id,
            text: text.clone().map(Some),
            mentions: mentions
                .as_ref()
                .map(|mentions| mentions.iter().map(|mention| mention_id(*mention)).collect()),
            send_at: send_at.map(Timestamp::from_millis),
            expected_version: version,
        };
        let model = self
            .model
            .change_plan(user, p, text.as_deref(), mentions.as_deref(), send_at, version);
        let engine = self.actors[user].update_scheduled(update).await;
        let Some(((), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        self.planned(p, &engine)
    }

    pub(super) async fn cancel_plan(&mut self, rng: &mut Rng, user: User) -> Verdict {
        let Some((user, p)) = self.pick_plan(rng, user) else {
            return Ok(());
        };
        self.log.push(format!("{} cancels plan {p}", NAMES[user]));
        let scheduled_id = self.model.plans[p].id;
        let model = self.model.cancel_plan(user, p);
        let engine = self.actors[user]
            .cancel_scheduled(CancelScheduled { scheduled_id })
            .await;
        self.agree(model, engine).map(drop)
    }

    /// Sends what is due. The engine's own clockwork may be at it already, so the answer is waited for.
    pub(in crate::model) async fn send_due(&mut self) -> Verdict {
        for p in self.model.send_due() {
            let view = self.settled(p).await?;
            let plan = &self.model.plans[p];
            if let (Some(c), Some(seq), Some(id), Some(message)) =
                (plan.chat, plan.sent, view.conversation_id, view.message_id)
            {
                let chat = &mut self.model.chats[c];
                chat.id = id;
                chat.lines[seq as usize - 1].id = Some(message);
            }
            self.log
                .push(format!("plan {p}: {:?} {:?}", view.state, view.error_code));
            self.planned(p, &view)?;
        }
        Ok(())
    }

    async fn settled(&self, p: usize) -> Result<ScheduledView, String> {
        let plan = &self.model.plans[p];
        for _ in 0..PATIENCE {
            told("due", self.world.engine.send_due_messages().await)?;
            let view = told("scheduled", self.actors[plan.owner].scheduled(plan.id).await)?;
            if view.state != ScheduledState::Pending {
                return Ok(view);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(format!("plan {p} is due and waits"))
    }
}
