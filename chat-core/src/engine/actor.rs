use std::sync::Arc;

use crate::engine::{ChatEngine, Decision, Inner};
use crate::error::ChatResult;
use crate::id::{SessionId, UserId};
use crate::model::{Conversation, Member, NotificationLevel, Restrictions, Role};
use crate::port::Via;
use crate::store::{Facts, Needs};
use crate::time::Timestamp;

/// By whose right an actor acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    /// By his own: what his memberships and ranks allow.
    Own,
    /// By the host's: with an owner's rank in every conversation, without being a member of any.
    Host,
}

/// Somebody who asks something of the engine. Every command is a method here, so none can lack or forge an identity.
///
/// Every command that changes something passes the host's [hooks](crate::port::Hook) and may, besides what its own
/// documentation says, be refused with `rejected_by_policy`, or with `unavailable` when a hook fails.
#[derive(Debug, Clone)]
pub struct Actor {
    engine: ChatEngine,
    user: UserId,
    session: Option<SessionId>,
    authority: Authority,
    /// Whether his credential says that he moderates.
    moderator: bool,
    via: Via,
    /// The login behind his credential.
    login: Option<Arc<str>>,
}

impl ChatEngine {
    /// The identity on which commands live. Who calls this has authenticated the user.
    #[must_use]
    pub fn as_user(&self, user: &UserId) -> Actor {
        Actor::new(self.clone(), user.clone(), None)
    }

    /// The host itself, under the name of a user (a bot named "system", say): it has an owner's rank in every
    /// conversation without being a member, no block or rate stops it, and what it changes carries that user's name.
    /// It has no marks or settings of its own: commands that would write the actor's own membership write nothing.
    #[must_use]
    pub fn as_host(&self, user: &UserId) -> Actor {
        Actor {
            authority: Authority::Host,
            ..Actor::new(self.clone(), user.clone(), None)
        }
    }
}

impl Actor {
    /// An actor of a live session, or with `None` of the host's code.
    pub(crate) const fn new(engine: ChatEngine, user: UserId, session: Option<SessionId>) -> Self {
        Self {
            engine,
            user,
            via: if session.is_some() { Via::Live } else { Via::Rust },
            session,
            authority: Authority::Own,
            moderator: false,
            login: None,
        }
    }

    /// The same actor as a moderator, for the commands that are for moderators. Who calls this has seen a credential
    /// that says so ([`Identity::moderator`](crate::port::Identity::moderator)).
    #[must_use]
    pub const fn as_moderator(mut self) -> Self {
        self.moderator = true;
        self
    }

    /// Whether he acts as a moderator.
    pub(crate) const fn is_moderator(&self) -> bool {
        self.moderator
    }

    /// The same actor with an owner's rank everywhere, for what a moderator may do.
    pub(crate) fn moderating(&self) -> Self {
        Self {
            authority: Authority::Host,
            ..self.clone()
        }
    }

    /// The same actor by this login ([`Identity::login`](crate::port::Identity::login)), with which devices go that he
    /// registers.
    #[must_use]
    pub fn with_login(mut self, login: Option<&str>) -> Self {
        self.login = login.map(Arc::from);
        self
    }

    pub(crate) fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    /// The same actor, coming by another path: for gateways, so that hooks know it.
    #[must_use]
    pub const fn coming_by(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// By which path he comes.
    #[must_use]
    pub const fn via(&self) -> Via {
        self.via
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

    /// Whether the host acts.
    pub(crate) fn is_host(&self) -> bool {
        self.authority == Authority::Host
    }

    /// Commits a change in this actor's name; the session he acts from gets the answer and not the events.
    ///
    /// For the host the decision acts by an owner's membership, which is in no store; one of that user's own is a member
    /// like any other.
    ///
    /// # Errors
    /// As [`ChatEngine::commit`].
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        needs: Needs,
        decide: impl Fn(&Facts) -> ChatResult<Decision<T>> + Send + Sync + 'static,
    ) -> ChatResult<T> {
        if !self.is_host() {
            return self.engine.commit(self.session, needs, decide).await;
        }
        let user = self.user.clone();
        let as_owner = move |facts: &Facts| {
            let mut facts = facts.clone();
            facts.blocks.clear();
            facts.restrictions = Restrictions::default();
            facts.host = (facts.conversation.as_ref()).map(|conversation| host_member(conversation, &user));
            decide(&facts)
        };
        self.engine.commit(self.session, needs, as_owner).await
    }

    /// The membership rules see: his own, or an owner's for the host.
    pub(crate) fn standing_member(
        &self,
        conversation: Option<&Conversation>,
        own: Option<Member>,
    ) -> Option<Member> {
        match conversation {
            Some(conversation) if self.is_host() => Some(host_member(conversation, &self.user)),
            _ => own,
        }
    }
}

/// What the host is in every conversation.
fn host_member(conversation: &Conversation, user: &UserId) -> Member {
    Member {
        role: Role::Owner,
        notification_level: NotificationLevel::None,
        ..Member::joined(conversation.id, user.clone(), Timestamp::default(), 1)
    }
}
