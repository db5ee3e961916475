//! Disappearing messages that stay after all.

use crate::access::Action;
use crate::command::{CommandName, KeepMessage};
use crate::engine::changeset::ChangeSet;
use crate::engine::expiry;
use crate::engine::subject::Subject;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::{Kept, Message};
use crate::store::Facts;
use crate::view::{GoneView, MessageView, SyncedMessage};

impl Actor {
    /// Keeps a disappearing message: its timer stands still until somebody lets it go. A message that is kept already
    /// stays as it is.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight, also because its time is over.
    /// - `invalid_operation`: a tombstone, a line of the engine, or a message that does not disappear.
    /// - `forbidden`: in a group, without the role of an admin.
    /// - `you_blocked`, `not_permitted`: one of a direct's two blocks the other.
    pub async fn keep_message(&self, keep: KeepMessage) -> ChatResult<MessageView> {
        let about = self.about(CommandName::KeepMessage).message(keep.message_id);
        self.command(about, self.keep_past_hooks(keep)).await
    }

    async fn keep_past_hooks(&self, keep: KeepMessage) -> ChatResult<MessageView> {
        let subject = self.subject(keep.message_id).await?;
        let needs = subject.needs();
        let me = self.user_id().clone();
        let message = self
            .commit(needs, move |facts| decide_keep(&subject, facts, &me))
            .await?;
        self.render_changed(message).await
    }

    /// Lets a kept message go: the time it was to disappear at counts again, and when that is over, the message is gone
    /// at once. A message that is not kept stays as it is.
    ///
    /// # Errors
    /// As [`Actor::keep_message`], but a message that never disappears is fine.
    pub async fn unkeep_message(&self, keep: KeepMessage) -> ChatResult<SyncedMessage> {
        let about = self.about(CommandName::UnkeepMessage).message(keep.message_id);
        self.command(about, self.unkeep_past_hooks(keep)).await
    }

    async fn unkeep_past_hooks(&self, keep: KeepMessage) -> ChatResult<SyncedMessage> {
        let subject = self.subject(keep.message_id).await?;
        let mut needs = subject.needs();
        // An edit cannot change the files of a message, so the ones found are the ones it has.
        needs.attachments.clone_from(&subject.found.content.attachments);
        let message = self
            .commit(needs, move |facts| decide_unkeep(&subject, facts))
            .await?;
        if !message.has_content() {
            return Ok(SyncedMessage::Gone(GoneView::of(&message)));
        }
        let view = self.render_changed(message).await?;
        Ok(SyncedMessage::Message(Box::new(view)))
    }
}

fn decide_keep(subject: &Subject, facts: &Facts, user: &UserId) -> ChatResult<Decision<Message>> {
    let scene = subject.look(facts)?;
    let message = scene.living()?;
    scene.allow(Action::Keep)?;
    if message.kept.is_some() {
        return Ok(Decision::nothing(message.clone()));
    }
    let Some(expires_at) = message.expires_at else {
        return Err(ChatError::new(
            ErrorCode::InvalidOperation,
            "this message does not disappear",
        ));
    };
    let mut change = ChangeSet::of(scene.conversation, facts);
    let kept = change.update_message(Message {
        expires_at: None,
        kept: Some(Kept {
            at: change.at,
            by: user.clone(),
            expires_at,
        }),
        ..message.clone()
    });
    let answer = Message::clone(&kept);
    change.event(ChatEvent::MessageUpdated { message: kept });
    Ok(change.done(answer))
}

fn decide_unkeep(subject: &Subject, facts: &Facts) -> ChatResult<Decision<Message>> {
    let scene = subject.look(facts)?;
    let message = scene.living()?;
    scene.allow(Action::Keep)?;
    let Some(kept) = &message.kept else {
        return Ok(Decision::nothing(message.clone()));
    };
    let mut change = ChangeSet::of(scene.conversation, facts);
    let running = Message {
        expires_at: Some(kept.expires_at),
        kept: None,
        ..message.clone()
    };
    if running.is_expired(facts.now) {
        let gone = expiry::expire(&mut change, &running, facts);
        return Ok(change.done(gone));
    }
    let running = change.update_message(running);
    let answer = Message::clone(&running);
    change.event(ChatEvent::MessageUpdated { message: running });
    Ok(change.done(answer))
}
