//! Requests over HTTP, on connections that are kept and used again.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client waits so long for an answer, then it does not know.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a command.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// It was carried out.
    Ok(Value),
    /// It was refused with this code.
    Fail(String),
    /// Nobody knows.
    Info,
}

impl Outcome {
    pub(crate) fn ok(self) -> Option<Value> {
        match self {
            Self::Ok(value) => Some(value),
            Self::Fail(_) | Self::Info => None,
        }
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) raw: String,
}

/// Everybody's HTTP client.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Rest {
    pub(crate) fn new(port: u16) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// One request; `None` when no whole answer came.
    pub(crate) async fn ask(
        &self,
        token: &str,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .ok()?;
        let exchange = async {
            let answer = self.client.request(request).await.ok()?;
            let status = answer.status().as_u16();
            let bytes = answer.into_body().collect().await.ok()?.to_bytes();
            Some(Answer {
                status,
                raw: String::from_utf8(bytes.to_vec()).ok()?,
            })
        };
        tokio::time::timeout(PATIENCE, exchange).await.ok()?
    }
}

/// What an answer over HTTP says about the command.
pub(crate) fn outcome(answer: Option<&Answer>) -> Outcome {
    let Some(answer) = answer else {
        return Outcome::Info;
    };
    let value: Value = serde_json::from_str(&answer.raw).unwrap_or_default();
    if (200..300).contains(&answer.status) {
        return Outcome::Ok(value);
    }
    refusal(value.get("code"), answer.status)
}

/// What a refusal over either transport says about the command.
pub(crate) fn refusal(code: Option<&Value>, status: u16) -> Outcome {
    match code.and_then(Value::as_str) {
        Some("outcome_unknown") => Outcome::Info,
        Some(code) => Outcome::Fail(code.to_owned()),
        None => Outcome::Fail(format!("status_{status}")),
    }
}
