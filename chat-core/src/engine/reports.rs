//! Reports: from users to moderators. The reported never learns of one.

use super::{Actor, Decision};
use crate::command::{CommandName, NewReport, PageRequest, ResolveReport};
use crate::engine::audit::Act;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{MessageId, ReportId};
use crate::model::{AuditAction, AuditTarget, Report, ReportTarget, ReportedMessage, Resolution};
use crate::port::RateScope;
use crate::store::{Facts, ReportQuery, Writes};
use crate::view::{Page, ReportAnswer, ReportState, ReportView};

impl Actor {
    /// Reports a message or a user to the moderators. A message is kept with the report as it is now, its files too,
    /// so that deleting it later destroys no evidence. While a report is open, reporting the same again finds it.
    ///
    /// # Errors
    /// - `invalid_argument` (`message_id`, `user_id`, `conversation_id`, `note`): the payload itself.
    /// - `message_not_found`, `conversation_gone`: not a message of his sight; `user_not_found`,
    ///   `conversation_not_found`.
    /// - `invalid_operation`: himself, a message of his own, a tombstone, a line of the engine.
    /// - `rate_limited`, `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn report(&self, report: NewReport) -> ChatResult<ReportAnswer> {
        let mut about = self
            .about(CommandName::Report)
            .conversation(report.conversation_id)
            .users(&report.user_id);
        about.message_id = report.message_id;
        self.command(about, self.report_past_hooks(report)).await
    }

    async fn report_past_hooks(&self, report: NewReport) -> ChatResult<ReportAnswer> {
        let NewReport {
            message_id,
            user_id,
            conversation_id,
            reason,
            note,
        } = report;
        self.check_words("note", note.as_deref())?;
        if !self.is_host() {
            self.engine()
                .take_allowance(RateScope::Reports, self.user_id().as_str())
                .await?;
        }
        let base = |target, user_id| Report {
            id: ReportId::from_uuid(self.inner().ids.next()),
            reporter: self.user_id().clone(),
            target,
            user_id,
            conversation_id,
            reason,
            note,
            created_at: self.engine().now(),
            message: None,
            resolution: None,
        };
        match (message_id, user_id) {
            (Some(_), None) if conversation_id.is_some() => Err(ChatError::invalid(
                "conversation_id",
                "a message is in one conversation only",
            )),
            (Some(message), None) => {
                // Whom it is about is known when it is seen.
                let base = base(ReportTarget::Message(message), self.user_id().clone());
                self.report_message(message, base).await
            }
            (None, Some(user)) => {
                if let Some(id) = conversation_id {
                    self.check_readable(id).await?;
                    if self.inner().store.member(id, &user).await?.is_none() {
                        return Err(unknown_user());
                    }
                }
                self.report_user(base(ReportTarget::User(user.clone()), user))
                    .await
            }
            (Some(_), Some(_)) => Err(ChatError::invalid("user_id", "either this or message_id")),
            (None, None) => Err(ChatError::invalid("message_id", "required, or user_id")),
        }
    }

    async fn report_message(&self, message: MessageId, base: Report) -> ChatResult<ReportAnswer> {
        let subject = self.subject(message).await?;
        let mut needs = subject.needs();
        needs.open_report = Some((base.reporter.clone(), base.target.clone()));
        self.commit(needs, move |facts: &Facts| {
            let scene = subject.look(facts)?;
            if let Some(id) = facts.open_report {
                return Ok(Decision::nothing(ReportAnswer { id, created: false }));
            }
            let message = scene.living()?;
            if scene.is_author() {
                return Err(yourself());
            }
            let report = Report {
                user_id: message.sender_id.clone(),
                conversation_id: Some(message.conversation_id),
                created_at: facts.now,
                message: Some(ReportedMessage::from(message)),
                ..base.clone()
            };
            let answer = ReportAnswer {
                id: report.id,
                created: true,
            };
            let mut writes = Writes::none();
            writes.reports.push(report);
            Ok(Decision {
                writes,
                events: Vec::new(),
                answer,
            })
        })
        .await
    }

    async fn report_user(&self, report: Report) -> ChatResult<ReportAnswer> {
        if report.user_id == *self.user_id() {
            return Err(yourself());
        }
        if self
            .find_users(std::slice::from_ref(&report.user_id))
            .await?
            .is_empty()
        {
            return Err(unknown_user());
        }
        let (id, created) = self.inner().store.add_report(report).await?;
        Ok(ReportAnswer { id, created })
    }

    /// Reports, newest first; for moderators and the host.
    ///
    /// # Errors
    /// `forbidden`; `invalid_argument` (`limit`), `invalid_cursor`; `unavailable`.
    pub async fn reports(
        &self,
        state: Option<ReportState>,
        page: PageRequest,
    ) -> ChatResult<Page<ReportView>> {
        self.check_moderator()?;
        let limit = self.limit(page.limit)?;
        let purpose = format!("reports {state:?}");
        let query = ReportQuery {
            open: state.map(|state| state == ReportState::Open),
            after: self.cursor(&purpose, &page)?,
            limit: limit + 1,
        };
        let mut found = self.inner().store.reports(&query).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().map(|report| (report.created_at, report.id));
        Ok(Page {
            next_cursor: self.next_cursor(&purpose, more, last.as_ref()),
            items: found.into_iter().map(ReportView::from).collect(),
        })
    }

    /// One report; for moderators and the host.
    ///
    /// # Errors
    /// `forbidden`; `not_found`; `unavailable`.
    pub async fn report_by_id(&self, id: ReportId) -> ChatResult<ReportView> {
        self.check_moderator()?;
        let found = self.inner().store.report(id).await?;
        found.map(ReportView::from).ok_or_else(no_report)
    }

    /// Closes a report; for moderators and the host. It takes note of what was done about it, and does nothing else.
    ///
    /// # Errors
    /// - `forbidden`; `invalid_argument` (`note`); `not_found`.
    /// - `conflict`: it was closed before.
    /// - `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn resolve_report(&self, id: ReportId, resolve: ResolveReport) -> ChatResult<ReportView> {
        let about = self.about(CommandName::ResolveReport);
        self.command(about, self.resolve_report_past_hooks(id, resolve))
            .await
    }

    async fn resolve_report_past_hooks(
        &self,
        id: ReportId,
        resolve: ResolveReport,
    ) -> ChatResult<ReportView> {
        self.check_moderator()?;
        self.check_words("note", resolve.note.as_deref())?;
        let at = self.engine().now();
        let act = Act::new(AuditAction::ReportResolved, AuditTarget::Report, id)
            .with("action", serde_json::Value::from(resolve.action.as_str()))
            .with("note", resolve.note.clone().map(Into::into));
        let entry = self.moderating().auditor().entry(0, at, None, act);
        let resolution = Resolution {
            at,
            by: self.user_id().clone(),
            action: resolve.action,
            note: resolve.note,
        };
        match self.inner().store.resolve_report(id, resolution, entry).await? {
            None => Err(no_report()),
            Some(false) => Err(ChatError::new(
                ErrorCode::Conflict,
                "the report was closed before",
            )),
            Some(true) => self.report_by_id(id).await,
        }
    }
}

fn yourself() -> ChatError {
    ChatError::new(ErrorCode::InvalidOperation, "that is yourself")
}

fn unknown_user() -> ChatError {
    ChatError::new(ErrorCode::UserNotFound, "no such user")
}

fn no_report() -> ChatError {
    ChatError::new(ErrorCode::NotFound, "no such report")
}
