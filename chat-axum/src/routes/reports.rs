use axum::Json;
use axum::http::StatusCode;
use chat_core::command::NewReport;
use chat_core::view::ReportAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::WritingUser;
use crate::error::ApiResult;
use crate::extract::Payload;
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(report))
}

/// Reports a message or a user to the moderators. The reported never learns of it.
#[utoipa::path(
    post, path = "/reports", tag = "reports", request_body = NewReport,
    responses(
        (status = 200, description = "There was an open one of the same", body = ReportAnswer),
        (status = 201, description = "Reported", body = ReportAnswer),
    ),
)]
async fn report(
    WritingUser(actor): WritingUser,
    Payload(report): Payload<NewReport>,
) -> ApiResult<(StatusCode, Json<ReportAnswer>)> {
    let answer = actor.report(report).await?;
    let status = if answer.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(answer)))
}
