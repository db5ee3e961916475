//! Where commands and events meet the host's hooks. Whatever a hook does costs its own command or event only.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::{Actor, ChatEngine, committed, content};
use crate::command::{CommandName, EditMessage, SendMessage};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::model::Content;
use crate::port::{CommandContext, Draft, EditDraft, Rejection};

impl Actor {
    /// A command of this actor, to be filled with what it names.
    pub(crate) fn about(&self, command: CommandName) -> CommandContext {
        CommandContext {
            actor: self.user_id().clone(),
            as_host: self.is_host(),
            via: self.via(),
            command,
            conversation_ids: Vec::new(),
            message_id: None,
            attachment_id: None,
            user_ids: Vec::new(),
        }
    }

    /// Carries out one command between the host's hooks. The public method of every command that changes something
    /// is a call of this, and nothing else.
    ///
    /// # Errors
    /// `rejected_by_policy`; `unavailable` when a hook fails; else what the work answers.
    pub(crate) fn command<'a, T: Send + 'a>(
        &'a self,
        context: CommandContext,
        work: impl Future<Output = ChatResult<T>> + Send + 'a,
    ) -> BoxFuture<'a, ChatResult<T>> {
        // On the heap: what every command waits for, and the layers around each, are too much for a stack.
        Box::pin(self.between_hooks(context, Box::pin(committed::watched(work))))
    }

    async fn between_hooks<T>(
        &self,
        mut context: CommandContext,
        work: BoxFuture<'_, ChatResult<T>>,
    ) -> ChatResult<T> {
        if self.inner().hooks.is_empty() {
            return work.await;
        }
        let found = self.name_conversation(&mut context).await;
        let running = Running {
            engine: self.engine(),
            context: Some(context),
        };
        let outcome = match found {
            Ok(()) => match running.ask_before().await {
                Ok(()) => work.await,
                Err(refusal) => Err(refusal),
            },
            Err(error) => Err(error),
        };
        running.ended(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
        outcome
    }

    /// Adds the conversation of the message a command is about, unless the actor must not know of it.
    async fn name_conversation(&self, context: &mut CommandContext) -> ChatResult<()> {
        let Some(message) = context.message_id.filter(|_| context.conversation_ids.is_empty()) else {
            return Ok(());
        };
        let store = &self.inner().store;
        let Some(message) = store.messages(&[message]).await?.pop() else {
            return Ok(());
        };
        let id = message.conversation_id;
        let member = store.member(id, self.user_id()).await?;
        if self.is_host() || member.is_some_and(|member| member.is_active()) {
            context.conversation_ids.push(id);
        }
        Ok(())
    }

    /// Lets the hooks change or refuse a message.
    ///
    /// # Errors
    /// `rejected_by_policy`, `unavailable`.
    pub(crate) async fn ask_before_send(&self, message: &mut SendMessage) -> ChatResult<()> {
        let deadline = self.engine().hook_deadline();
        for hook in &self.inner().hooks {
            let draft = Draft {
                sender: self.user_id(),
                message: &mut *message,
            };
            let answer = hook.before_send(draft);
            self.engine().passed("before_send", deadline, answer).await?;
        }
        Ok(())
    }

    /// Lets the hooks change or refuse an edit.
    ///
    /// # Errors
    /// `rejected_by_policy`, `unavailable`.
    pub(crate) async fn ask_before_edit(&self, edit: &mut EditMessage) -> ChatResult<()> {
        let deadline = self.engine().hook_deadline();
        for hook in &self.inner().hooks {
            let draft = EditDraft {
                editor: self.user_id(),
                message_id: edit.message_id,
                text: &mut edit.text,
                mentions: &mut edit.mentions,
            };
            let answer = hook.before_edit(draft);
            self.engine().passed("before_edit", deadline, answer).await?;
        }
        Ok(())
    }

    /// Checks a payload by itself, custom content by the host's validator too, and puts its content together. Every
    /// command that makes a message calls this.
    ///
    /// # Errors
    /// As [`content::check`]; `invalid_argument` (`custom`); `unavailable` when the validator panics.
    pub(crate) fn checked_content(&self, message: &SendMessage) -> ChatResult<Content> {
        let content = content::check(message, self.user_id(), &self.engine().config().limits)?;
        self.check_custom(&content)?;
        Ok(content)
    }

    /// Asks the host's validator about content that is to become a message.
    ///
    /// # Errors
    /// `invalid_argument` (`custom`); `unavailable` when the validator panics.
    pub(crate) fn check_custom(&self, content: &Content) -> ChatResult<()> {
        let (Some(validator), Some(custom)) = (&self.inner().custom, &content.custom) else {
            return Ok(());
        };
        match catch_unwind(AssertUnwindSafe(|| validator.validate(self.user_id(), custom))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(problem)) => Err(ChatError::invalid("custom", problem)),
            Err(_panic) => {
                tracing::error!("the validator of custom content panicked");
                Err(self.engine().hook_failed())
            }
        }
    }
}

/// A command between its hooks. Its outcome is told when it ends, also when its caller goes away before.
struct Running<'a> {
    engine: &'a ChatEngine,
    context: Option<CommandContext>,
}

impl Running<'_> {
    async fn ask_before(&self) -> ChatResult<()> {
        let Some(context) = &self.context else {
            return Ok(());
        };
        let deadline = self.engine.hook_deadline();
        for hook in &self.engine.inner().hooks {
            let answer = hook.before(context);
            self.engine.passed("before", deadline, answer).await?;
        }
        Ok(())
    }

    fn ended(mut self, outcome: ChatResult<()>) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: ChatResult<()>) {
        if let Some(context) = self.context.take() {
            self.engine.tell_outcome(context, outcome);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.tell(Err(ErrorCode::OutcomeUnknown.into()));
    }
}

impl ChatEngine {
    fn hook_deadline(&self) -> Instant {
        Instant::now() + self.config().limits.command_deadline
    }

    /// A hook's answer. One that panics or does not answer in time refuses, because what it would have refused must
    /// not pass.
    async fn passed(
        &self,
        point: &'static str,
        deadline: Instant,
        answer: impl Future<Output = Result<(), Rejection>> + Send,
    ) -> ChatResult<()> {
        match timeout_at(deadline, AssertUnwindSafe(answer).catch_unwind()).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(rejection))) => Err(ChatError::new(ErrorCode::RejectedByPolicy, rejection.detail)
                .with_fact("policy_code", rejection.policy_code)),
            Ok(Err(_panic)) => {
                tracing::error!(point, "a hook panicked; the command is refused");
                Err(self.hook_failed())
            }
            Err(_) => {
                tracing::error!(point, "a hook took too long; the command is refused");
                Err(self.hook_failed())
            }
        }
    }

    fn hook_failed(&self) -> ChatError {
        self.inner().counters.hook_failed();
        ChatError::new(
            ErrorCode::Unavailable,
            "a policy could not be asked; nothing was changed",
        )
    }

    /// Tells the hooks of an event. One that hangs or panics is the host's loss, not its users'.
    pub(crate) async fn call_hooks(&self, event: &ChatEvent) {
        for hook in &self.inner().hooks {
            let call = AssertUnwindSafe(hook.after(event)).catch_unwind();
            match timeout_at(self.hook_deadline(), call).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    self.inner().counters.hook_failed();
                    tracing::error!(event = event.name(), "a hook panicked");
                }
                Err(_) => {
                    self.inner().counters.hook_failed();
                    tracing::error!(event = event.name(), "a hook took too long and was given up");
                }
            }
        }
    }
}
