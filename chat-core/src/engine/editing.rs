use crate::access::Action;
use crate::command::{CommandName, EditMessage};
use crate::config::{ChatConfig, EditHistory, Limits};
use crate::engine::changeset::ChangeSet;
use crate::engine::content::check_text;
use crate::engine::sending::resolve_mentions;
use crate::engine::subject::{Subject, expect_version};
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::{FormerText, Member, Message, MessageKind};
use crate::store::{Facts, MembersNeeded};
use crate::text::is_blank;
use crate::view::MessageView;

impl Actor {
    /// Changes the text of the caller's own message, also the caption of its files. The message keeps its place and
    /// counts as unread for nobody again. An edit that changes nothing answers with the message as it is.
    ///
    /// # Errors
    /// - `message_too_long`, `empty_message`; `invalid_argument` (`text`, `mentions`).
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: a tombstone, a line of the engine, a location or a meeting.
    /// - `forbidden`: somebody else's, or sending is not for his role any more; `you_blocked`, `not_permitted`: as
    ///   for sending.
    /// - `window_closed`: past [`edit_window`](crate::config::Policies::edit_window).
    /// - `version_conflict`: not the expected version; `details.version` is the present one.
    pub async fn edit(&self, edit: EditMessage) -> ChatResult<MessageView> {
        let about = self.about(CommandName::EditMessage).message(edit.message_id);
        self.command(about, self.edit_past_hooks(edit)).await
    }

    async fn edit_past_hooks(&self, mut edit: EditMessage) -> ChatResult<MessageView> {
        let config = self.engine().config();
        check_edit(&edit, &config.limits)?;
        if !self.inner().hooks.is_empty() {
            self.ask_before_edit(&mut edit).await?;
            check_edit(&edit, &config.limits)?;
        }
        let subject = self.subject(edit.message_id).await?;
        let asked = edit
            .mentions
            .clone()
            .unwrap_or_else(|| subject.found.mentions.clone());
        let mut needs = subject.needs();
        let mut members = vec![self.user_id().clone()];
        members.extend(asked.iter().filter(|user| **user != *self.user_id()).cloned());
        needs.members = MembersNeeded::Of(members);
        let editing = Editing {
            subject,
            edit,
            asked,
            config: config.clone(),
        };
        let message = self.commit(needs, move |facts| editing.decide(facts)).await?;
        self.render_changed(message).await
    }
}

/// Checks an edit by itself.
fn check_edit(edit: &EditMessage, limits: &Limits) -> ChatResult<()> {
    check_text(&edit.text, limits)?;
    match &edit.mentions {
        Some(mentions) if mentions.len() > limits.mentions => Err(ChatError::invalid(
            "mentions",
            format!("at most {}", limits.mentions),
        )),
        _ => Ok(()),
    }
}

/// An edit as its decision sees it.
struct Editing {
    subject: Subject,
    edit: EditMessage,
    /// Mentioned users whose membership was asked for.
    asked: Vec<UserId>,
    config: ChatConfig,
}

impl Editing {
    fn decide(&self, facts: &Facts) -> ChatResult<Decision<Message>> {
        let scene = self.subject.look(facts)?;
        let message = scene.living()?;
        if matches!(message.kind, MessageKind::Location | MessageKind::Meeting) {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "this kind has no text to edit",
            ));
        }
        scene.by_author()?;
        let window = self.config.policies.edit_window;
        if window.is_some_and(|window| facts.now > message.created_at.after(window)) {
            return Err(ChatError::new(ErrorCode::WindowClosed, "too late to edit it"));
        }
        scene.allow(Action::Edit)?;
        if let Some(expected) = self.edit.expected_version {
            expect_version(expected, message.version)?;
        }
        if is_blank(&self.edit.text)
            && message.kind == MessageKind::Text
            && message.content.attachments.is_empty()
        {
            return Err(
                ChatError::new(ErrorCode::EmptyMessage, "a message needs something to show")
                    .with_field("text"),
            );
        }
        let everyone = scene.may_mention_all(self.config.limits.mention_all_members);
        let (mentions, mentions_all) = self.mentions(facts, message, everyone);
        if message.text == self.edit.text
            && message.mentions == mentions
            && message.mentions_all == mentions_all
        {
            return Ok(Decision::nothing(message.clone()));
        }
        let mut change = ChangeSet::of(scene.conversation, facts);
        if self.config.policies.edit_history != EditHistory::Off {
            change.writes.former_texts.push(FormerText {
                conversation_id: message.conversation_id,
                message_id: message.id,
                version: message.version,
                text: message.text.clone(),
                edited_at: change.at,
            });
        }
        let edited = change.update_message(Message {
            text: self.edit.text.clone(),
            mentions,
            mentions_all,
            version: message.version.saturating_add(1),
            edited_at: Some(change.at),
            ..message.clone()
        });
        let answer = Message::clone(&edited);
        change.event(ChatEvent::MessageUpdated { message: edited });
        Ok(change.done(answer))
    }

    /// The given mentions, or the present ones, as far as they are members.
    fn mentions(&self, facts: &Facts, message: &Message, everyone: bool) -> (Vec<UserId>, bool) {
        let given = self.edit.mentions.as_ref();
        let (mentions, given_all, _dropped) = resolve_mentions(
            given.unwrap_or(&message.mentions),
            &message.sender_id,
            everyone,
            &|user| match facts.members.get(user) {
                Some(member) => Member::is_active(member),
                // Mentioned by an edit that came between: was a member a moment ago.
                None => given.is_none() && !self.asked.contains(user),
            },
        );
        let mentions_all = if given.is_some() {
            given_all
        } else {
            message.mentions_all && everyone
        };
        (mentions, mentions_all)
    }
}
