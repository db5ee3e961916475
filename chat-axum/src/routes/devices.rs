use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use chat_core::command::{PageRequest, RegisterDevice, UnregisterDevice};
use chat_core::error::ChatResult;
use chat_core::view::{DeviceView, Page};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::{ApiError, ApiResult};
use crate::extract::{FromQuery, NoBody, Params, Payload, PayloadOrNothing, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(devices, register, unregister))
}

/// The caller's devices.
#[utoipa::path(
    get, path = "/devices", tag = "devices", params(PageParams),
    responses((status = 200, description = "Devices", body = Page<DeviceView>)),
)]
async fn devices(
    CurrentUser(actor): CurrentUser,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<DeviceView>>> {
    Ok(Json(actor.devices(page).await?))
}

/// Registers a device for pushes; a token that was another user's moves to the caller.
#[utoipa::path(
    put, path = "/devices", tag = "devices", request_body = RegisterDevice,
    responses((status = 204, description = "Registered")),
)]
async fn register(
    WritingUser(actor): WritingUser,
    Payload(device): Payload<RegisterDevice>,
) -> ApiResult<StatusCode> {
    actor.register_device(device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /devices`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct UnregisterParams {
    /// The address to forget, for clients that cannot send a body with DELETE.
    token: Option<String>,
}

impl FromQuery for UnregisterParams {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            token: params.text("token")?,
        })
    }
}

/// The token, from the query string or from the body.
struct Named(UnregisterDevice);

impl FromRequest<ApiState> for Named {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let Query(params) = Query::<UnregisterParams>::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        match params.token {
            Some(token) => {
                NoBody::from_request(request, state).await?;
                Ok(Self(UnregisterDevice { token }))
            }
            None => Ok(Self(PayloadOrNothing::from_request(request, state).await?.0)),
        }
    }
}

/// Forgets a device; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/devices", tag = "devices", params(UnregisterParams), request_body = UnregisterDevice,
    responses((status = 204, description = "Forgotten")),
)]
async fn unregister(WritingUser(actor): WritingUser, Named(device): Named) -> ApiResult<StatusCode> {
    actor.unregister_device(device).await?;
    Ok(StatusCode::NO_CONTENT)
}
