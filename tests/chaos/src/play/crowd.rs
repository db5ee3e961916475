//! A server and clients who have something to talk in.

use super::conductor::{Plan, setting};
use super::person::{Person, Shared};
use super::recorder::Recorder;
use super::rest::Rest;
use super::server::Server;
use super::world;
use crate::Failure;

/// A server that runs, and clients that do nothing yet.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(super) server: Server,
    pub(super) recorder: Recorder,
    pub(super) secret: String,
    people: Vec<Person>,
}

impl Crowd {
    /// Starts the server of a plan, and makes its users and conversations.
    ///
    /// # Errors
    /// A server that does not come up or refuses to be furnished; a history that cannot be written.
    pub(crate) async fn gather(plan: &Plan, rng: &mut fastrand::Rng) -> Result<Self, Failure> {
        let recorder = Recorder::create(&plan.history)?;
        let setting = setting(plan, rng)?;
        let server = Server::start(&setting).await?;
        let shared = Shared {
            recorder: recorder.clone(),
            rest: Rest::new(setting.port),
            port: setting.port,
            users: world::users(plan.clients),
        };
        let mut people = world::people(&shared, plan.clients, &setting.secret, rng);
        world::furnish(&mut people, rng).await?;
        Ok(Self {
            server,
            recorder,
            secret: setting.secret,
            people,
        })
    }

    /// The clients; once.
    pub(crate) fn people(&mut self) -> Vec<Person> {
        std::mem::take(&mut self.people)
    }

    /// Which process the server is.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn process(&self) -> Result<u32, Failure> {
        self.server.process().ok_or_else(|| "the server has ended".into())
    }

    /// Asks the server to stop, and waits until it has.
    ///
    /// # Errors
    /// It does not, or not well.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.server.stop().await
    }
}
