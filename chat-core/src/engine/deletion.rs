use serde_json::json;

use crate::access::Action;
use crate::command::{CommandName, DeleteMessage, DeletionScope};
use crate::config::Policies;
use crate::engine::audit::{Act, Auditor};
use crate::engine::changeset::ChangeSet;
use crate::engine::subject::{Scene, Subject};
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::{
    AuditAction, AuditTarget, Content, ConversationKind, Deletion, DeletionBy, Hide, Message, MessageKind,
};
use crate::store::Facts;

impl Actor {
    /// Deletes a message for the caller or for everyone. Repeating either is fine and changes nothing.
    ///
    /// For the caller: any message he sees, at any age, tombstones too; others notice nothing. For everyone: its
    /// author within the window, also when he has cleared or hidden it himself; owner and admins of a group at any
    /// time. What is left is a tombstone without text, content, mentions, reactions, pin and files; a file that another
    /// message shows too stays for that.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: a line of the engine, for everyone; for the host, "for me".
    /// - `forbidden`: somebody else's, for everyone, without the role for it.
    /// - `window_closed`: his own, for everyone, past
    ///   [`delete_for_everyone_window`](crate::config::Policies::delete_for_everyone_window).
    pub async fn delete_message(&self, delete: DeleteMessage) -> ChatResult<()> {
        let about = self.about(CommandName::DeleteMessage).message(delete.message_id);
        self.command(about, self.delete_message_past_hooks(delete)).await
    }

    pub(super) async fn delete_message_past_hooks(&self, delete: DeleteMessage) -> ChatResult<()> {
        let subject = self.subject(delete.message_id).await?;
        let mut needs = subject.needs();
        match delete.scope {
            DeletionScope::Me if self.is_host() => Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "the host has no sight of its own to delete from",
            )),
            DeletionScope::Me => {
                let me = self.user_id().clone();
                self.commit(needs, move |facts| {
                    let scene = subject.look(facts)?;
                    hide(&scene, facts, &me)
                })
                .await
            }
            DeletionScope::Everyone => {
                // An edit cannot change the files of a message, so the ones found are the ones it has.
                needs.attachments = subject.found.content.attachments.clone();
                let host = self.is_host();
                let policies = self.engine().config().policies.clone();
                let auditor = self.auditor();
                self.commit(needs, move |facts| {
                    redact(&subject, facts, &policies, host, &auditor)
                })
                .await
            }
        }
    }
}

fn hide(scene: &Scene<'_>, facts: &Facts, user: &UserId) -> ChatResult<Decision<()>> {
    if facts.hidden.contains(&scene.message.id) {
        return Ok(Decision::nothing(()));
    }
    let message = scene.seen()?;
    let mut change = ChangeSet::of(scene.conversation, facts);
    let hide = Hide {
        user_id: user.clone(),
        conversation_id: message.conversation_id,
        message_id: message.id,
        seq: message.seq,
        rev: change.next_rev(),
    };
    change.writes.hides.push(hide.clone());
    change.event(ChatEvent::MessageHidden { hide });
    Ok(change.done(()))
}

fn redact(
    subject: &Subject,
    facts: &Facts,
    policies: &Policies,
    host: bool,
    auditor: &Auditor,
) -> ChatResult<Decision<()>> {
    let scene = subject.look(facts)?;
    let message = scene.message;
    // Its author may have cleared or hidden it; what has expired is there for nobody.
    if !scene.is_author() || message.is_expired(facts.now) {
        scene.seen()?;
    }
    if message.kind == MessageKind::System {
        return Err(ChatError::new(
            ErrorCode::InvalidOperation,
            "not on a line of the engine",
        ));
    }
    let by = if host {
        Ok(DeletionBy::Moderator)
    } else {
        deleted_by(&scene, facts, policies)?
    };
    if message.is_deleted() {
        return Ok(Decision::nothing(()));
    }
    let by = by?;
    let mut change = ChangeSet::of(scene.conversation, facts);
    bury(&mut change, facts, message, by);
    if by == DeletionBy::Moderator {
        let act = Act::new(AuditAction::MessageDeleted, AuditTarget::Message, message.id)
            .with("sender_id", json!(message.sender_id))
            .with("seq", json!(message.seq));
        change.audit(auditor, act);
    }
    Ok(change.done(()))
}

/// Leaves a tombstone of a message, and nothing of what hung on it. Its files must be among the facts.
pub(super) fn bury(change: &mut ChangeSet, facts: &Facts, message: &Message, by: DeletionBy) {
    let emptied = empty(change, message, facts);
    let tombstone = change.update_message(Message {
        deleted: Some(Deletion { at: change.at, by }),
        // A tombstone stays, whatever the timer was.
        expires_at: None,
        ..emptied
    });
    change.event(ChatEvent::MessageDeleted { message: tombstone });
}

/// What is left of a message when everything that was said in it goes, its reactions and files with it. The files must
/// be among the facts.
pub(super) fn empty(change: &mut ChangeSet, message: &Message, facts: &Facts) -> Message {
    change.writes.reactions_cleared.push(message.id);
    change.writes.former_texts_cleared.push(message.id);
    change.release_files(message, facts);
    without_content(message.clone())
}

/// A message without everything that was said in it.
pub(crate) fn without_content(message: Message) -> Message {
    Message {
        text: String::new(),
        content: Content::default(),
        reply_to: None,
        mentions: Vec::new(),
        mentions_all: false,
        kept: None,
        pinned: None,
        ..message
    }
}

/// By whose right the caller deletes it for everyone. The outer refusal is about who he is, the inner one about the
/// time, which does not matter for what is deleted already.
fn deleted_by(scene: &Scene<'_>, facts: &Facts, policies: &Policies) -> ChatResult<ChatResult<DeletionBy>> {
    if !scene.is_author() {
        scene.allow(Action::Moderate)?;
        return Ok(Ok(DeletionBy::Moderator));
    }
    scene.allow(Action::DeleteOwn)?;
    let open = policies
        .delete_for_everyone_window
        .is_none_or(|window| facts.now <= scene.message.created_at.after(window));
    let moderates =
        scene.conversation.kind == ConversationKind::Group && scene.allow(Action::Moderate).is_ok();
    Ok(if open {
        Ok(DeletionBy::Author)
    } else if moderates {
        Ok(DeletionBy::Moderator)
    } else {
        Err(ChatError::new(
            ErrorCode::WindowClosed,
            "too late to delete it for everyone",
        ))
    })
}
