use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::access::Action;
use crate::command::{CommandName, PageRequest, PinMessage};
use crate::config::ChatConfig;
use crate::engine::changeset::ChangeSet;
use crate::engine::subject::Subject;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Message, Pin, Seq};
use crate::store::{Facts, PinKey, PinsQuery};
use crate::time::Timestamp;
use crate::view::{MessageView, Page};

/// Place of a message among the pinned; the inside of a cursor.
#[derive(Serialize, Deserialize)]
struct Place {
    #[serde(rename = "a")]
    at: Timestamp,
    #[serde(rename = "s")]
    seq: Seq,
}

impl Actor {
    /// Pins a message for everybody in its conversation; a line of the engine tells of it. Pinning it again changes
    /// nothing. A pin goes with its message, when that is deleted for everyone or expires.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight, or not of the conversation named.
    /// - `invalid_operation`: a tombstone or a line of the engine.
    /// - `forbidden`: not with his rank; `you_blocked`, `not_permitted`: as for sending.
    /// - `conflict`: [`pins_per_conversation`](crate::config::Limits::pins_per_conversation) are pinned already.
    pub async fn pin_message(&self, pin: PinMessage) -> ChatResult<MessageView> {
        let about = self
            .about(CommandName::PinMessage)
            .message(pin.message_id)
            .conversation(pin.conversation_id);
        self.command(about, self.pin_past_hooks(pin)).await
    }

    async fn pin_past_hooks(&self, pin: PinMessage) -> ChatResult<MessageView> {
        let subject = self.pin_subject(&pin).await?;
        let mut needs = subject.needs();
        needs.pins = true;
        let pinning = Pinning {
            subject,
            user: self.user_id().clone(),
            line: MessageId::from_uuid(self.inner().ids.next()),
            config: self.engine().config().clone(),
        };
        let message = self.commit(needs, move |facts| pinning.decide(facts)).await?;
        self.render_changed(message).await
    }

    /// Takes a message's pin off. Where there is none, nothing changes.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight, or not of the conversation named.
    /// - `forbidden`: not with his rank; `you_blocked`, `not_permitted`: as for sending.
    pub async fn unpin_message(&self, pin: PinMessage) -> ChatResult<()> {
        let about = self
            .about(CommandName::UnpinMessage)
            .message(pin.message_id)
            .conversation(pin.conversation_id);
        self.command(about, self.unpin_past_hooks(pin)).await
    }

    async fn unpin_past_hooks(&self, pin: PinMessage) -> ChatResult<()> {
        let subject = self.pin_subject(&pin).await?;
        let needs = subject.needs();
        self.commit(needs, move |facts| unpin(&subject, facts)).await
    }

    /// Pinned messages of a conversation as far as the caller sees them, the newest pin first.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`; `conversation_not_found`, `conversation_gone`.
    pub async fn pinned_messages(
        &self,
        id: ConversationId,
        page: PageRequest,
    ) -> ChatResult<Page<MessageView>> {
        let limit = self.limit(page.limit)?;
        let purpose = format!("pins {id}");
        let after = self.cursor::<Place>(&purpose, &page)?;
        let sight = self.look_into(id).await?;
        let query = PinsQuery {
            viewer: sight.viewer(),
            after: after.map(|place| PinKey {
                at: place.at,
                seq: place.seq,
            }),
            limit: limit.saturating_add(1),
        };
        let mut pinned = self.inner().store.pinned(&query).await?;
        let more = pinned.len() > limit;
        pinned.truncate(limit);
        let last = pinned.last().and_then(|message| {
            Some(Place {
                at: message.pinned.as_ref()?.at,
                seq: message.seq,
            })
        });
        Ok(Page {
            items: self.render_messages(&sight, pinned).await?,
            next_cursor: self.next_cursor(&purpose, more, last.as_ref()),
        })
    }

    async fn pin_subject(&self, pin: &PinMessage) -> ChatResult<Subject> {
        let subject = self.subject(pin.message_id).await?;
        if pin
            .conversation_id
            .is_some_and(|id| id != subject.found.conversation_id)
        {
            return Err(ChatError::new(ErrorCode::MessageNotFound, "no such message here"));
        }
        Ok(subject)
    }
}

/// A pin as its decision sees it.
struct Pinning {
    subject: Subject,
    user: UserId,
    /// For the line that tells of it.
    line: MessageId,
    config: ChatConfig,
}

impl Pinning {
    fn decide(&self, facts: &Facts) -> ChatResult<Decision<Message>> {
        let scene = self.subject.look(facts)?;
        let message = scene.living()?;
        scene.allow(Action::PinMessages)?;
        if message.pinned.is_some() {
            return Ok(Decision::nothing(message.clone()));
        }
        let cap = self.config.limits.pins_per_conversation;
        if usize::try_from(facts.pins).unwrap_or(usize::MAX) >= cap {
            return Err(ChatError::new(
                ErrorCode::Conflict,
                format!("at most {cap} messages are pinned"),
            ));
        }
        let mut change = ChangeSet::of(scene.conversation, facts);
        let pin = Pin {
            at: change.at,
            by: self.user.clone(),
        };
        let pinned = change.update_message(Message {
            pinned: Some(pin),
            ..message.clone()
        });
        let answer = Message::clone(&pinned);
        change.event(ChatEvent::MessageUpdated { message: pinned });
        let params = Map::from_iter([
            ("message_id".to_owned(), json!(message.id)),
            ("seq".to_owned(), json!(message.seq)),
        ]);
        change.append_system(
            self.line,
            &self.user,
            "message_pinned",
            params,
            &self.config.policies,
        );
        Ok(change.done(answer))
    }
}

fn unpin(subject: &Subject, facts: &Facts) -> ChatResult<Decision<()>> {
    let scene = subject.look(facts)?;
    let message = scene.seen()?;
    scene.allow(Action::PinMessages)?;
    if message.pinned.is_none() {
        return Ok(Decision::nothing(()));
    }
    let mut change = ChangeSet::of(scene.conversation, facts);
    let message = change.update_message(Message {
        pinned: None,
        ..message.clone()
    });
    change.event(ChatEvent::MessageUpdated { message });
    Ok(change.done(()))
}
