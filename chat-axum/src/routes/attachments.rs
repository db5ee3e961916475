use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chat_core::engine::NewUpload;
use chat_core::error::{BackendError, BackendErrorKind, BackendResult, ChatError, ChatResult, ErrorCode};
use chat_core::id::AttachmentId;
use chat_core::model::Attachment;
use chat_core::view::AttachmentView;
use futures::StreamExt;
use tokio::sync::mpsc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{CurrentUser, WritingUser};
use crate::error::{ApiError, ApiResult};
use crate::extract::At;
use crate::media::{HEAD_BYTES, Wanted, content_disposition, content_type, sniff, wanted};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(upload))
        .routes(routes!(attachment, delete))
        .routes(routes!(content))
}

/// What surrounds the file in a multipart body may have so many bytes.
pub(crate) const ENVELOPE_BYTES: usize = 64 * 1024;

/// An upload.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body")]
struct UploadForm {
    /// The file; the only part.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A multipart body.
struct Form(Multipart);

impl FromRequest<ApiState> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let max = state.engine.config().limits.upload_bytes + ENVELOPE_BYTES;
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let form = Multipart::from_request(request, state).await.map_err(|_| {
            ChatError::new(ErrorCode::UnsupportedMediaType, "expected multipart/form-data")
                .with_field("content-type")
        })?;
        if announced.is_some_and(|length| length > max) {
            return Err(too_large().into());
        }
        Ok(Self(form))
    }
}

fn too_large() -> ChatError {
    ChatError::new(ErrorCode::PayloadTooLarge, "the file is over the limit").with_field("file")
}

fn unreadable(error: &MultipartError) -> ChatError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        ChatError::invalid("body", "not a well-formed multipart body")
    }
}

async fn in_time<T>(idle: Duration, read: impl Future<Output = Result<T, MultipartError>>) -> ChatResult<T> {
    tokio::time::timeout(idle, read)
        .await
        .map_err(|_| ChatError::invalid("file", "the upload stood still for too long"))?
        .map_err(|error| unreadable(&error))
}

/// The first part, if it is the file.
async fn file_part(form: &mut Multipart, idle: Duration) -> ChatResult<Field<'_>> {
    in_time(idle, form.next_field())
        .await?
        .filter(|field| field.name() == Some("file"))
        .ok_or_else(|| ChatError::invalid("file", "expected one part of this name"))
}

/// Enough of the file to see what it is.
async fn head(field: &mut Field<'_>, idle: Duration) -> ChatResult<Vec<u8>> {
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES {
        match in_time(idle, field.chunk()).await? {
            Some(chunk) => head.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(head)
}

/// Hands the rest of the file on, chunk by chunk; fails after the last one if something follows it, while the upload
/// can still be cut.
async fn pump(
    mut form: Multipart,
    idle: Duration,
    chunks: mpsc::Sender<BackendResult<Vec<u8>>>,
    described: tokio::sync::oneshot::Sender<NewUpload>,
) -> ChatResult<()> {
    let mut field = file_part(&mut form, idle).await?;
    let filename = field.file_name().unwrap_or("file").to_owned();
    let declared = field.content_type().unwrap_or_default().to_owned();
    let head = head(&mut field, idle).await?;
    if head.is_empty() {
        return Err(ChatError::invalid("file", "the file is empty"));
    }
    let sniffed = sniff(&head, &filename, &declared).ok_or_else(|| {
        ChatError::new(
            ErrorCode::UnsupportedMediaType,
            "files of this type are not taken",
        )
        .with_field("file")
    })?;
    let upload = NewUpload {
        filename,
        mime_type: sniffed.mime_type.to_owned(),
        kind: sniffed.kind,
        dimensions: sniffed.dimensions,
    };
    // Who has stopped listening has an answer of his own; there is nothing to add to it.
    if described.send(upload).is_err() || chunks.send(Ok(head)).await.is_err() {
        return Ok(());
    }
    while let Some(chunk) = in_time(idle, field.chunk()).await? {
        if chunks.send(Ok(chunk.to_vec())).await.is_err() {
            return Ok(());
        }
    }
    drop(field);
    match in_time(idle, form.next_field()).await? {
        Some(_) => Err(ChatError::invalid("file", "expected one part only")),
        None => Ok(()),
    }
}

/// Uploads a file for a message or as a picture. Its type is told from its content; unused ones go after a day.
#[utoipa::path(
    post, path = "/attachments", tag = "attachments",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "Uploaded", body = AttachmentView)),
)]
async fn upload(
    WritingUser(actor): WritingUser,
    Form(form): Form,
) -> ApiResult<(StatusCode, Json<AttachmentView>)> {
    let idle = actor.engine().config().limits.upload_idle;
    let (chunks, mut arriving) = mpsc::channel(2);
    let (described, description) = tokio::sync::oneshot::channel();
    let cut = chunks.clone();
    let reading = async move {
        let outcome = pump(form, idle, chunks, described).await;
        if outcome.is_err() {
            // Without this the upload would end here, complete as far as anybody can tell.
            let reason = BackendError::new(BackendErrorKind::Other, "http", "upload");
            let _ = cut.send(Err(reason)).await;
        }
        outcome
    };
    let storing = async move {
        let upload = description.await.ok()?;
        let bytes = futures::stream::poll_fn(move |context| arriving.poll_recv(context)).boxed();
        Some(actor.upload(upload, bytes).await)
    };
    let (read, stored) = futures::join!(reading, storing);
    read?;
    let view = stored.ok_or(ErrorCode::Internal)??;
    Ok((StatusCode::CREATED, Json(view)))
}

