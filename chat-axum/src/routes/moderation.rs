//! For moderators; everybody else is refused with `forbidden`.

use axum::Json;
use axum::http::StatusCode;
use chat_core::command::{ListAudit, MuteUser, PageRequest, ResolveReport, SuspendUser};
use chat_core::error::ChatResult;
use chat_core::id::{MessageId, ReportId, UserId};
use chat_core::model::AuditAction;
use chat_core::view::{AuditView, Page, ReportState, ReportView, RestrictionsView};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, FromQuery, Params, Payload, PayloadOrNothing, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(reports))
        .routes(routes!(report))
        .routes(routes!(resolve))
        .routes(routes!(delete_message))
        .routes(routes!(suspend, lift_suspension))
        .routes(routes!(mute, unmute))
        .routes(routes!(audit))
}

/// `GET /moderation/reports`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters that ListReports is read from")]
struct ReportParams {
    /// `open` or `closed`; absent: both.
    #[param(pattern = "^(open|closed)$")]
    state: Option<String>,
}

struct ListReports {
    state: Option<ReportState>,
    page: PageRequest,
}

impl FromQuery for ListReports {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            state: params.value("state", "open or closed", |name| match name {
                "open" => Some(ReportState::Open),
                "closed" => Some(ReportState::Closed),
                _ => None,
            })?,
            page: params.page()?,
        })
    }
}

/// Reports, newest first.
#[utoipa::path(
    get, path = "/moderation/reports", tag = "moderation", params(ReportParams, PageParams),
    responses((status = 200, description = "Reports", body = Page<ReportView>)),
)]
async fn reports(
    CurrentUser(actor): CurrentUser,
    Query(list): Query<ListReports>,
) -> ApiResult<Json<Page<ReportView>>> {
    Ok(Json(actor.reports(list.state, list.page).await?))
}

/// One report.
#[utoipa::path(
    get, path = "/moderation/reports/{id}", tag = "moderation",
    params(("id" = ReportId, Path, description = "Which report")),
    responses((status = 200, description = "The report", body = ReportView)),
)]
async fn report(CurrentUser(actor): CurrentUser, At(id): At<ReportId>) -> ApiResult<Json<ReportView>> {
    Ok(Json(actor.report_by_id(id).await?))
}

/// Closes a report, with a note of what was done.
#[utoipa::path(
    post, path = "/moderation/reports/{id}/resolve", tag = "moderation", request_body = ResolveReport,
    params(("id" = ReportId, Path, description = "Which report")),
    responses((status = 200, description = "The report after the change", body = ReportView)),
)]
async fn resolve(
    WritingUser(actor): WritingUser,
    At(id): At<ReportId>,
    Payload(resolve): Payload<ResolveReport>,
) -> ApiResult<Json<ReportView>> {
    Ok(Json(actor.resolve_report(id, resolve).await?))
}

/// Deletes a message for everyone, wherever it is and however old; repeating it is fine.
#[utoipa::path(
    delete, path = "/moderation/messages/{id}", tag = "moderation",
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 204, description = "Deleted")),
)]
async fn delete_message(WritingUser(actor): WritingUser, At(id): At<MessageId>) -> ApiResult<StatusCode> {
    actor.moderate_message(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends a user: his sessions end, his logins and commands are refused.
#[utoipa::path(
    put, path = "/moderation/users/{user_id}/suspension", tag = "moderation", request_body = SuspendUser,
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 200, description = "What he may not do", body = RestrictionsView)),
)]
async fn suspend(
    WritingUser(actor): WritingUser,
    At(user): At<UserId>,
    PayloadOrNothing(suspend): PayloadOrNothing<SuspendUser>,
) -> ApiResult<Json<RestrictionsView>> {
    Ok(Json(actor.suspend_user(&user, suspend).await?))
}

/// Lifts a suspension; repeating it is fine.
#[utoipa::path(
    delete, path = "/moderation/users/{user_id}/suspension", tag = "moderation",
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 200, description = "What he may not do", body = RestrictionsView)),
)]
async fn lift_suspension(
    WritingUser(actor): WritingUser,
    At(user): At<UserId>,
) -> ApiResult<Json<RestrictionsView>> {
    Ok(Json(actor.lift_suspension(&user).await?))
}

/// Takes the right to write anywhere from a user.
#[utoipa::path(
    put, path = "/moderation/users/{user_id}/mute", tag = "moderation", request_body = MuteUser,
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 200, description = "What he may not do", body = RestrictionsView)),
)]
async fn mute(
    WritingUser(actor): WritingUser,
    At(user): At<UserId>,
    PayloadOrNothing(mute): PayloadOrNothing<MuteUser>,
) -> ApiResult<Json<RestrictionsView>> {
    Ok(Json(actor.mute_everywhere(&user, mute).await?))
}

/// Gives it back; repeating it is fine.
#[utoipa::path(
    delete, path = "/moderation/users/{user_id}/mute", tag = "moderation",
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 200, description = "What he may not do", body = RestrictionsView)),
)]
async fn unmute(WritingUser(actor): WritingUser, At(user): At<UserId>) -> ApiResult<Json<RestrictionsView>> {
    Ok(Json(actor.unmute_everywhere(&user).await?))
}

/// `GET /moderation/audit`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters that ListAudit is read from")]
struct AuditParams {
    /// Only acts of this user.
    actor: Option<String>,
    /// Only acts on the thing with this id.
    target: Option<String>,
    /// Only such acts, for instance `message_deleted`.
    action: Option<String>,
}

impl FromQuery for ListAudit {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            actor: params.value("actor", "not a user id", |id| UserId::new(id).ok())?,
            target: params.text("target")?,
            action: params.value("action", "not one of the known values", AuditAction::parse)?,
            page: params.page()?,
        })
    }
}

/// The audit log, newest first.
#[utoipa::path(
    get, path = "/moderation/audit", tag = "moderation", params(AuditParams, PageParams),
    responses((status = 200, description = "Acts", body = Page<AuditView>)),
)]
async fn audit(
    CurrentUser(actor): CurrentUser,
    Query(list): Query<ListAudit>,
) -> ApiResult<Json<Page<AuditView>>> {
    Ok(Json(actor.audit_log(list).await?))
}
