//! What moderators and the host do to messages and users, wherever they are.

use serde_json::Value;

use super::{Actor, ChatEngine};
use crate::command::{CommandName, DeleteMessage, DeletionScope, ListAudit, MuteUser, SuspendUser};
use crate::engine::audit::{Act, Auditor};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{MessageId, UserId};
use crate::live::EndReason;
use crate::model::{AuditAction, AuditTarget, Muted, User, UserPatch};
use crate::store::AuditQuery;
use crate::text::is_blank;
use crate::view::{AuditView, Page, RestrictionsView};

impl ChatEngine {
    /// Suspends a user, or lifts it, in the host's own name: his live sessions end at once and no command of his is
    /// taken any more. [`Actor::suspend_user`] has an end and a reason too.
    ///
    /// # Errors
    /// `user_not_found`; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn set_suspended(&self, user: &UserId, suspended: bool) -> ChatResult<()> {
        let auditor = Auditor::host(self.inner().ids.next());
        let sanction = if suspended {
            Sanction::suspension(None, None)
        } else {
            Sanction::end_of_suspension()
        };
        self.sanction(user, sanction, &auditor).await.map(drop)
    }

    async fn sanction(&self, user: &UserId, sanction: Sanction, by: &Auditor) -> ChatResult<User> {
        let Sanction {
            patch,
            action,
            details,
            ends_sessions,
        } = sanction;
        let mut act = Act::new(action, AuditTarget::User, user);
        for (name, value) in details {
            act = act.with(name, value);
        }
        let entry = by.entry(0, self.now(), None, act);
        let changed = self.inner().store.sanction_user(user, patch, entry).await?;
        let changed = changed.ok_or_else(|| ChatError::new(ErrorCode::UserNotFound, "no such user"))?;
        if ends_sessions {
            self.inner().live.end_user(user, EndReason::Revoked);
        }
        Ok(changed)
    }
}

