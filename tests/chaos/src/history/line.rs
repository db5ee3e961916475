use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A command is about to be sent.
    Invoke,
    /// It was carried out.
    Ok,
    /// It was refused: certainly no effect.
    Fail,
    /// Nobody knows: no answer, or an answer that says so.
    Info,
    /// The server pushed something, or a connection began or ended.
    Event,
    /// What a client has of the chat after the end.
    View,
    /// A fault began or ended.
    Fault,
    /// A row of the store at the end.
    Truth,
}

/// One line of a history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// Nanoseconds since the beginning, of one clock that never goes back.
    pub t: u64,
    /// Who wrote it: a client, the conductor.
    pub p: String,
    /// For which user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<String>,
    /// On which device of his.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
    /// On which live connection; absent for REST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn: Option<u64>,
    /// What it tells of.
    pub k: Kind,
    /// The name of the command, event, fault or kind of row.
    pub op: String,
    /// Pairs an invocation with its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What was asked.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub a: Value,
    /// What was answered or seen.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub v: Value,
}
