use std::fmt;

use async_trait::async_trait;

use crate::command::{CommandName, SendMessage};
use crate::error::ChatError;
use crate::event::ChatEvent;
use crate::id::{AttachmentId, ConversationId, MessageId, UserId};

/// The path a command came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Via {
    /// The host's own code, on an [`Actor`](crate::Actor).
    Rust,
    /// A REST request.
    Rest,
    /// A live session: Socket.IO or WebSocket.
    Live,
}

/// Who asks for what: the facts of one command, as its caller gave them. Nothing of it has been checked yet, so what it
/// names need not exist or be his to see.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandContext {
    /// Who acts.
    pub actor: UserId,
    /// Whether the host acts, under that user's name.
    pub as_host: bool,
    /// By which path.
    pub via: Via,
    /// Which command.
    pub command: CommandName,
    /// The conversations it names: none, one, or several (marks). For a command about a message the message's
    /// conversation, when the actor is a member of it or the host: no policy can tell a stranger of it.
    pub conversation_ids: Vec<ConversationId>,
    /// The message it is about.
    pub message_id: Option<MessageId>,
    /// The upload it is about.
    pub attachment_id: Option<AttachmentId>,
    /// Other users it is about: a recipient, new members, who is blocked.
    pub user_ids: Vec<UserId>,
}

impl CommandContext {
    /// The conversation, when it is one.
    #[must_use]
    pub fn conversation_id(&self) -> Option<ConversationId> {
        match self.conversation_ids.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    pub(crate) fn conversation(mut self, id: impl Into<Option<ConversationId>>) -> Self {
        self.conversation_ids.extend(id.into());
        self
    }

    pub(crate) fn message(mut self, id: MessageId) -> Self {
        self.message_id = Some(id);
        self
    }

    pub(crate) fn attachment(mut self, id: AttachmentId) -> Self {
        self.attachment_id = Some(id);
        self
    }

    pub(crate) fn users<'a>(mut self, ids: impl IntoIterator<Item = &'a UserId>) -> Self {
        self.user_ids.extend(ids.into_iter().cloned());
        self
    }
}

/// A message on its way in: the host may change or refuse it.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Who sends.
    pub sender: &'a UserId,
    /// What he sends; changes are validated again.
    pub message: &'a mut SendMessage,
}

/// A new text of a message on its way in: the host may change or refuse it.
#[derive(Debug)]
pub struct EditDraft<'a> {
    /// Who edits.
    pub editor: &'a UserId,
    /// Which message. Whether it is his to edit is decided later.
    pub message_id: MessageId,
    /// The new text; changes are validated again.
    pub text: &'a mut String,
    /// The new mentions, or `None` to keep them; changes are validated again.
    pub mentions: &'a mut Option<Vec<UserId>>,
}

/// A host's refusal: becomes `rejected_by_policy` with `details.policy_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The host's own code.
    pub policy_code: String,
    /// For people.
    pub detail: String,
}

impl Rejection {
    /// A refusal with this code and this text for people.
    #[must_use]
    pub fn new(policy_code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            policy_code: policy_code.into(),
            detail: detail.into(),
        }
    }
}

/// The host's say. Hooks run in the order they were added; the first rejection ends the command and changes nothing.
///
/// | point | when | may |
/// |---|---|---|
/// | [`before`](Hook::before) | before the engine looks at a command that changes something, whatever its path | refuse |
/// | [`before_send`](Hook::before_send) | after the payload was validated, before anything is stored; not for a replay | change, refuse |
/// | [`before_edit`](Hook::before_edit) | likewise | change, refuse |
/// | [`after`](Hook::after) | once per event, after the commit, in order per conversation | watch |
/// | [`after_command`](Hook::after_command) | once per command that `before` was asked about, with its outcome, in order per actor | watch |
///
/// # Contract
/// - Every command of [`CommandName`] passes `before`, from REST, live sessions and Rust alike, the host's own too.
///   Reads do not: what may be seen is the engine's question, and a list of a hundred messages must not wait for a
///   policy. Neither do [`ChatEngine`](crate::ChatEngine)'s own methods, which only the host can call.
/// - All `before` hooks of a command together have
///   [`command_deadline`](crate::config::Limits::command_deadline), and so have `before_send` and `before_edit`. One
///   that panics or takes longer fails closed: the command is refused with `unavailable`, nothing is changed, and the
///   fault is logged and counted ([`hooks_failed`](crate::engine::EngineStats::hooks_failed)). No other command waits.
/// - `after` and `after_command` cannot undo anything and no answer waits for them; each call has the same deadline. A
///   command whose caller went away ends as `outcome_unknown` here. When more than 8,192 outcomes wait, further ones
///   are dropped, logged and counted
///   ([`command_outcomes_dropped`](crate::engine::EngineStats::command_outcomes_dropped)).
///
/// ```
/// use async_trait::async_trait;
/// use chat_core::command::CommandName;
/// use chat_core::port::{CommandContext, Hook, Rejection};
///
/// /// Trial accounts read and write, and make no groups.
/// #[derive(Debug)]
/// struct Trial;
///
/// #[async_trait]
/// impl Hook for Trial {
///     async fn before(&self, command: &CommandContext) -> Result<(), Rejection> {
///         let trial = command.actor.as_str().starts_with("trial-");
///         if trial && command.command == CommandName::CreateGroup {
///             return Err(Rejection::new("trial", "groups need a paid account"));
///         }
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Hook: Send + Sync + fmt::Debug {
    /// Looks at a command before the engine does.
    ///
    /// # Errors
    /// A [`Rejection`] refuses the command.
    async fn before(&self, command: &CommandContext) -> Result<(), Rejection> {
        let _ = command;
        Ok(())
    }

    /// Looks at a message before it is stored.
    ///
    /// # Errors
    /// A [`Rejection`] refuses the message.
    async fn before_send(&self, draft: Draft<'_>) -> Result<(), Rejection> {
        let _ = draft;
        Ok(())
    }

    /// Looks at the new text of a message before it is stored.
    ///
    /// # Errors
    /// A [`Rejection`] refuses the edit.
    async fn before_edit(&self, draft: EditDraft<'_>) -> Result<(), Rejection> {
        let _ = draft;
        Ok(())
    }

    /// Hears of everything that happened.
    async fn after(&self, event: &ChatEvent) {
        let _ = event;
    }

    /// Hears how a command ended; refusals too, also those of `before`.
    async fn after_command(&self, command: &CommandContext, outcome: Result<(), &ChatError>) {
        let _ = (command, outcome);
    }
}
