//! One history: steps from a seed, played on the engine and on the model at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chat_core::Actor;
use chat_core::config::{BlockedInGroup, EditHistory, HistoryForNewMembers, Rate, RollUp};
use chat_core::error::ChatResult;
use chat_core::id::{MessageId, UserId};
use chat_core::model::Role;

use super::compare::compare;
use super::reference::{Model, Outcome, Rules, User};
use super::replica::Replica;
use super::rng::Rng;
use super::show::NAMES;
use super::{Verdict, told};
use crate::world::{Counted, World, base_config, user_id};

/// What went wrong, and what had happened until then.
pub(super) struct Found {
    pub(super) what: String,
    log: Vec<String>,
    rules: Rules,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.rules)?;
        for line in &self.log {
            writeln!(f, "  {line}")?;
        }
        write!(f, "=> {}", self.what)
    }
}

/// The engine, the model, and clients that only sync.
pub(super) struct Game {
    pub(super) world: World,
    pub(super) actors: Vec<Actor>,
    pub(super) model: Model,
    clients: Vec<Replica>,
    /// Older states of clients, which come back after a long time.
    asleep: Vec<(User, Replica)>,
    pub(super) log: Vec<String>,
    pub(super) sent: usize,
}

impl Game {
    /// Plays the history of a seed, without the steps that are left out.
    pub(super) async fn play(world: World, seed: u64, without: Option<&[bool]>) -> Result<(), Found> {
        let mut rng = Rng::new(seed);
        let mut game = Self::set_up(world, &mut rng).await;
        let steps = 56 + rng.below(50);
        let result = game.steps(&mut rng, steps, without).await;
        result.map_err(|what| Found {
            what,
            log: game.log,
            rules: game.model.rules,
        })
    }

    pub(super) async fn set_up(world: World, rng: &mut Rng) -> Self {
        let rules = Rules {
            blocked: rng.pick(&[
                BlockedInGroup::Collapse,
                BlockedInGroup::Collapse,
                BlockedInGroup::Hide,
                BlockedInGroup::Show,
            ]),
            newcomers_see_all: rng.once_in(3),
            any_reader_counts: rng.once_in(4),
            sending_reads: rng.once_in(4),
            edit_history: rng.pick(&[EditHistory::Moderators, EditHistory::Members, EditHistory::Off]),
        };
        let mut config = base_config();
        config.policies.blocked_in_group = rules.blocked;
        if rules.newcomers_see_all {
            config.policies.history_for_new_members = HistoryForNewMembers::All;
        }
        if rules.any_reader_counts {
            config.policies.rollup = RollUp::Any;
        }
        config.policies.read_on_send = rules.sending_reads;
        config.policies.edit_history = rules.edit_history;
        config.limits.sync_messages = rng.pick(&[2, 5, 50]);
        config.limits.sync_conversations = rng.pick(&[1, 2, 50]);
        config.limits.pins_per_conversation = super::spread::PINS;
        config.limits.stars_per_user = super::stars::STARS;
        config.limits.scheduled_pending = super::scheduled::PENDING;
        config.limits.searches = Rate::new(1_000_000, 60_000_000);
        config.limits.creates = config.limits.searches;
        let world = world.rebuilt(config, Arc::new(Counted::default()));
        let mut actors = Vec::new();
        for name in NAMES {
            actors.push(world.user(name).await);
        }
        let model = Model {
            rules,
            now: world.engine.now().as_millis(),
            users: NAMES.len(),
            blocks: Vec::new(),
            blocked_at: Vec::new(),
            chats: Vec::new(),
            stars: Vec::new(),
            plans: Vec::new(),
        };
        Self {
            world,
            clients: vec![Replica::default(); NAMES.len()],
            asleep: Vec::new(),
            actors,
            model,
            log: Vec::new(),
            sent: 0,
        }
    }

    async fn steps(&mut self, rng: &mut Rng, steps: usize, without: Option<&[bool]>) -> Verdict {
        for n in 0..steps {
            // A stream of its own for every step: leaving one out changes no other.
            let mut rng = Rng::new(rng.next());
            if without.is_some_and(|without| without[n]) {
                continue;
            }
            match n {
                0 => self.open_direct(0, 1).await?,
                1 => self.create_group(0, vec![1, 2, 3]).await?,
                2 => self.create_group(1, vec![0, 2]).await?,
                _ => self.step(&mut rng).await?,
            }
            if n % 12 == 11 {
                self.compare_all(&mut rng).await?;
            }
        }
        let mut rng = Rng::new(rng.next());
        self.compare_all(&mut rng).await?;
        for user in 0..self.actors.len() {
            self.sync(user, &mut rng, 0).await?;
            self.sync(user, &mut rng, 2).await?;
        }
        for (user, mut client) in std::mem::take(&mut self.asleep) {
            self.log.push(format!("{} syncs from an old token", NAMES[user]));
            told("sweep", self.world.engine.sweep_expired_messages().await)?;
            client.catch_up(&self.actors[user]).await?;
            client.agrees(&self.actors[user]).await?;
        }
        Ok(())
    }

