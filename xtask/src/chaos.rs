//! `cargo xtask chaos`: clients, a server that is killed again and again, and a judgement of what was seen.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::process::run_shown;
use crate::servers::{MongoServer, PostgresServer, PreparedPostgres};
use crate::{ChaosOptions, Failure, root, tools};

/// Setting up, coming to rest and judging, beside the time of faults.
const AROUND: Duration = Duration::from_secs(10 * 60);

/// Builds what a run needs and runs it; whether nothing was wrong.
pub(crate) fn run(options: &ChaosOptions) -> Result<bool, Failure> {
    if options.nodes != 1 {
        return Err("several nodes do not share their live events yet; --nodes 1 is what there is".into());
    }
    let server = tools::build_program("chat-server")?;
    let chaos = tools::build_program("chat-chaos")?;
    once(options, &chaos, &server)
}

fn once(options: &ChaosOptions, chaos: &Path, server: &Path) -> Result<bool, Failure> {
    let folder = root().join("target/chaos");
    std::fs::create_dir_all(&folder)?;
    let ChaosOptions {
        seconds,
        seed,
        store,
        clients,
        pace,
        slack,
        ..
    } = options;
    let mut command = Command::new(chaos);
    command
        .arg("run")
        .arg("--server")
        .arg(server)
        .args(["--store", store, "--seconds", &seconds.to_string()])
        .args(["--seed", &seed.to_string(), "--clients", &clients.to_string()])
        .args([
            "--pace",
            &pace.to_string(),
            "--slack",
            &slack.to_string(),
            "--history",
        ])
        .arg(folder.join(format!("{store}-{seed}.jsonl")));
    let _database = prepare(&mut command, store, Own::Killed)?;
    let limit = AROUND + Duration::from_secs(*seconds);
    Ok(run_shown(&mut command, &root(), limit)?.success)
}

/// Whose the database server of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// The run starts it, because it is one of the things that are killed.
    Killed,
    /// It runs all the time.
    Stays,
}

/// A server that lives as long as a run.
#[derive(Debug)]
pub(crate) enum Database {
    None,
    Mongo { _server: MongoServer },
    Postgres { _server: PostgresServer },
}

/// Starts what a store needs and tells the command where it is.
pub(crate) fn prepare(command: &mut Command, store: &str, own: Own) -> Result<Database, Failure> {
    let missing = |missing: tools::Missing| missing.0;
    match store {
        "postgres" if own == Own::Killed => {
            let prepared = PreparedPostgres::fresh().map_err(missing)?;
            let line: Vec<String> = std::iter::once(prepared.program.to_string_lossy().into_owned())
                .chain(prepared.arguments)
                .collect();
            let database = json!({ "command": line, "folder": prepared.folder, "ready": prepared.ready });
            command
                .env("CHAT_CHAOS_URL", &prepared.url)
                .env("CHAT_CHAOS_DATABASE", database.to_string());
            Ok(Database::None)
        }
        "postgres" => {
            let server = PostgresServer::start().map_err(missing)?;
            command.env("CHAT_CHAOS_URL", &server.url);
            Ok(Database::Postgres { _server: server })
        }
        "mongodb" => {
            let server = MongoServer::start().map_err(missing)?;
            command.env("CHAT_CHAOS_URL", format!("{}chat", server.url));
            Ok(Database::Mongo { _server: server })
        }
        _ => Ok(Database::None),
    }
}
