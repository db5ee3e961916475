//! `cargo xtask chaos`: clients, a server that is killed again and again, and a judgement of what was seen.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::process::run_shown;
use crate::servers::{MongoServer, PreparedPostgres};
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
    let missing = |missing: tools::Missing| missing.0;
    let mut _mongodb = None;
    if store == "postgres" {
        // The run starts it, because it is one of the things that are killed.
        let prepared = PreparedPostgres::fresh().map_err(missing)?;
        let line: Vec<String> = std::iter::once(prepared.program.to_string_lossy().into_owned())
            .chain(prepared.arguments)
            .collect();
        let database = json!({ "command": line, "folder": prepared.folder, "ready": prepared.ready });
        command
            .env("CHAT_CHAOS_URL", &prepared.url)
            .env("CHAT_CHAOS_DATABASE", database.to_string());
    } else if store == "mongodb" {
        let server = MongoServer::start().map_err(missing)?;
        command.env("CHAT_CHAOS_URL", format!("{}chat", server.url));
        _mongodb = Some(server);
    }
    let limit = AROUND + Duration::from_secs(*seconds);
    Ok(run_shown(&mut command, &root(), limit)?.success)
}
