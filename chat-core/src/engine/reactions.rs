use std::collections::HashSet;

use crate::access::Action;
use crate::command::{CommandName, ReactTo};
use crate::engine::changeset::ChangeSet;
use crate::engine::subject::Subject;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult};
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::{Message, Reaction};
use crate::store::Facts;
use crate::text::{clean_emoji, emoji_kind};
use crate::view::MessageView;

/// Whether a reaction comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Add,
    Remove,
    Toggle,
}

impl Actor {
    /// Adds the caller's reaction to a message. A reaction that is there already changes nothing. Variants of one
    /// emoji are one emoji, spelled as the first of them was.
    ///
    /// # Errors
    /// - `invalid_argument` (`emoji`): empty, blank, over 64 bytes, or one kind more than a message takes, or than
    ///   one user adds to it.
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: a tombstone or a line of the engine.
    /// - `you_blocked`, `not_permitted`: one of a direct's two blocks the other, or the conversation is frozen.
    pub async fn add_reaction(&self, react: ReactTo) -> ChatResult<MessageView> {
        let about = self.about(CommandName::AddReaction).message(react.message_id);
        self.command(about, self.react(react, Step::Add)).await
    }

    /// Adds the caller's reaction to a message, or removes it when it is there.
    ///
    /// # Errors
    /// As [`Actor::add_reaction`].
    pub async fn toggle_reaction(&self, react: ReactTo) -> ChatResult<MessageView> {
        let about = self.about(CommandName::ToggleReaction).message(react.message_id);
        self.command(about, self.react(react, Step::Toggle)).await
    }

    /// Removes the caller's reaction from a message. A reaction that is not there changes nothing.
    ///
    /// # Errors
    /// As [`Actor::add_reaction`].
    pub async fn remove_reaction(&self, react: ReactTo) -> ChatResult<MessageView> {
        let about = self.about(CommandName::RemoveReaction).message(react.message_id);
        self.command(about, self.react(react, Step::Remove)).await
    }

    async fn react(&self, react: ReactTo, step: Step) -> ChatResult<MessageView> {
        let limits = &self.engine().config().limits;
        let fits = |emoji: &String| emoji.len() <= limits.emoji_bytes;
        let emoji = Some(react.emoji)
            .filter(fits)
            .and_then(|emoji| clean_emoji(&emoji))
            .filter(fits)
            .ok_or_else(|| {
                ChatError::invalid(
                    "emoji",
                    format!("1 to {} bytes without white space", limits.emoji_bytes),
                )
            })?;
        let subject = self.subject(react.message_id).await?;
        let mut needs = subject.needs();
        needs.reactions = Some(react.message_id);
        let reacting = Reacting {
            subject,
            user: self.user_id().clone(),
            emoji,
            step,
            kinds: limits.reactions,
            own_kinds: limits.reactions_per_user,
        };
        let message = self.commit(needs, move |facts| reacting.decide(facts)).await?;
        self.render_changed(message).await
    }
}

/// A reaction as its decision sees it.
struct Reacting {
    subject: Subject,
    user: UserId,
    emoji: String,
    step: Step,
    /// How many kinds one message takes.
    kinds: usize,
    /// How many of them one user adds.
    own_kinds: usize,
}

impl Reacting {
    fn decide(&self, facts: &Facts) -> ChatResult<Decision<Message>> {
        let scene = self.subject.look(facts)?;
        let message = scene.living()?;
        scene.allow(Action::React)?;
        let kind = emoji_kind(&self.emoji);
        let alike = || (facts.reactions.iter()).filter(|reaction| emoji_kind(&reaction.emoji) == kind);
        let present = alike().find(|reaction| reaction.user_id == self.user);
        // All of one kind are spelled as the first of them.
        let emoji = alike().next().map_or(&self.emoji, |first| &first.emoji);
        let mut change = ChangeSet::of(scene.conversation, facts);
        match (self.step, present) {
            (Step::Add, Some(_)) | (Step::Remove, None) => return Ok(Decision::nothing(message.clone())),
            (Step::Add | Step::Toggle, None) => {
                self.check_kinds(facts, emoji)?;
                let at = change.at;
                change.writes.reactions_added.push(Reaction {
                    conversation_id: message.conversation_id,
                    message_id: message.id,
                    user_id: self.user.clone(),
                    emoji: emoji.clone(),
                    at,
                });
            }
            (Step::Remove | Step::Toggle, Some(reaction)) => {
                change.writes.reactions_removed.push(reaction.clone())
            }
        }
        let message = change.update_message(message.clone());
        let answer = Message::clone(&message);
        change.event(ChatEvent::MessageUpdated { message });
        Ok(change.done(answer))
    }

    fn check_kinds(&self, facts: &Facts, emoji: &str) -> ChatResult<()> {
        let kinds: HashSet<&str> = facts
            .reactions
            .iter()
            .map(|reaction| reaction.emoji.as_str())
            .collect();
        if kinds.len() >= self.kinds && !kinds.contains(emoji) {
            return Err(ChatError::invalid(
                "emoji",
                format!("at most {} kinds on one message", self.kinds),
            ));
        }
        let own = facts
            .reactions
            .iter()
            .filter(|reaction| reaction.user_id == self.user);
        if own.count() >= self.own_kinds {
            return Err(ChatError::invalid(
                "emoji",
                format!("at most {} kinds of one user", self.own_kinds),
            ));
        }
        Ok(())
    }
}