impl Actor {
    /// Deletes a message for everyone, wherever it is and however old; for moderators and the host. Repeating it is
    /// fine and changes nothing.
    ///
    /// # Errors
    /// - `forbidden`; `message_not_found`, `conversation_gone`; `invalid_operation`: a line of the engine.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn moderate_message(&self, id: MessageId) -> ChatResult<()> {
        let about = self.about(CommandName::ModerateMessage).message(id);
        self.command(about, async {
            self.check_moderator()?;
            let delete = DeleteMessage {
                message_id: id,
                scope: DeletionScope::Everyone,
            };
            self.moderating().delete_message_past_hooks(delete).await
        })
        .await
    }

    /// Suspends a user everywhere, until a time or until it is lifted; for moderators and the host. His sessions end
    /// at once, and his logins and commands are refused. A new suspension replaces the old one.
    ///
    /// # Errors
    /// - `forbidden`; `user_not_found`; `invalid_operation` for oneself.
    /// - `invalid_argument` (`until`: not in the future; `reason`).
    /// - `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn suspend_user(&self, user: &UserId, suspend: SuspendUser) -> ChatResult<RestrictionsView> {
        let about = self.about(CommandName::SuspendUser).users([user]);
        self.command(about, async {
            self.check_moderator()?;
            self.check_words("reason", suspend.reason.as_deref())?;
            self.check_future(suspend.until.map(Muted::Until))?;
            let sanction = Sanction::suspension(suspend.until.map(Muted::Until), suspend.reason);
            self.sanction_other(user, sanction).await
        })
        .await
    }

    /// Lifts a suspension; for moderators and the host. Lifting none is fine.
    ///
    /// # Errors
    /// `forbidden`; `user_not_found`; `invalid_operation` for oneself; `unavailable`, `outcome_unknown`,
    /// `storage_full`.
    pub async fn lift_suspension(&self, user: &UserId) -> ChatResult<RestrictionsView> {
        let about = self.about(CommandName::LiftSuspension).users([user]);
        self.command(about, async {
            self.check_moderator()?;
            self.sanction_other(user, Sanction::end_of_suspension()).await
        })
        .await
    }

    /// Takes the right to write from a user everywhere: he reads, marks and deletes, but does not send, edit, react or
    /// type. For moderators and the host. It ends by the clock or when it is lifted; a new one replaces the old one.
    ///
    /// # Errors
    /// Those of [`suspend_user`](Actor::suspend_user).
    pub async fn mute_everywhere(&self, user: &UserId, mute: MuteUser) -> ChatResult<RestrictionsView> {
        let about = self.about(CommandName::MuteEverywhere).users([user]);
        self.command(about, async {
            self.check_moderator()?;
            self.check_words("reason", mute.reason.as_deref())?;
            self.check_future(mute.until)?;
            let until = mute.until.unwrap_or(Muted::Forever);
            self.sanction_other(user, Sanction::mute(until, mute.reason))
                .await
        })
        .await
    }

    /// Gives a user the right to write back; for moderators and the host.
    ///
    /// # Errors
    /// Those of [`lift_suspension`](Actor::lift_suspension).
    pub async fn unmute_everywhere(&self, user: &UserId) -> ChatResult<RestrictionsView> {
        let about = self.about(CommandName::UnmuteEverywhere).users([user]);
        self.command(about, async {
            self.check_moderator()?;
            self.sanction_other(user, Sanction::end_of_mute()).await
        })
        .await
    }

    /// The audit log, newest first; for moderators and the host. Nothing here changes it.
    ///
    /// # Errors
    /// `forbidden`; `invalid_argument` (`limit`), `invalid_cursor`; `unavailable`.
    pub async fn audit_log(&self, list: ListAudit) -> ChatResult<Page<AuditView>> {
        self.check_moderator()?;
        let limit = self.limit(list.page.limit)?;
        let purpose = format!("audit {:?} {:?} {:?}", list.actor, list.target, list.action);
        let query = AuditQuery {
            after: self.cursor(&purpose, &list.page)?,
            actor: list.actor,
            target: list.target,
            action: list.action,
            limit: limit + 1,
        };
        let mut found = self.inner().store.audit(&query).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().map(|entry| (entry.at, entry.id));
        Ok(Page {
            next_cursor: self.next_cursor(&purpose, more, last.as_ref()),
            items: found.into_iter().map(AuditView::from).collect(),
        })
    }

    async fn sanction_other(&self, user: &UserId, sanction: Sanction) -> ChatResult<RestrictionsView> {
        if user == self.user_id() {
            return Err(ChatError::new(ErrorCode::InvalidOperation, "that is yourself"));
        }
        let by = self.moderating().auditor();
        let user = self.engine().sanction(user, sanction, &by).await?;
        let now = self.engine().now();
        let restrictions = user.restrictions();
        let holds = |until: Option<Muted>| until.filter(|until| until.is_active(now));
        Ok(RestrictionsView {
            suspended_until: holds(restrictions.suspended),
            muted_until: holds(restrictions.muted),
            user_id: user.id,
        })
    }

    /// # Errors
    /// `forbidden` for everybody but moderators and the host.
    pub(super) fn check_moderator(&self) -> ChatResult<()> {
        if self.is_moderator() || self.is_host() {
            Ok(())
        } else {
            Err(ChatError::new(ErrorCode::Forbidden, "only moderators do that"))
        }
    }

    /// Words for other moderators.
    pub(super) fn check_words(&self, field: &'static str, words: Option<&str>) -> ChatResult<()> {
        let most = self.engine().config().limits.report_note_chars;
        match words {
            Some(words) if is_blank(words) || words.chars().count() > most => {
                Err(ChatError::invalid(field, format!("1 to {most} characters")))
            }
            _ => Ok(()),
        }
    }

    fn check_future(&self, until: Option<Muted>) -> ChatResult<()> {
        let now = self.engine().now();
        if until.is_some_and(|until| !until.is_active(now)) {
            return Err(ChatError::invalid("until", "not in the future"));
        }
        Ok(())
    }
}

/// A change of what a user may do, and what the log says of it.
struct Sanction {
    patch: UserPatch,
    action: AuditAction,
    details: Vec<(&'static str, Option<Value>)>,
    ends_sessions: bool,
}

fn as_value(until: Muted) -> Option<Value> {
    serde_json::to_value(until).ok()
}

impl Sanction {
    fn suspension(until: Option<Muted>, reason: Option<String>) -> Self {
        let end = match until {
            Some(Muted::Until(at)) => Some(at),
            Some(Muted::Forever) | None => None,
        };
        Self {
            patch: UserPatch {
                suspended: Some(true),
                suspended_until: Some(end),
                ..UserPatch::default()
            },
            action: AuditAction::UserSuspended,
            details: vec![
                ("until", as_value(until.unwrap_or(Muted::Forever))),
                ("reason", reason.map(Value::from)),
            ],
            ends_sessions: true,
        }
    }

    fn end_of_suspension() -> Self {
        Self {
            patch: UserPatch {
                suspended: Some(false),
                suspended_until: Some(None),
                ..UserPatch::default()
            },
            action: AuditAction::SuspensionLifted,
            details: Vec::new(),
            ends_sessions: false,
        }
    }

    fn mute(until: Muted, reason: Option<String>) -> Self {
        Self {
            patch: UserPatch {
                muted: Some(Some(until)),
                ..UserPatch::default()
            },
            action: AuditAction::UserMuted,
            details: vec![("until", as_value(until)), ("reason", reason.map(Value::from))],
            ends_sessions: false,
        }
    }

    fn end_of_mute() -> Self {
        Self {
            patch: UserPatch {
                muted: Some(None),
                ..UserPatch::default()
            },
            action: AuditAction::UserUnmuted,
            details: Vec::new(),
            ends_sessions: false,
        }
    }
}
