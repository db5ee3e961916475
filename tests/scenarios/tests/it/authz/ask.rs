//! One question of one role, over REST or over a live connection.

use std::fmt;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use chat_core::live::ConnectFrom;
use chat_core::port::Credentials;
use serde_json::Value;
use tower::ServiceExt;

use super::cast::{Cast, Place};
use super::matrix::Row;

/// Where questions come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    Rest,
    Live,
}

impl Surface {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Rest => "authz/routes.json",
            Self::Live => "authz/commands.json",
        }
    }
}

/// What came back; of a refusal everything that the caller can read.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// Over REST.
    pub(super) status: Option<u64>,
    pub(super) code: Option<String>,
    /// Empty when it was no refusal.
    refusal: Value,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.code) {
            (Some(status), None) => write!(f, "{status}"),
            (None, None) => f.write_str("ok"),
            _ => write!(f, "{}", self.refusal),
        }
    }
}

impl Cast {
    /// Asks as a role; `absent` things are named with ids of nothing.
    pub(super) async fn ask(
        &self,
        surface: Surface,
        row: &Row,
        role: &str,
        place: Place,
        absent: &[&'static str],
    ) -> Answer {
        let body = row.body.as_ref();
        let body = body.map(|body| self.fill(&body.to_string(), role, place, absent));
        match surface {
            Surface::Live => {
                let payload = body.map_or(Value::Null, |body| serde_json::from_str(&body).unwrap());
                self.execute(&row.operation, payload, role).await
            }
            Surface::Rest => {
                let ask = self.fill(&row.ask, role, place, absent);
                let (method, path) = ask.split_once(' ').unwrap();
                let mut request = Request::builder().method(method).uri(format!("/api{path}"));
                if let Some(token) = self.token(role) {
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                let body = match body {
                    _ if row.upload => {
                        request = request.header("content-type", "multipart/form-data; boundary=cut");
                        Body::from(UPLOAD)
                    }
                    Some(body) => {
                        request = request.header("content-type", "application/json");
                        Body::from(body)
                    }
                    None => Body::empty(),
                };
                self.request(request.body(body).unwrap()).await
            }
        }
    }

    async fn request(&self, request: Request<Body>) -> Answer {
        let response = self.app().clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let mut refusal = Value::Null;
        if !status.is_success() {
            refusal = serde_json::from_slice(&bytes).unwrap();
            refusal.as_object_mut().unwrap().remove("request_id");
        }
        Answer {
            status: Some(status.as_u16().into()),
            code: refusal["code"].as_str().map(str::to_owned),
            refusal,
        }
    }

    /// A connection of its own, and one command on it.
    async fn execute(&self, name: &str, payload: Value, role: &str) -> Answer {
        let credentials = self
            .token(role)
            .map_or_else(Credentials::default, Credentials::bearer);
        let connected = self
            .engine
            .connect(self.auth.clone(), &credentials, ConnectFrom::default());
        let outcome = match connected.await {
            Ok((session, _outbound)) => session.execute(name, payload).await,
            Err(refused) => Err(refused),
        };
        let refusal = outcome.err();
        Answer {
            status: None,
            code: refusal.as_ref().map(|error| error.code().as_str().to_owned()),
            refusal: refusal.map_or(Value::Null, |error| error.to_string().into()),
        }
    }

    pub(super) async fn document(&self) -> Value {
        let request = Request::get("/api/openapi.json").body(Body::empty()).unwrap();
        let response = self.app().clone().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

const UPLOAD: &str = "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.gif\"\r\n\r\n\
    GIF89a\u{1}\0\u{1}\0\0\0\0;\r\n--cut--\r\n";