    async fn compare_all(&mut self, rng: &mut Rng) -> Verdict {
        self.log.push("(compare)".to_owned());
        for user in 0..self.actors.len() {
            compare(&mut self.model, user, &self.actors[user], rng).await?;
        }
        Ok(())
    }

    pub(super) async fn sync(&mut self, user: User, rng: &mut Rng, how: usize) -> Verdict {
        // Clients hear of what has disappeared once it is swept.
        told("sweep", self.world.engine.sweep_expired_messages().await)?;
        let actor = &self.actors[user];
        let name = NAMES[user];
        let own: Vec<usize> = (0..self.asleep.len())
            .filter(|n| self.asleep[*n].0 == user)
            .collect();
        match how {
            1 if !own.is_empty() => {
                self.log.push(format!("{name} syncs from an old token"));
                let mut client = self.asleep[rng.pick(&own)].1.clone();
                client.catch_up(actor).await?;
                client.agrees(actor).await
            }
            2 => {
                self.log.push(format!("{name} syncs by revs"));
                let mut client = self.clients[user].clone();
                client.catch_up_by_revs(actor).await?;
                client.agrees(actor).await?;
                // What that answer's token goes on from is complete, too.
                self.clients[user] = client;
                Ok(())
            }
            _ => {
                self.log.push(format!("{name} syncs"));
                self.clients[user].catch_up(actor).await?;
                self.clients[user].agrees(actor).await?;
                if self.asleep.len() < 12 && rng.once_in(2) {
                    self.asleep.push((user, self.clients[user].clone()));
                }
                Ok(())
            }
        }
    }

    pub(super) async fn wait(&mut self, millis: u64) -> Verdict {
        self.log.push(format!("{} s go by", millis / 1000));
        self.world.advance(Duration::from_millis(millis));
        self.model.now = self.world.engine.now().as_millis();
        self.send_due().await?;
        self.purge().await
    }

    /// The user as the engine names him.
    pub(super) fn id(user: User) -> UserId {
        user_id(NAMES[user])
    }

    /// A member, but now and then anybody.
    pub(super) fn pick_user(&self, rng: &mut Rng, c: usize) -> User {
        let members = self.model.chats[c].members();
        if members.is_empty() || rng.once_in(8) {
            rng.below(self.model.users)
        } else {
            members[rng.below(members.len())].user
        }
    }

    /// Mostly an admin or the owner of a group, with that group: others are refused most of what admins do.
    pub(super) fn pick_chief(&self, rng: &mut Rng, user: User, c: usize) -> (User, usize) {
        let chats = self.model.chats.iter().enumerate();
        let chiefs: Vec<(User, usize)> = chats
            .filter(|(_, chat)| chat.pair.is_none())
            .flat_map(|(c, chat)| chat.members().into_iter().map(move |person| (person, c)))
            .filter(|(person, _)| person.role >= Role::Admin)
            .map(|(person, c)| (person.user, c))
            .collect();
        if chiefs.is_empty() || rng.once_in(4) {
            (user, c)
        } else {
            rng.pick(&chiefs)
        }
    }

    /// A message of a chat whose id is known, more often a late one.
    pub(super) fn pick_line(&self, rng: &mut Rng, c: usize) -> Option<(u64, MessageId)> {
        let lines = &self.model.chats[c].lines;
        let from = if rng.once_in(3) {
            0
        } else {
            lines.len().saturating_sub(5)
        };
        let known: Vec<_> = (lines[from..].iter())
            .filter_map(|line| Some((line.seq, line.id?)))
            .collect();
        (!known.is_empty()).then(|| rng.pick(&known))
    }

    /// The same answer, or the same refusal.
    pub(super) fn agree<M: fmt::Debug, E: fmt::Debug>(
        &self,
        model: Outcome<M>,
        engine: ChatResult<E>,
    ) -> Result<Option<(M, E)>, String> {
        match (model, engine) {
            (Ok(model), Ok(engine)) => Ok(Some((model, engine))),
            (Err(model), Err(engine)) if model == engine.code() => Ok(None),
            (model, engine) => Err(format!("the model says {model:?}, the engine {engine:?}")),
        }
    }
}
