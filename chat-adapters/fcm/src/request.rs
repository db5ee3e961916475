//! One POST and the whole of its answer.

use std::time::{Duration, SystemTime};

use chat_outbound::{Client, retry_after};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, StatusCode, Uri};

/// More of an answer is not read.
const ANSWER: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// When the other side wants to hear again.
    pub(crate) retry_after: Option<Duration>,
}

/// Why there is no answer: for the log, without what was asked.
pub(crate) type NoAnswer = &'static str;

pub(crate) async fn post(
    client: &Client,
    uri: &Uri,
    kind: &'static str,
    bearer: Option<&str>,
    body: String,
) -> Result<Answer, NoAnswer> {
    let mut request = Request::post(uri.clone())
        .header(CONTENT_TYPE, kind)
        .body(Full::from(body))
        .map_err(|_| "it makes no request")?;
    if let Some(bearer) = bearer {
        let mut value = HeaderValue::from_str(&format!("Bearer {bearer}"))
            .map_err(|_| "the access token is no header")?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let response = client.request(request).await.map_err(|error| {
        if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        }
    })?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER)
        .collect()
        .await
        .map_err(|_| "the answer broke off or was too long")?;
    Ok(Answer {
        status: head.status,
        retry_after: retry_after(&head.headers, SystemTime::now()),
        body: body.to_bytes(),
    })
}
