//! `chat-chaos`: one run, or the judgement of a history that is there. `cargo xtask chaos` prepares what it needs.

#![allow(clippy::print_stdout, reason = "a command line program talks to its terminal")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chat_chaos::checker::{Bounds, check};
use chat_chaos::play::{OwnDatabase, Plan, StoreKind, run};
use chat_chaos::soak::{self, Ceilings, Soak};
use chat_chaos::{Failure, history};
use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "chat-chaos",
    about = "Clients, faults, and a judgement of what was seen"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs clients against a server that is killed again and again, and judges the history
    Run(Box<RunOptions>),
    /// Runs clients that come and go against a server that is left alone, and measures what it uses
    Soak(Box<SoakOptions>),
    /// Judges a history
    Check {
        /// The file
        history: PathBuf,
        /// Added to every bound of time, in milliseconds: what this machine may be late
        #[arg(long, default_value_t = 1_000)]
        slack: u64,
    },
}

#[derive(Debug, Args)]
struct RunOptions {
    /// The program chat-server
    #[arg(long)]
    server: PathBuf,
    /// Where chats are kept: sqlite, postgres (CHAT_CHAOS_URL, CHAT_CHAOS_DATABASE) or mongodb (CHAT_CHAOS_URL)
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// How long faults come, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What decides about everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many clients, two to a user
    #[arg(long, default_value_t = 100)]
    clients: u16,
    /// How often each client acts on average, in milliseconds
    #[arg(long, default_value_t = 2_000)]
    pace: u64,
    /// The history
    #[arg(long)]
    history: PathBuf,
    /// Added to every bound of time, in milliseconds: what this machine may be late
    #[arg(long, default_value_t = 1_000)]
    slack: u64,
}

#[derive(Debug, Args)]
struct SoakOptions {
    /// The program chat-server
    #[arg(long)]
    server: PathBuf,
    /// Where chats are kept: sqlite, postgres or mongodb (CHAT_CHAOS_URL)
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// How long, in seconds
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// What decides about everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
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
    /// How many more files it may have open when everybody has left than before anybody came
    #[arg(long, default_value_t = 20)]
    files: u64,
}

async fn soak(options: &SoakOptions) -> Result<bool, Failure> {
    const MIB: u64 = 1024 * 1024;
    let folder = tempfile::Builder::new().prefix("chat-soak-").tempdir()?;
    let soak = Soak {
        server: options.server.canonicalize()?,
        store: store(&options.store)?,
        seconds: options.seconds,
        seed: options.seed,
        clients: options.clients,
        pace: Duration::from_millis(options.pace),
        folder: folder.path().to_path_buf(),
        ceilings: Ceilings {
            memory: options.ceiling * MIB,
            growth: options.growth * MIB,
            files: options.files,
        },
    };
    let outcome = tokio::select! {
        outcome = soak::run(&soak, |line| println!("{line}")) => outcome?,
        _ = tokio::signal::ctrl_c() => return Err("interrupted".into()),
        () = terminated() => return Err("terminated".into()),
    };
    let highest = outcome.samples.iter().map(|sample| sample.memory).max();
    println!(
        "{} deeds, {} times somebody left and came back, at most {} MiB of memory",
        outcome.deeds,
        outcome.returns,
        highest.unwrap_or(0) / MIB
    );
    for finding in &outcome.found {
        println!("{finding}");
    }
    Ok(outcome.found.is_empty() && outcome.deeds > 0)
}

/// A store by its name, where the environment says.
fn store(name: &str) -> Result<StoreKind, Failure> {
    // Not on the command line, where everybody on the machine would read its password.
    let url = || std::env::var("CHAT_CHAOS_URL").map_err(|_| "CHAT_CHAOS_URL does not name the database");
    let space = format!("chat_chaos_{}", std::process::id());
    Ok(match name {
        "sqlite" => StoreKind::Sqlite,
        "postgres" => StoreKind::Postgres {
            url: url()?,
            schema: space,
            own: own_database()?,
        },
        "mongodb" => StoreKind::Mongodb {
            url: url()?,
            prefix: format!("{space}_"),
        },
        other => return Err(format!("{other} is no store of this program").into()),
    })
}

fn plan(options: &RunOptions, folder: &Path) -> Result<Plan, Failure> {
    Ok(Plan {
        server: options.server.canonicalize()?,
        store: store(&options.store)?,
        seconds: options.seconds,
        seed: options.seed,
        clients: options.clients,
        pace: Duration::from_millis(options.pace),
        folder: folder.to_path_buf(),
        history: options.history.clone(),
    })
}

fn own_database() -> Result<Option<OwnDatabase>, Failure> {
    match std::env::var("CHAT_CHAOS_DATABASE") {
        Ok(json) => Ok(Some(serde_json::from_str(&json)?)),
        Err(_) => Ok(None),
    }
}

/// Prints what a history comes to; whether nothing is wrong with it.
fn judge(file: &Path, slack: u64) -> Result<bool, Failure> {
    let lines = history::read(file)?;
    let bounds = Bounds {
        slack: Duration::from_millis(slack),
        ..Bounds::default()
    };
    let report = check(&lines, &bounds)?;
    println!("{report} (bounds of time with {slack} ms of slack)");
    Ok(report.is_clean())
}

async fn play(options: &RunOptions) -> Result<bool, Failure> {
    let folder = tempfile::Builder::new().prefix("chat-chaos-").tempdir()?;
    let plan = plan(options, folder.path())?;
    let outcome = tokio::select! {
        outcome = run(&plan) => outcome,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        () = terminated() => Err("terminated".into()),
    };
    match outcome {
        Ok(kills) => println!("{kills} kills"),
        Err(failure) => {
            if let Ok(log) = std::fs::read_to_string(folder.path().join("server.log")) {
                let lines: Vec<&str> = log.lines().collect();
                println!(
                    "{}",
                    lines
                        .get(lines.len().saturating_sub(20)..)
                        .unwrap_or_default()
                        .join("\n")
                );
            }
            return Err(failure);
        }
    }
    let (file, slack) = (plan.history.clone(), options.slack);
    tokio::task::spawn_blocking(move || judge(&file, slack)).await?
}

async fn terminated() {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        signal.recv().await;
        return;
    }
    std::future::pending::<()>().await;
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Run(options) => play(&options).await,
        Task::Soak(options) => soak(&options).await,
        Task::Check { history, slack } => judge(&history, slack),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            println!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
