//! The rows of the matrix, and what a cell expects.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::ask::{Answer, Surface};

/// Everybody who may ask, in the order of the files.
pub(super) const ROLES: [&str; 13] = [
    "anonymous",
    "bad_token",
    "expired_token",
    "suspended",
    "stranger",
    "ex_member",
    "member",
    "muted",
    "admin",
    "owner",
    "peer",
    "blocked",
    "blocker",
];

/// One question, for every role.
#[derive(Debug)]
pub(super) struct Row {
    /// `GET /me` as in the OpenAPI document, or the name of a command.
    pub(super) operation: String,
    /// Method and path with names for what they are about.
    pub(super) ask: String,
    pub(super) body: Option<Value>,
    /// A file instead of a body.
    pub(super) upload: bool,
    /// Whether it changes nothing that lasts.
    pub(super) reads: bool,
    pub(super) expect: BTreeMap<String, Expected>,
}

/// What a cell says.
#[derive(Debug)]
pub(super) enum Expected {
    /// A status over REST, nothing over a live connection.
    Success(Option<u64>),
    /// The code of a refusal.
    Refusal(String),
}

/// Reads a file of rows.
pub(super) fn rows(file: &str) -> Vec<Row> {
    let file: Value = serde_json::from_str(file).unwrap();
    file["rows"].as_array().unwrap().iter().map(row).collect()
}

fn row(row: &Value) -> Row {
    const KEYS: [&str; 7] = ["operation", "ask", "body", "upload", "reads", "why", "expect"];
    for key in row.as_object().unwrap().keys() {
        assert!(KEYS.contains(&key.as_str()), "{row}: no such key as {key}");
    }
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let operation = text("operation").expect("an operation");
    Row {
        ask: text("ask").unwrap_or_else(|| operation.clone()),
        body: row.get("body").cloned(),
        upload: row["upload"] == true,
        reads: row["reads"] == true || operation.starts_with("GET "),
        expect: row["expect"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(role, cell)| (role.clone(), expected(cell)))
            .collect(),
        operation,
    }
}

fn expected(cell: &Value) -> Expected {
    match cell {
        Value::Number(status) => Expected::Success(status.as_u64()),
        Value::String(word) if word == "ok" => Expected::Success(None),
        Value::String(code) => Expected::Refusal(code.clone()),
        other => panic!("{other} is no answer"),
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ask)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(f, " {body}"))
    }
}

impl Row {
    /// Whether it names one of these things.
    pub(super) fn names_any_of(&self, things: &[&str]) -> bool {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        things.iter().any(|thing| {
            let hole = format!("{{{thing}}}");
            self.ask.contains(&hole) || body.contains(&hole)
        })
    }

    /// Whether what is asked is the operation it stands for: the same method, and the same path but for its holes.
    pub(super) fn asks_its_operation(&self) -> bool {
        let path = self.ask.split('?').next().unwrap_or_default();
        let (asked, named): (Vec<_>, Vec<_>) =
            (path.split('/').collect(), self.operation.split('/').collect());
        asked.len() == named.len()
            && asked
                .iter()
                .zip(named)
                .all(|(asked, named)| *asked == named || named.starts_with('{'))
    }
}

impl Expected {
    pub(super) fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }

    /// The things of which it says that they are not there.
    pub(super) fn missing(&self) -> &'static [&'static str] {
        let Self::Refusal(code) = self else { return &[] };
        match code.as_str() {
            "conversation_not_found" => &["conversation"],
            "message_not_found" => &[
                "message",
                "own_message",
                "meeting",
                "own_meeting",
                "live",
                "own_live",
            ],
            "not_found" => &["scheduled"],
            "attachment_not_found" => &["attachment", "upload", "foreign_upload"],
            _ => &[],
        }
    }

    pub(super) fn check(&self, surface: Surface, got: &Answer) -> Result<(), String> {
        let wanted = match (self, surface) {
            (Self::Success(status), _) => (*status, None),
            (Self::Refusal(code), Surface::Rest) => (Some(status(code)), Some(code.as_str())),
            (Self::Refusal(code), Surface::Live) => (None, Some(code.as_str())),
        };
        if (got.status, got.code.as_deref()) == wanted {
            Ok(())
        } else {
            Err(format!("expected {self}, got {got}"))
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(Some(status)) => write!(f, "{status}"),
            Self::Success(None) => f.write_str("ok"),
            Self::Refusal(code) => f.write_str(code),
        }
    }
}

/// The status of a code, by the contract.
fn status(code: &str) -> u64 {
    match code {
        "unauthenticated" | "token_expired" | "token_invalid" => 401,
        "forbidden" | "not_permitted" | "you_blocked" => 403,
        "not_found"
        | "user_not_found"
        | "conversation_not_found"
        | "message_not_found"
        | "attachment_not_found" => 404,
        "conflict" | "idempotency_conflict" | "version_conflict" | "reset_required" => 409,
        "conversation_gone" => 410,
        "rate_limited" | "slow_mode" => 429,
        _ => 422,
    }
}
