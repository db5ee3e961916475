use crate::engine::{ChatEngine, Inner};
use crate::id::{SessionId, UserId};

/// A user who asks something of the engine. Every command is a method here, so none can lack or forge an identity.
#[derive(Debug, Clone)]
pub struct Actor {
    engine: ChatEngine,
    user: UserId,
    session: Option<SessionId>,
}

impl Actor {
    pub(crate) const fn new(engine: ChatEngine, user: UserId, session: Option<SessionId>) -> Self {
        Self {
            engine,
            user,
            session,
        }
    }

    /// Who acts.
    #[must_use]
    pub const fn user_id(&self) -> &UserId {
        &self.user
    }

    /// The engine he acts on.
    #[must_use]
    pub const fn engine(&self) -> &ChatEngine {
        &self.engine
    }

    /// The live session he acts from, which gets the answer and not the event.
    pub(crate) const fn session(&self) -> Option<SessionId> {
        self.session
    }

    pub(crate) fn inner(&self) -> &Inner {
        self.engine.inner()
    }
}
