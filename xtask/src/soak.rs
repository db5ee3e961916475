//! `cargo xtask soak`: clients that come and go for as long as one likes, and what the server uses meanwhile.

use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::chaos::{Own, prepare};
use crate::process::run_shown;
use crate::{Failure, root, tools};

/// Setting up and coming to rest.
const AROUND: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Clone, Args)]
pub(crate) struct SoakOptions {
    /// How long clients are there, in seconds
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// What decides about everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where chats are kept: sqlite, postgres or mongodb
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// How many clients, two to a user
    #[arg(long, default_value_t = 100)]
    clients: u16,
    /// How often each client acts on average, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    pace: u64,
    /// The most memory the server may have at any moment, in MiB
    #[arg(long, default_value_t = 256)]
    ceiling: u64,
    /// How much more it may have at the end than after the warm-up, in MiB, when it grows all the time
    #[arg(long, default_value_t = 8)]
    growth: u64,
}

/// Builds what a run needs and runs it; whether the server stayed below its ceilings.
pub(crate) fn run(options: &SoakOptions) -> Result<bool, Failure> {
    let server = tools::build_program("chat-server")?;
    let chaos = tools::build_program("chat-chaos")?;
    let mut command = Command::new(chaos);
    command.arg("soak").arg("--server").arg(server);
    command.args(["--store", &options.store]);
    for (name, number) in [
        ("--seconds", options.seconds),
        ("--seed", options.seed),
        ("--clients", options.clients.into()),
        ("--pace", options.pace),
        ("--ceiling", options.ceiling),
        ("--growth", options.growth),
    ] {
        command.args([name, &number.to_string()]);
    }
    let _database = prepare(&mut command, &options.store, Own::Stays)?;
    let limit = AROUND + Duration::from_secs(options.seconds);
    Ok(run_shown(&mut command, &root(), limit)?.success)
}