/// What is known of a file.
#[utoipa::path(
    get, path = "/attachments/{id}", tag = "attachments",
    params(("id" = AttachmentId, Path, description = "Which file")),
    responses((status = 200, description = "The file", body = AttachmentView)),
)]
async fn attachment(
    CurrentUser(actor): CurrentUser,
    At(id): At<AttachmentId>,
) -> ApiResult<Json<AttachmentView>> {
    Ok(Json(actor.attachment(id).await?.0))
}

/// Deletes an upload of the caller's that nothing uses.
#[utoipa::path(
    delete, path = "/attachments/{id}", tag = "attachments",
    params(("id" = AttachmentId, Path, description = "Which file")),
    responses((status = 204, description = "Deleted")),
)]
async fn delete(WritingUser(actor): WritingUser, At(id): At<AttachmentId>) -> ApiResult<StatusCode> {
    actor.delete_attachment(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What every answer about these bytes carries. Pictures may show in a page; nothing in a file may run.
fn download_headers(attachment: &Attachment, etag: &HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, content_type(attachment)),
        (CONTENT_DISPOSITION, content_disposition(attachment)),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (ETAG, etag.clone()),
    ])
}

/// The bytes of a file, or one range of them.
#[utoipa::path(
    get, path = "/attachments/{id}/content", tag = "attachments",
    params(
        ("id" = AttachmentId, Path, description = "Which file"),
        ("Range" = Option<String>, Header, description = "`bytes=first-last`, one range"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "*/*"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "*/*"),
        (status = 304, description = "The file is the one of `If-None-Match`"),
        (status = 416, description = "The range is outside the file", body = crate::observe::Problem,
         content_type = "application/problem+json"),
    ),
)]
async fn content(
    CurrentUser(actor): CurrentUser,
    At(id): At<AttachmentId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (_, attachment) = actor.attachment(id).await?;
    let size = attachment.size;
    // A file never changes, so its id names its bytes.
    let tag = format!("\"{id}\"");
    let etag = HeaderValue::try_from(&tag).map_err(|_| ErrorCode::Internal)?;
    let mut answer = download_headers(&attachment, &etag);
    if text(&headers, &IF_NONE_MATCH).is_some_and(|tags| tags.contains(&tag) || tags.trim() == "*") {
        return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    let same = text(&headers, &IF_RANGE).is_none_or(|known| known == tag);
    let (status, range) = match wanted(text(&headers, &RANGE).filter(|_| same), size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Outside => {
            let field = [(CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((field, ApiError::range_not_satisfiable()).into_response());
        }
    };
    answer.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if status == StatusCode::PARTIAL_CONTENT {
        let field = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        answer.insert(
            CONTENT_RANGE,
            HeaderValue::try_from(field).map_err(|_| ErrorCode::Internal)?,
        );
    }
    let bytes = actor.attachment_content(id, range).await?.bytes;
    Ok((
        status,
        answer,
        Body::from_stream(bytes.map(|chunk| chunk.map(Bytes::from))),
    )
        .into_response())
}
