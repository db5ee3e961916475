//! Sending: idempotent by client id, decided inside the commit.

mod decision;
mod files;
mod mentioned;
mod pace;
mod replay;

use self::decision::Request;
pub(crate) use self::mentioned::resolve_mentions;
use super::content;
use crate::command::{CommandName, SendMessage};
use crate::config::BlockedInGroup;
use crate::engine::occasion::Occasion;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult};
use crate::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::{Content, Conversation, Forwarded, Message};
use crate::store::{MembersNeeded, Needs, Target};
use crate::time::Timestamp;
use crate::view::SentMessage;

/// Where the content of a new message was taken from.
pub(super) struct Origin {
    /// What is told of it.
    pub(super) forwarded: Forwarded,
    /// Files it shows already, and the new message too.
    pub(super) files: Vec<AttachmentId>,
}

/// What a send comes to.
pub(super) struct Sent {
    message: Message,
    conversation: Conversation,
    replayed: bool,
    dropped_mentions: Vec<UserId>,
}

impl Actor {
    /// Sends a message, to a conversation or to a user.
    ///
    /// With a client id it is safe to repeat: the same key and payload answers with the original (`replayed`), the
    /// same key with another payload is refused. A refused send stores nothing, so it may succeed later.
    ///
    /// # Errors
    /// - `invalid_argument`, `empty_message`, `message_too_long`, `too_many_attachments`, `payload_too_large`: the
    ///   payload itself.
    /// - `cannot_message_self`, `user_not_found` (by recipient); `conversation_not_found`, `conversation_gone`.
    /// - `idempotency_conflict`.
    /// - `forbidden`, `you_blocked`, `not_permitted`: not here, not now, not by him.
    /// - `slow_mode`: sooner after his last message here than the group allows.
    /// - `attachment_not_found`, `conflict` (`attachment_ids`); `message_not_found`, `invalid_operation` (`reply_to`).
    /// - `rejected_by_policy`: the host's hook.
    /// - `rate_limited`: too many messages come to this conversation at once; or it is the first message to a user,
    ///   which makes a conversation, and those have a rate of their own.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn send(&self, message: SendMessage) -> ChatResult<SentMessage> {
        let about = self
            .about(CommandName::SendMessage)
            .conversation(message.conversation_id)
            .users(&message.recipient_id);
        let hash = content::payload_hash(&message);
        self.command(about, self.send_new(message, hash, None)).await
    }

    /// Sends a message of one's own, or a copy of another one; `hash` tells whether a repetition means the same.
    pub(super) async fn send_new(
        &self,
        message: SendMessage,
        hash: String,
        origin: Option<Origin>,
    ) -> ChatResult<SentMessage> {
        let by_recipient = message.recipient_id.is_some();
        let sent = self.send_on(Occasion::Now, message, hash, origin).await?;
        if !sent.replayed {
            self.typing_stopped_by_send(sent.conversation.id).await;
        }
        self.answer_sent(sent, by_recipient).await
    }

    /// Sends a scheduled message whose time has come; what is judged is judged as for any send. Answers where it is.
    ///
    /// # Errors
    /// Those of [`send`](Actor::send).
    pub(super) async fn send_due(&self, message: SendMessage) -> ChatResult<(ConversationId, MessageId)> {
        let about = self
            .about(CommandName::SendMessage)
            .conversation(message.conversation_id)
            .users(&message.recipient_id);
        let hash = content::payload_hash(&message);
        let sent = self
            .command(about, self.send_on(Occasion::Due, message, hash, None))
            .await?;
        Ok((sent.conversation.id, sent.message.id))
    }

    /// Judges a message as if it were sent now, and writes nothing. Answers the conversation, where there is one yet.
    ///
    /// # Errors
    /// Those of [`send`](Actor::send), without the host's hooks.
    pub(super) async fn rehearse(
        &self,
        message: SendMessage,
        send_at: Timestamp,
    ) -> ChatResult<Option<ConversationId>> {
        // Keys of scheduled messages are their own; one that was used for a send is no replay here.
        let message = SendMessage {
            client_id: None,
            ..message
        };
        let content = self.checked_content(&message)?;
        let address = self.send_target(&message).await?;
        let (needs, request) = self
            .request(Occasion::Ahead(send_at), message, content, address)
            .await?;
        self.commit(needs, move |facts| {
            request.decide(facts)?;
            let id = facts.conversation.as_ref().map(|conversation| conversation.id);
            Ok(Decision::nothing(id))
        })
        .await
    }

    async fn send_on(
        &self,
        occasion: Occasion,
        mut message: SendMessage,
        hash: String,
        origin: Option<Origin>,
    ) -> ChatResult<Sent> {
        let limits = &self.engine().config().limits;
        let mut structured = self.checked_content(&message)?;
        let (target, other) = self.send_target(&message).await?;
        if !self.inner().hooks.is_empty() {
            let found = match occasion {
                Occasion::Due => self.find_sent(&message, &target, &hash).await?,
                Occasion::Now | Occasion::Ahead(_) => self.find_replay(&message, &target, &hash).await?,
            };
            if let Some(sent) = found {
                return Ok(sent);
            }
            content::check_times(&structured, self.engine().now(), limits)?;
            self.ask_before_send(&mut message).await?;
            structured = self.checked_content(&message)?;
        }
        self.allow_new_direct(&target).await?;
        let (needs, request) = self
            .request(occasion, message, structured, (target, other))
            .await?;
        let request = Request {
            hash,
            origin,
            ..request
        };
        self.commit(needs, move |facts| request.decide(facts)).await
    }

    /// A send ready to be decided, and what the decision has to see.
    async fn request(
        &self,
        occasion: Occasion,
        message: SendMessage,
        content: Content,
        (target, other): (Target, Option<UserId>),
    ) -> ChatResult<(Needs, Request)> {
        let quoted = self.quoted_sender(&message, other.as_ref()).await?;
        let mut needs = self.send_needs(&message, target, other.as_ref().or(quoted.as_ref()));
        // Who scheduled a message does not sit before the conversation when it is sent.
        let present = occasion == Occasion::Now && !self.is_host();
        let reads = if self.engine().config().policies.read_on_send && present {
            needs.user_revs = vec![self.user_id().clone()];
            Some(self.read_audience().await?)
        } else {
            None
        };
        let request = Request {
            sender: self.user_id().clone(),
            host: self.is_host(),
            other,
            hash: content::payload_hash(&message),
            message,
            content,
            occasion,
            message_id: MessageId::from_uuid(self.inner().ids.next()),
            conversation_id: ConversationId::from_uuid(self.inner().ids.next()),
            reads,
            origin: None,
            config: self.engine().config().clone(),
        };
        Ok((needs, request))
    }

    /// Where a message goes, and the other user when it is a direct.
    pub(super) async fn send_target(&self, message: &SendMessage) -> ChatResult<(Target, Option<UserId>)> {
        match (message.conversation_id, &message.recipient_id) {
            (Some(id), None) => {
                let pair = self.direct_pair(id).await?;
                let other = pair.and_then(|pair| pair.other(self.user_id()).cloned());
                Ok((Target::Conversation(id), other))
            }
            (None, Some(recipient)) => {
                let pair = self.direct_with(recipient, "recipient_id").await?;
                Ok((Target::Direct(pair), Some(recipient.clone())))
            }
            (Some(_), Some(_)) => Err(ChatError::invalid(
                "recipient_id",
                "either this or conversation_id",
            )),
            (None, None) => Err(ChatError::invalid("conversation_id", "required, or recipient_id")),
        }
    }

    /// The first message of two makes their conversation, which costs what opening it costs.
    async fn allow_new_direct(&self, target: &Target) -> ChatResult<()> {
        if let Target::Direct(pair) = target
            && self.inner().store.direct(pair).await?.is_none()
        {
            self.take_create_allowance().await?;
        }
        Ok(())
    }

    /// Who wrote what is replied to in a group: the answer may not exist for who has blocked him.
    async fn quoted_sender(
        &self,
        message: &SendMessage,
        other: Option<&UserId>,
    ) -> ChatResult<Option<UserId>> {
        let hides = self.engine().config().policies.blocked_in_group == BlockedInGroup::Hide;
        let (Some(target), None, true) = (message.reply_to, other, hides) else {
            return Ok(None);
        };
        let quoted = self.inner().store.messages(&[target]).await?.pop();
        Ok(quoted
            .map(|quoted| quoted.sender_id)
            .filter(|sender| sender != self.user_id()))
    }

    /// `blocks_with`: the other of a direct, or in a group who may not exist for the sender.
    fn send_needs(&self, message: &SendMessage, target: Target, blocks_with: Option<&UserId>) -> Needs {
        let me = self.user_id().clone();
        let mut needs = Needs::new(target);
        let mut members = vec![me.clone()];
        members.extend(message.mentions.iter().filter(|user| **user != me).cloned());
        needs.members = MembersNeeded::Of(members);
        needs.replay = message.client_id.clone().map(|key| (me.clone(), key));
        needs.restrictions_of = Some(me.clone());
        needs.blocks = blocks_with.map(|other| (me.clone(), vec![other.clone()]));
        needs.attachments = message.attachment_ids.clone();
        if let Some(target) = message.reply_to {
            needs.messages = vec![target];
            needs.hidden_by = Some(me);
        }
        needs
    }

    pub(super) async fn answer_sent(&self, sent: Sent, by_recipient: bool) -> ChatResult<SentMessage> {
        let id = sent.conversation.id;
        let message = if sent.replayed {
            let sight = self.look_into(id).await?;
            self.render_message(&sight, sent.message).await?
        } else {
            self.render_new_message(&sent.conversation, sent.message).await?
        };
        let conversation = if by_recipient {
            Some(self.render_conversation(id).await?)
        } else {
            None
        };
        Ok(SentMessage {
            message,
            replayed: sent.replayed,
            dropped_mentions: sent.dropped_mentions,
            conversation,
        })
    }
}
