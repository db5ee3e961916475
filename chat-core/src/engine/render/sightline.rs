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
    /// What a store needs to read through these eyes: up to the newest message there was when they were opened. He may
    /// be out by the time the store reads, and what was written after that is not for him.
    pub(crate) fn viewer(&self) -> Viewer {
        let mut member = self.member.clone();
        for interval in &mut member.intervals {
            let last = self.conversation.last_seq;
            interval.to = Some(interval.to.map_or(last, |to| to.min(last)));
        }
        Viewer {
            member,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Horizon, LastCountable, Permissions};

    #[test]
    fn what_is_written_after_the_look_is_not_seen_through_it() {
        let (id, ann) = (
            ConversationId::from_uuid(uuid::Uuid::nil()),
            UserId::new("ann").unwrap(),
        );
        let now = Timestamp::from_millis(1);
        let sight = Sightline {
            conversation: Conversation {
                id,
                kind: ConversationKind::Group,
                pair: None,
                name: None,
                description: None,
                avatar: None,
                created_by: ann.clone(),
                created_at: now,
                last_activity_at: now,
                changed_at: now,
                rev: 3,
                last_seq: 3,
                last_countable: LastCountable::default(),
                members_rev: 1,
                member_count: 1,
                permissions: Permissions::default(),
                frozen: false,
                message_ttl_ms: None,
                slow_mode: None,
                sends_until: now,
                custom: Default::default(),
                dissolved_at: None,
                horizon: Horizon::default(),
            },
            member: Member::joined(id, ann, now, 1),
            blocked: HashSet::new(),
            blocked_in_group: BlockedInGroup::default(),
            now,
        };
        // He may have been removed before the store reads what came as the fourth.
        let member = sight.viewer().member;
        assert!(member.covers(3) && !member.covers(4));
    }
}
