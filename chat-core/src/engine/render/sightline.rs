//! One member's view into one conversation.

use std::collections::HashSet;

use crate::access::{Sight, Visibility, visible};
use crate::config::BlockedInGroup;
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Conversation, ConversationKind, Member, Message};
use crate::store::Viewer;
use crate::time::Timestamp;

/// Everything [`visible`] wants to know of a viewer, but for hides.
#[derive(Debug, Clone)]
pub(crate) struct Sightline {
    pub(crate) conversation: Conversation,
    pub(crate) member: Member,
    /// Users he has blocked, in groups (in a direct a block hides nothing).
    pub(crate) blocked: HashSet<UserId>,
    pub(crate) blocked_in_group: BlockedInGroup,
    pub(crate) now: Timestamp,
}

impl Sightline {
    /// What a store needs to read through these eyes.
    pub(crate) fn viewer(&self) -> Viewer {
        Viewer {
            member: self.member.clone(),
            now: self.now,
            blocked_in_group: self.blocked_in_group,
            group: self.is_group(),
        }
    }

    pub(crate) fn is_group(&self) -> bool {
        self.conversation.kind == ConversationKind::Group
    }

    /// The sight on one message.
    pub(crate) fn on(&self, message: &Message, hidden: bool) -> Sight<'_> {
        Sight {
            member: &self.member,
            now: self.now,
            hidden,
            sender_blocked: self.blocked.contains(&message.sender_id),
            group: self.is_group(),
            blocked_in_group: self.blocked_in_group,
        }
    }
}

impl Actor {
    /// The caller's view into a conversation.
    ///
    /// # Errors
    /// `conversation_not_found`; `conversation_gone` for a member of a group that was deleted.
    pub(crate) async fn look_into(&self, id: ConversationId) -> ChatResult<Sightline> {
        let (conversation, member) = self.readable(id).await?;
        let blocked = if conversation.kind == ConversationKind::Group {
            self.inner()
                .store
                .blocks_of(self.user_id())
                .await?
                .blocked
                .into_iter()
                .collect()
        } else {
            HashSet::new()
        };
        Ok(Sightline {
            conversation,
            member,
            blocked,
            blocked_in_group: self.engine().config().policies.blocked_in_group,
            now: self.engine().now(),
        })
    }

    /// A message the caller may see, also a tombstone, with his view into its conversation.
    ///
    /// # Errors
    /// `message_not_found`; `conversation_gone` for a member of a group that was deleted.
    pub(crate) async fn visible_message(&self, id: MessageId) -> ChatResult<(Sightline, Message)> {
        let missing = || ChatError::new(ErrorCode::MessageNotFound, "no such message");
        let message = self
            .inner()
            .store
            .messages(&[id])
            .await?
            .pop()
            .ok_or_else(missing)?;
        let sight = self
            .look_into(message.conversation_id)
            .await
            .map_err(|error| match error.code() {
                ErrorCode::ConversationNotFound => missing(),
                _ => error,
            })?;
        let hidden = !self
            .inner()
            .store
            .hidden_among(self.user_id(), &[id])
            .await?
            .is_empty();
        match visible(&sight.on(&message, hidden), &message) {
            Visibility::Gone => Err(missing()),
            Visibility::Visible | Visibility::Tombstone => Ok((sight, message)),
        }
    }
}
