//! The message a command is about: found by its id, and judged again inside the commit, because everything may have
//! changed in between.

use crate::access::{Action, Sight, Standing, Visibility, allowed, visible};
use crate::config::Policies;
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{MessageId, UserId};
use crate::model::{Conversation, ConversationKind, Message, MessageKind};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::view::MessageView;

/// A message somebody wants to change.
#[derive(Debug)]
pub(crate) struct Subject {
    actor: UserId,
    /// The other user of a direct conversation.
    peer: Option<UserId>,
    /// The message as it was found; the commit decides on its present state.
    pub(crate) found: Message,
    policies: Policies,
}

/// The message at the place of the change in the order of commits, and how the actor stands to it.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    actor: &'a UserId,
    standing: Standing<'a>,
    pub(crate) conversation: &'a Conversation,
    pub(crate) message: &'a Message,
    seen_as: Visibility,
}

fn missing() -> ChatError {
    ChatError::new(ErrorCode::MessageNotFound, "no such message")
}

/// To somebody who may not read a conversation, its messages do not exist either.
fn as_message(error: ChatError) -> ChatError {
    match error.code() {
        ErrorCode::ConversationNotFound => missing(),
        _ => error,
    }
}

impl Actor {
    /// Finds the message a command is about. Whether the caller may see or change it is decided in the commit.
    ///
    /// # Errors
    /// `message_not_found`.
    pub(crate) async fn subject(&self, id: MessageId) -> ChatResult<Subject> {
        let found = self
            .inner()
            .store
            .messages(&[id])
            .await?
            .pop()
            .ok_or_else(missing)?;
        let pair = self
            .direct_pair(found.conversation_id)
            .await
            .map_err(as_message)?;
        Ok(Subject {
            actor: self.user_id().clone(),
            peer: pair.and_then(|pair| pair.other(self.user_id()).cloned()),
            found,
            policies: self.engine().config().policies.clone(),
        })
    }

    /// The answer of a command that changed a message.
    ///
    /// # Errors
    /// `message_not_found` when the caller lost sight of it meanwhile.
    pub(crate) async fn render_changed(&self, message: Message) -> ChatResult<MessageView> {
        let sight = self
            .look_into(message.conversation_id)
            .await
            .map_err(as_message)?;
        self.render_message(&sight, message).await
    }
}

impl Subject {
    /// The least a decision about the message has to see: the caller's membership, the message, whether he hid it,
    /// and the blocks that matter.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs::new(Target::Conversation(self.found.conversation_id));
        needs.members = MembersNeeded::Of(vec![self.actor.clone()]);
        needs.messages = vec![self.found.id];
        needs.hidden_by = Some(self.actor.clone());
        needs.restrictions_of = Some(self.actor.clone());
        let other = self.peer.as_ref().unwrap_or(&self.found.sender_id);
        if *other != self.actor {
            needs.blocks = Some((self.actor.clone(), vec![other.clone()]));
        }
        needs
    }

    /// Looks at the message inside the commit.
    ///
    /// # Errors
    /// `message_not_found` without the right to read the conversation; `conversation_gone` for a member of a group
    /// that was deleted.
    pub(crate) fn look<'a>(&'a self, facts: &'a Facts) -> ChatResult<Scene<'a>> {
        let peer = self.peer.as_ref();
        let standing = Standing {
            conversation: facts.conversation.as_ref(),
            member: facts.acting(&self.actor),
            has_blocked: peer.is_some_and(|peer| facts.is_blocked(&self.actor, peer)),
            is_blocked: peer.is_some_and(|peer| facts.is_blocked(peer, &self.actor)),
            restrictions: facts.restrictions,
            now: facts.now,
            policies: &self.policies,
        };
        let (conversation, member) = allowed(&standing, Action::Read).map_err(as_message)?;
        let message = facts.messages.get(&self.found.id).ok_or_else(missing)?;
        let sight = Sight {
            member,
            now: facts.now,
            hidden: facts.hidden.contains(&message.id),
            sender_blocked: facts.is_blocked(&self.actor, &message.sender_id),
            group: conversation.kind == ConversationKind::Group,
            blocked_in_group: self.policies.blocked_in_group,
        };
        Ok(Scene {
            actor: &self.actor,
            standing,
            conversation,
            message,
            seen_as: visible(&sight, message),
        })
    }
}

impl<'a> Scene<'a> {
    /// Whether the caller wrote it.
    pub(crate) fn is_author(&self) -> bool {
        self.message.sender_id == *self.actor
    }

    /// Refuses what the caller does not see. A tombstone is seen.
    ///
    /// # Errors
    /// `message_not_found`.
    pub(crate) fn seen(&self) -> ChatResult<&'a Message> {
        match self.seen_as {
            Visibility::Gone => Err(missing()),
            Visibility::Visible | Visibility::Tombstone => Ok(self.message),
        }
    }

    /// Refuses what cannot be changed any more, or was never somebody's words.
    ///
    /// # Errors
    /// `message_not_found`; `invalid_operation` for tombstones and lines of the engine.
    pub(crate) fn living(&self) -> ChatResult<&'a Message> {
        let message = self.seen()?;
        if message.is_deleted() {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "the message was deleted",
            ));
        }
        if message.kind == MessageKind::System {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "not on a line of the engine",
            ));
        }
        Ok(message)
    }

    /// Asks for the right to do something here.
    ///
    /// # Errors
    /// As [`allowed`] says.
    pub(crate) fn allow(&self, action: Action<'_>) -> ChatResult<()> {
        allowed(&self.standing, action).map(|_| ())
    }

    /// Refuses everybody but the author.
    ///
    /// # Errors
    /// `forbidden`.
    pub(crate) fn by_author(&self) -> ChatResult<()> {
        if self.is_author() {
            Ok(())
        } else {
            Err(ChatError::new(ErrorCode::Forbidden, "only its author does that"))
        }
    }

    /// Whether the caller may mention everyone here.
    pub(crate) fn may_mention_all(&self, members: usize) -> bool {
        self.allow(Action::MentionAll).is_ok()
            && usize::try_from(self.conversation.member_count).unwrap_or(usize::MAX) <= members
    }
}

/// Refuses a change of a version the caller has not seen.
///
/// # Errors
/// `version_conflict` with the present version in `details.version`.
pub(crate) fn expect_version(expected: u32, current: u32) -> ChatResult<()> {
    if expected == current {
        Ok(())
    } else {
        Err(
            ChatError::new(ErrorCode::VersionConflict, "it was changed meanwhile")
                .with_field("expected_version")
                .with_fact("version", current),
        )
    }
}
