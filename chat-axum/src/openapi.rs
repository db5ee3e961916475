//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use std::collections::HashSet;

use chat_core::error::ErrorCode;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::OpenApi;

use crate::error::status;
use crate::observe::Problem;

/// Stands for the prefix under which the host has mounted the API, until a request tells it.
const MOUNT: &str = "{mount}";

/// Codes that any request can be refused with.
const ALWAYS: &[ErrorCode] = &[
    ErrorCode::InvalidArgument,
    ErrorCode::RateLimited,
    ErrorCode::Internal,
    ErrorCode::Unavailable,
];
/// With a credential.
const AUTHENTICATED: &[ErrorCode] = &[ErrorCode::Unauthenticated, ErrorCode::Forbidden];
/// With ids in the path, or of one conversation.
const NAMED: &[ErrorCode] = &[ErrorCode::NotFound, ErrorCode::ConversationGone];
/// When something may change.
const WRITING: &[ErrorCode] = &[
    ErrorCode::NotFound,
    ErrorCode::Conflict,
    ErrorCode::ConversationGone,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::OutcomeUnknown,
    ErrorCode::StorageFull,
];

/// The operations that take something from the query string, as `get /path`.
pub(crate) fn with_query(document: &OpenApi) -> HashSet<String> {
    let document = serde_json::to_value(document).unwrap_or_default();
    let paths = document.get("paths").and_then(Value::as_object);
    let operations = paths.into_iter().flatten().flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (path, method, operation))
    });
    operations
        .filter(|(_, _, operation)| {
            let parameters = operation.get("parameters").and_then(Value::as_array);
            let mut parameters = parameters.into_iter().flatten();
            parameters.any(|parameter| parameter.get("in").is_some_and(|place| place == "query"))
        })
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect()
}

/// Completes the document of the routes and writes it as JSON.
pub(crate) fn finish(document: OpenApi) -> String {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    set(
        &mut document,
        "info",
        json!({
            "title": "Chat API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Conversations, messages, receipts, presence and sync. Errors are problem details (RFC 9457) \
                            with a stable `code`.",
        }),
    );
    set(&mut document, "servers", json!([{ "url": MOUNT }]));
    set(&mut document, "security", json!([{ "bearer": [] }]));
    if let Some(components) = document.get_mut("components") {
        set(
            components,
            "securitySchemes",
            json!({
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }
            }),
        );
        set(
            components,
            "responses",
            json!({
                "Problem": {
                    "description": "Refused, or failed: `code` says why",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                }
            }),
        );
        if let Some(schemas) = components.get_mut("schemas") {
            set(schemas, "Problem", problem());
        }
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                set(operation, "operationId", json!(operation_id(path, method)));
                refusals(path, method, operation);
            }
        }
    }
    document.to_string()
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

fn problem() -> Value {
    let mut schema = serde_json::to_value(Problem::schema()).unwrap_or_default();
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    if let Some(code) = schema.pointer_mut("/properties/code") {
        set(code, "enum", json!(codes));
    }
    schema
}

/// A name for generated clients, such as `get_conversations_by_id_messages`. Handlers are named within their file.
fn operation_id(path: &str, method: &str) -> String {
    path.split('/')
        .filter(|part| !part.is_empty())
        .fold(method.to_owned(), |id, part| {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(parameter) => format!("{id}_by_{parameter}"),
                None => format!("{id}_{}", part.replace(['-', '.'], "_")),
            }
        })
}

/// Whether an operation has a parameter of this name.
fn takes(operation: &Value, name: &str) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let mut parameters = parameters.into_iter().flatten();
    parameters.any(|parameter| parameter.get("name").is_some_and(|found| found == name))
}

/// Adds the refusals an operation shares with its like.
fn refusals(path: &str, method: &str, operation: &mut Value) {
    let public = operation.get("security").is_some();
    let mut codes = ALWAYS.to_vec();
    // A login can be refused as well, without having been authenticated.
    if !public || path.starts_with("/auth/") {
        codes.extend_from_slice(AUTHENTICATED);
    }
    if path.contains('{') || takes(operation, "conversation_id") {
        codes.extend_from_slice(NAMED);
    }
    if method != "get" {
        codes.extend_from_slice(WRITING);
    }
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let shared: Map<String, Value> = codes
        .into_iter()
        .map(|code| (status(code).as_u16().to_string(), problem.clone()))
        .collect();
    for (status, response) in shared {
        responses.entry(status).or_insert(response);
    }
}

/// The document as it is under the prefix of a request for it.
pub(crate) fn mounted(document: &str, path: &str) -> String {
    let prefix = path.strip_suffix("/openapi.json").unwrap_or_default();
    let server = if prefix.is_empty() { "/" } else { prefix };
    document.replacen(&json!(MOUNT).to_string(), &json!(server).to_string(), 1)
}
