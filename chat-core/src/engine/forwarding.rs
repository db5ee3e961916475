use serde_json::json;

use super::content::hash_json;
use super::sending::Origin;
use crate::command::{CommandName, ForwardMessage, SendMessage};
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::MessageId;
use crate::model::{Forwarded, Message, MessageKind};
use crate::view::SentMessage;

impl Actor {
    /// Sends a copy of a message that the caller sees on, to a conversation or to a user: its text, its files, its
    /// place or the host's own payload. Mentions, reactions and what it answers stay behind. The copy is a message of
    /// the caller's, under all rules of sending, and says that it was forwarded and who wrote the first original
    /// ([`forward_shows_sender`](crate::config::Policies::forward_shows_sender)).
    ///
    /// With a client id it is safe to repeat, also when the original is gone by then.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: a tombstone, a line of the engine, a meeting, or a live location, which shows where
    ///   somebody is to those he chose.
    /// - Those of [`Actor::send`].
    pub async fn forward(&self, forward: ForwardMessage) -> ChatResult<SentMessage> {
        let about = self
            .about(CommandName::ForwardMessage)
            .message(forward.message_id)
            .conversation(forward.conversation_id)
            .users(&forward.recipient_id);
        self.command(about, self.forward_past_hooks(forward)).await
    }

    async fn forward_past_hooks(&self, forward: ForwardMessage) -> ChatResult<SentMessage> {
        let hash = hash_json(&json!({ "forward": forward.message_id, "silent": forward.silent }));
        let bare = SendMessage {
            conversation_id: forward.conversation_id,
            recipient_id: forward.recipient_id,
            client_id: forward.client_id,
            silent: forward.silent,
            client_time: forward.client_time,
            ..SendMessage::default()
        };
        let original = match self.forwardable(forward.message_id).await {
            Ok(original) => original,
            // What was forwarded before is answered as it was, whatever became of the original since.
            Err(refusal) => {
                let (target, _) = self.send_target(&bare).await?;
                return match self.find_replay(&bare, &target, &hash).await? {
                    Some(sent) => self.answer_sent(sent, bare.recipient_id.is_some()).await,
                    None => Err(refusal),
                };
            }
        };
        let shows_sender = self.engine().config().policies.forward_shows_sender;
        let origin = Origin {
            forwarded: original.content.forwarded.clone().unwrap_or_else(|| Forwarded {
                sender_id: Some(original.sender_id.clone()).filter(|_| shows_sender),
            }),
            files: original.content.attachments.clone(),
        };
        let copy = SendMessage {
            kind: original.kind,
            text: Some(original.text),
            format: original.format,
            attachment_ids: original.content.attachments,
            location: original.content.location,
            custom: original.content.custom,
            ..bare
        };
        self.send_new(copy, hash, Some(origin)).await
    }

    async fn forwardable(&self, id: MessageId) -> ChatResult<Message> {
        let (_, message) = self.visible_message(id).await?;
        let refused = |detail| Err(ChatError::new(ErrorCode::InvalidOperation, detail));
        let live = message
            .content
            .location
            .as_ref()
            .is_some_and(|place| place.live_until.is_some());
        match message.kind {
            _ if message.is_deleted() => refused("the message was deleted"),
            MessageKind::System => refused("not a line of the engine"),
            MessageKind::Meeting => refused("a meeting is between those who were asked"),
            MessageKind::Location if live => refused("a live location is for those it was shared with"),
            _ => Ok(message),
        }
    }
}
