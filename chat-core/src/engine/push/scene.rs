//! What the decision about a push rests on, as it is at the moment of asking.

use crate::access::{
    PushDecision, PushFacts, Sight, Visibility, alert_at, is_collapsed, push_decision, visible,
};
use crate::engine::ChatEngine;
use crate::error::ChatResult;
use crate::id::{MessageId, UserId};
use crate::live::Attention;
use crate::model::{Conversation, ConversationKind, Member, Message, Muted, User};
use crate::time::Timestamp;

impl ChatEngine {
    /// What the decision about a push looks at, as it is now; `None` when he was never a member or one of the three is
    /// gone.
    pub(in crate::engine) async fn push_scene(
        &self,
        conversation: &Conversation,
        message: MessageId,
        to: &UserId,
        has_device: bool,
    ) -> ChatResult<Option<PushScene>> {
        let store = &self.inner().store;
        let Some(message) = store.messages(&[message]).await?.pop() else {
            return Ok(None);
        };
        let mut users = self.users_by_id(&[to.clone(), message.sender_id.clone()]).await?;
        let sender = users.get(&message.sender_id).cloned();
        let (Some(user), Some(member)) = (users.remove(to), store.member(conversation.id, to).await?) else {
            return Ok(None);
        };
        let blocks = store
            .blocks_among(to, std::slice::from_ref(&message.sender_id))
            .await?;
        let muted = store.mute_of(to, &message.sender_id).await?;
        let hidden = store.hidden_among(to, &[message.id]).await?;
        let group = conversation.kind == ConversationKind::Group;
        Ok(Some(PushScene {
            user,
            sender,
            member,
            blocked: !group && blocks.any(),
            sender_blocked: blocks.blocked.contains(&message.sender_id),
            hidden: !hidden.is_empty(),
            group,
            muted_sender: muted,
            has_device,
            attention: self.inner().live.attention(to, conversation.id),
            now: self.now(),
            message,
        }))
    }
}

/// Everything the decision about one push rests on, owned.
#[derive(Debug)]
pub(in crate::engine) struct PushScene {
    pub(in crate::engine) message: Message,
    pub(in crate::engine) user: User,
    pub(in crate::engine) sender: Option<User>,
    pub(in crate::engine) member: Member,
    pub(in crate::engine) blocked: bool,
    pub(in crate::engine) sender_blocked: bool,
    /// His mute of the sender, whether it still lasts or not.
    pub(in crate::engine) muted_sender: Option<Muted>,
    pub(in crate::engine) hidden: bool,
    group: bool,
    pub(in crate::engine) has_device: bool,
    pub(in crate::engine) attention: Attention,
    pub(in crate::engine) now: Timestamp,
}

impl PushScene {
    /// Whether he sees the message, and not folded up.
    pub(in crate::engine) fn sees(&self, engine: &ChatEngine) -> bool {
        let sight = Sight {
            member: &self.member,
            now: self.now,
            hidden: self.hidden,
            sender_blocked: self.sender_blocked,
            group: self.group,
            blocked_in_group: engine.config().policies.blocked_in_group,
        };
        visible(&sight, &self.message) == Visibility::Visible && !is_collapsed(&sight)
    }

    pub(in crate::engine) fn decide(&self, engine: &ChatEngine) -> PushDecision {
        push_decision(&self.facts(engine))
    }

    /// When an alert about what happened at `caused` goes out at the earliest.
    pub(in crate::engine) fn alert_at(&self, engine: &ChatEngine, caused: Timestamp) -> Timestamp {
        alert_at(&self.facts(engine), caused)
    }

    /// The same as if the message had not been deleted, and nobody were here: whether a device may show it. What it
    /// mentioned is gone with its text, so it may have mentioned him.
    pub(super) fn before_deletion(mut self) -> Self {
        self.message.deleted = None;
        self.message.mentions = vec![self.member.user_id.clone()];
        self.attention = Attention::default();
        self
    }

    fn facts<'a>(&'a self, engine: &'a ChatEngine) -> PushFacts<'a> {
        PushFacts {
            message: &self.message,
            member: &self.member,
            blocked: self.blocked,
            visible: self.sees(engine),
            settings: &self.user.settings,
            presence: &self.user.presence,
            suspended: self.user.is_suspended(self.now),
            sender_muted: self.muted_sender.is_some_and(|until| until.is_active(self.now)),
            has_device: self.has_device,
            attention: self.attention,
            policies: &engine.config().policies,
            now: self.now,
        }
    }
}
