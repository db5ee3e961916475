//! Who may ask what, as data: every operation of the OpenAPI document and every live command, for every role, on each
//! store (`authz/routes.json`, `authz/commands.json`). The expected answers come from the contract, not from the code.
//!
//! A refused cell and a reading one change nothing; what somebody may not know of answers as what does not exist.
//!
//! A new route or command needs at least one row, or `every_operation_has_a_row` fails. What rows may name: `{self}`,
//! `{other}` (in every conversation here), `{owner}`, `{outsider}` (in none; blocks `blocked`, is blocked by
//! `blocker`), `{conversation}` (the group, or the direct with `other` for peer, blocked and blocker), in it
//! `{message}`, `{meeting}`, `{live}`, `{attachment}` of `other` and `{own_message}`, `{own_meeting}`, `{own_live}` of
//! the caller; `{upload}` of the caller and `{foreign_upload}` of `other`, unused;
//! `{own_scheduled}` of the caller and `{scheduled}` of `other`, pending; `{token}`, `{other_token}`, `{role}`.

mod ask;
mod cast;
mod matrix;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chat_core::command::ClientCommand;

use ask::{Answer, Surface};
use cast::{Cast, HERE, Place, Stage};
use matrix::{ROLES, Row, rows};

/// A row of one surface, told from its file.
fn all(surface: Surface) -> Vec<Row> {
    rows(match surface {
        Surface::Rest => include_str!("../../../authz/routes.json"),
        Surface::Live => include_str!("../../../authz/commands.json"),
    })
}

async fn every_cell(stage: Stage, surface: Surface) {
    let mut failures = Vec::new();
    let mut shared = stage.cast().await;
    let mut before = shared.digest().await;
    for row in all(surface) {
        let known = failures.len();
        // What changes nothing shares one world with all rows; what does, with those it has nothing to do with.
        let mut apart: HashMap<&str, Cast> = HashMap::new();
        for role in ROLES {
            let expected = &row.expect[role];
            // One place is enough for what is not about any.
            let places = if row.names_any_of(&HERE) { 2 } else { 1 };
            for place in Cast::places(role).iter().copied().take(places) {
                let cast = if row.reads || !expected.is_success() {
                    &shared
                } else {
                    match apart.entry(Cast::company(role)) {
                        Entry::Occupied(there) => there.into_mut(),
                        Entry::Vacant(none) => none.insert(stage.cast().await),
                    }
                };
                let got = cast.ask(surface, &row, role, place, &[]).await;
                let found = match expected.check(surface, &got) {
                    Err(found) => Err(found),
                    Ok(()) => like_nothing(cast, surface, &row, role, place, got).await,
                };
                if let Err(found) = found {
                    failures.push(format!("{row} as {role} in {place}: {found}"));
                }
            }
        }
        let after = shared.digest().await;
        if let Some(change) = cast::change(&before, &after) {
            failures.push(format!("{row}: a refused or reading request changed {change}"));
        }
        if failures.len() > known {
            shared = stage.cast().await;
            before = shared.digest().await;
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// What is not there for somebody answers, to the letter, as what is not there at all.
async fn like_nothing(
    cast: &Cast,
    surface: Surface,
    row: &Row,
    role: &str,
    place: Place,
    got: Answer,
) -> Result<(), String> {
    let things = row.expect[role].missing();
    if !row.names_any_of(things) {
        return Ok(());
    }
    let nothing = cast.ask(surface, row, role, place, things).await;
    if nothing == got {
        Ok(())
    } else {
        Err(format!("{got}, but of what there is not: {nothing}"))
    }
}

#[tokio::test]
async fn memory_rest() {
    every_cell(Stage::memory(), Surface::Rest).await;
}

#[tokio::test]
async fn memory_live() {
    every_cell(Stage::memory(), Surface::Live).await;
}

#[tokio::test]
async fn sqlite_rest() {
    every_cell(Stage::sqlite().await, Surface::Rest).await;
}

#[tokio::test]
async fn sqlite_live() {
    every_cell(Stage::sqlite().await, Surface::Live).await;
}

/// Every operation of the OpenAPI document, as `GET /me`.
pub(crate) async fn operations() -> Vec<String> {
    let document = Stage::memory().cast().await.document().await;
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

/// Routes and commands without a row, and rows without a route or command.
#[tokio::test]
async fn every_operation_has_a_row() {
    let commands = ClientCommand::NAMES.iter().map(|name| (*name).to_owned());
    for (surface, known) in [
        (Surface::Rest, operations().await),
        (Surface::Live, commands.collect()),
    ] {
        let rows = all(surface);
        for operation in &known {
            assert!(
                rows.iter().any(|row| row.operation == *operation),
                "no row for {operation} in {}: who may ask it?",
                surface.file()
            );
        }
        for row in &rows {
            assert!(
                known.contains(&row.operation),
                "{row}: there is no {}",
                row.operation
            );
        }
    }
}

#[test]
fn every_row_says_what_every_role_gets() {
    for surface in [Surface::Rest, Surface::Live] {
        for row in all(surface) {
            for role in ROLES {
                assert!(row.expect.contains_key(role), "{row}: nothing said of {role}");
            }
            for role in row.expect.keys() {
                assert!(ROLES.contains(&role.as_str()), "{row}: there is no role {role}");
            }
            if surface == Surface::Rest {
                assert!(row.asks_its_operation(), "{row}: asks another path");
            }
        }
    }
}

/// The check itself: a cell that says otherwise than the engine is found.
#[tokio::test]
async fn a_wrong_cell_is_found() {
    let wrong = r#"{"rows": [{"operation": "GET /conversations/{id}", "ask": "GET /conversations/{conversation}",
        "expect": {"stranger": 200, "member": "forbidden"}}]}"#;
    let cast = Stage::memory().cast().await;
    let row = rows(wrong).remove(0);
    for role in ["stranger", "member"] {
        let got = cast.ask(Surface::Rest, &row, role, Place::Group, &[]).await;
        assert!(row.expect[role].check(Surface::Rest, &got).is_err(), "{got}");
    }
}
