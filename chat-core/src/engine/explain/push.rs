use std::fmt;

use serde::Serialize;

use super::Explain;
use crate::access::PushDecision;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{ManualStatus, MemberState, MessageKind, Muted, NotificationLevel, PushLevel, Seq};
use crate::time::Timestamp;

/// Whether one user's devices would hear of one message now, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PushExplanation {
    /// Whose devices.
    pub user_id: UserId,
    /// Of which message.
    pub message_id: MessageId,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// `alert`, `silent` or `none`.
    pub decision: &'static str,
    /// Why there is none: a code of [`NoPush`](crate::access::NoPush), or `not_a_member`.
    pub reason: Option<&'static str>,
    /// The same for people.
    pub because: &'static str,
    /// What the decision rested on; absent for who was never a member.
    pub facts: Option<PushFactsSeen>,
}

/// What a decision about a push rested on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PushFactsSeen {
    /// The time it was judged by.
    pub now: Timestamp,
    /// Whether the engine has a [`Notifier`](crate::port::Notifier) at all. Without one nothing is pushed, whatever
    /// the decision.
    pub notifier: bool,
    /// Who sent it.
    pub sender_id: UserId,
    /// What it is.
    pub kind: MessageKind,
    /// Its number.
    pub seq: Seq,
    /// Whether it was sent silently.
    pub sent_silently: bool,
    /// Whether it mentions him, or everyone.
    pub mentioned: bool,
    /// Whether it was deleted for everyone.
    pub deleted: bool,
    /// Whether he deleted it for himself.
    pub hidden: bool,
    /// Whether he sees it, and not folded up.
    pub visible: bool,
    /// Whether he has blocked its sender.
    pub sender_blocked: bool,
    /// Whether it is a direct in which one of the two has blocked the other.
    pub blocked: bool,
    /// What he is in the conversation.
    pub member_state: MemberState,
    /// How far he has read.
    pub read_seq: Seq,
    /// His level in this conversation.
    pub notification_level: NotificationLevel,
    /// His level everywhere.
    pub push_level: PushLevel,
    /// His mute of this conversation, whether it still lasts or not.
    pub muted: Option<Muted>,
    /// His mute of the sender, whether it still lasts or not.
    pub sender_muted: Option<Muted>,
    /// Until when he does not want to be disturbed.
    pub dnd_until: Option<Timestamp>,
    /// Whether his own presence is `dnd` now.
    pub dnd: bool,
    /// Whether he is suspended.
    pub suspended: bool,
    /// How many devices he has.
    pub devices: usize,
    /// Whether he has a live session here.
    pub connected: bool,
    /// Whether he looks at one.
    pub foreground: bool,
    /// Whether he has the conversation on screen.
    pub on_screen: bool,
}

impl Explain {
    /// Why a message is pushed to a user or not, by the state of now: the answer for a moment ago may have been another.
    /// Sessions are those of this process.
    ///
    /// # Errors
    /// `message_not_found`, `user_not_found`; `unavailable`.
    pub async fn push(&self, message: MessageId, user: &UserId) -> ChatResult<PushExplanation> {
        let store = &self.engine.inner().store;
        let missing = || ChatError::new(ErrorCode::MessageNotFound, "no such message");
        let found = store.messages(&[message]).await?.pop().ok_or_else(missing)?;
        if store.users(std::slice::from_ref(user)).await?.is_empty() {
            return Err(ChatError::new(ErrorCode::UserNotFound, "no such user"));
        }
        let conversation = self.conversation(found.conversation_id).await?;
        let devices = store.devices(std::slice::from_ref(user)).await?.len();
        let scene = self
            .engine
            .push_scene(&conversation, message, user, devices > 0)
            .await?;
        let mut explanation = PushExplanation {
            user_id: user.clone(),
            message_id: message,
            conversation_id: conversation.id,
            decision: "none",
            reason: Some("not_a_member"),
            because: "he was never a member",
            facts: None,
        };
        let Some(scene) = scene else {
            return Ok(explanation);
        };
        (explanation.decision, explanation.reason, explanation.because) = match scene.decide(&self.engine) {
            PushDecision::Alert => ("alert", None, "nothing speaks against it"),
            PushDecision::Silent => ("silent", None, "he looks at another session"),
            PushDecision::None(reason) => ("none", Some(reason.as_str()), reason.because()),
        };
        let visible = scene.sees(&self.engine);
        explanation.facts = Some(PushFactsSeen {
            now: scene.now,
            notifier: self.engine.inner().pushes.has_notifier(),
            kind: scene.message.kind,
            seq: scene.message.seq,
            sent_silently: scene.message.silent,
            mentioned: scene.message.mentions_user(user),
            deleted: scene.message.is_deleted(),
            sender_id: scene.message.sender_id,
            hidden: scene.hidden,
            visible,
            sender_blocked: scene.sender_blocked,
            blocked: scene.blocked,
            member_state: scene.member.state,
            read_seq: scene.member.read_seq,
            notification_level: scene.member.notification_level,
            push_level: scene.user.settings.push,
            muted: scene.member.muted,
            sender_muted: scene.muted_sender,
            dnd_until: scene.user.settings.dnd_until,
            dnd: scene.user.presence.status_at(scene.now) == ManualStatus::Dnd,
            suspended: scene.user.is_suspended(scene.now),
            devices,
            connected: scene.attention.connected,
            foreground: scene.attention.foreground,
            on_screen: scene.attention.on_screen,
        });
        Ok(explanation)
    }
}

impl fmt::Display for PushExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.decision {
            "alert" => "an alert",
            "silent" => "a silent push",
            _ => "no push",
        };
        write!(
            f,
            "{what} of message {} to {}: {}",
            self.message_id, self.user_id, self.because
        )?;
        match &self.facts {
            Some(facts) if !facts.notifier => {
                f.write_str(" (and no notifier is wired, so nothing is pushed at all)")
            }
            _ => Ok(()),
        }
    }
}
