//! Repository tasks. `cargo xtask test` runs every test there is; `cargo xtask ci` is the gate.

#![allow(clippy::print_stdout, reason = "a command line program talks to its terminal")]

mod by_store;
mod chaos;
mod ci;
mod docs_check;
mod fuzz;
mod process;
mod protocol;
mod schemathesis;
mod servers;
mod soak;
mod tally;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// What went wrong, for people.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Repository tasks of the chat engine")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs every suite: Rust tests, doctests, wire scenarios against a real server, the browser test
    Test(TestOptions),
    /// The gate: format, lints, docs, every suite, document checks
    Ci(TestOptions),
    /// Kills the server (and its PostgreSQL) under many clients, and judges what they saw
    Chaos(ChaosOptions),
    /// Runs clients that come and go, and fails when the server's memory is above its ceiling or grows all the time
    Soak(soak::SoakOptions),
    /// Checks the documents against the code and the tests
    Docs,
    /// Runs the fuzz targets: broken input into every door, from a kept corpus
    Fuzz(fuzz::FuzzOptions),
    /// Asks a server whatever its OpenAPI document allows, and compares the answers with it
    Schemathesis(schemathesis::SchemathesisOptions),
    /// Runs the official Engine.IO and Socket.IO test suites: all of their 25 and 32 cases pass
    Protocol,
}

#[derive(Debug, Clone, Default, Args)]
struct TestOptions {
    /// Only what needs no server, no Node and no browser
    #[arg(long)]
    quick: bool,
    /// Count suites whose tools cannot be had as skipped instead of failed
    #[arg(long)]
    allow_missing: bool,
    /// Only wire scenario files whose name contains this
    #[arg(long, value_name = "TEXT")]
    wire: Option<String>,
    /// Only the browser test
    #[arg(long)]
    browser: bool,
}

#[derive(Debug, Clone, Args)]
struct ChaosOptions {
    /// How many servers there are; only 1 so far
    #[arg(long, default_value_t = 1)]
    nodes: u32,
    /// How long faults come, in seconds
    #[arg(long, default_value_t = 120)]
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
    #[arg(long, default_value_t = 3_000)]
    pace: u64,
    /// Added to every bound of time, in milliseconds: what this machine may be late
    #[arg(long, default_value_t = 1_000)]
    slack: u64,
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

fn run(task: Task) -> Result<bool, Failure> {
    match task {
        Task::Test(options) => test::run(&options),
        Task::Ci(options) => ci::run(&options),
        Task::Chaos(options) => chaos::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Docs => docs_check::run(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Schemathesis(options) => schemathesis::run(&options),
        Task::Protocol => protocol::run(),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let work = tokio::task::spawn_blocking(move || run(cli.task));
    let outcome = tokio::select! {
        outcome = work => outcome,
        signal = process::stop_signal() => {
            println!("stopping ({signal})");
            process::stop_everything();
            return ExitCode::from(130);
        }
    };
    process::stop_everything();
    match outcome {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(failure)) => {
            println!("error: {failure}");
            ExitCode::FAILURE
        }
        Err(panicked) => {
            println!("error: {panicked}");
            ExitCode::FAILURE
        }
    }
}
