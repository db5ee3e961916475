//! Documents against the code.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::command::ClientCommand;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use serde_json::Value;

const ERRORS: &str = include_str!("../../../../docs/errors.md");
const EVENTS: &str = include_str!("../../../../docs/socket-events.md");
const HTTP: &str = include_str!("../../../../docs/http-api.md");
const SURFACE: &str = include_str!("../../../../docs/contract-surface.json");

/// First column in backticks and the other columns, of every table row.
fn rows(text: &str) -> BTreeMap<&str, Vec<&str>> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| {
            let (name, rest) = line.split_once('`')?;
            Some((
                name,
                rest.split('|')
                    .map(str::trim)
                    .filter(|cell| !cell.is_empty())
                    .collect(),
            ))
        })
        .collect()
}

#[test]
fn every_code_is_documented_with_its_retry_rule() {
    let rows = rows(ERRORS);
    for code in ErrorCode::ALL {
        let cells = rows
            .get(code.as_str())
            .unwrap_or_else(|| panic!("docs/errors.md lacks {code}"));
        let retry = if code.is_retryable() { "yes" } else { "no" };
        assert_eq!(cells.last(), Some(&retry), "{code}");
        let status: u16 = cells[0].parse().unwrap();
        assert!((400..600).contains(&status), "{code}");
    }
    assert_eq!(
        rows.len(),
        ErrorCode::ALL.len(),
        "docs/errors.md names codes that do not exist"
    );
}

#[test]
fn every_command_and_event_is_documented() {
    let surface: Value = serde_json::from_str(SURFACE).unwrap();
    let list = |name: &str| -> Vec<String> {
        surface[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(list("commands"), ClientCommand::NAMES);
    assert_eq!(list("events"), ChatEvent::NAMES);
    for name in ClientCommand::NAMES.iter().chain(ChatEvent::NAMES) {
        assert!(
            EVENTS.contains(&format!("`{name}`")),
            "docs/socket-events.md lacks {name}"
        );
    }
}

/// Names of path parameters do not matter.
fn nameless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        inside = (inside || c == '{') && c != '}';
        if !inside || c == '{' {
            out.push(c);
        }
    }
    out
}

#[tokio::test]
async fn every_route_is_documented() {
    let surface: Value = serde_json::from_str(SURFACE).unwrap();
    let http = nameless(HTTP);
    // What the example server mounts beside the API is in no document of it.
    let outside = ["GET /health", "GET /ready", "GET /metrics"];
    let mut listed: BTreeSet<String> = outside.map(str::to_owned).into();
    listed.extend(
        crate::authz::operations()
            .await
            .iter()
            .map(|route| nameless(route)),
    );
    let routes = surface["routes"].as_array().unwrap();
    let written: BTreeSet<String> = routes
        .iter()
        .map(|route| route.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        written, listed,
        "docs/contract-surface.json against the OpenAPI document"
    );
    for route in routes {
        let route = route.as_str().unwrap();
        assert!(
            http.contains(&format!("`{route}`")),
            "docs/http-api.md lacks {route}"
        );
    }
}
