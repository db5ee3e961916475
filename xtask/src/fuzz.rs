//! `cargo xtask fuzz`: the targets of `tests/fuzz`, for as long as one likes.

use std::time::Duration;

use clap::Args;

use crate::process::run_plain;
use crate::{Failure, root, tools};

#[derive(Debug, Args)]
pub(crate) struct FuzzOptions {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// Only this target: commands, requests, tokens, uploads, searches or protocol
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Repeats a run; the default is a new one each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

const TARGETS: [&str; 6] = [
    "commands", "requests", "tokens", "uploads", "searches", "protocol",
];

/// Runs the targets one after the other; whether none failed. What fails is kept in the corpus.
pub(crate) fn run(options: &FuzzOptions) -> Result<bool, Failure> {
    let chosen: Vec<&str> = TARGETS
        .into_iter()
        .filter(|target| options.target.as_deref().is_none_or(|name| name == *target))
        .collect();
    if chosen.is_empty() {
        return Err(format!("no such target; there are {}", TARGETS.join(", ")).into());
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let seed = options.seed.unwrap_or(now.as_secs());
    let mut good = true;
    for target in chosen {
        let mut command = tools::cargo();
        command
            .args(["test", "--package", "chat-fuzz", "--test", "it", "--"])
            .arg(format!("{target}::"))
            .arg("--nocapture")
            .env("CHAT_FUZZ_SECONDS", options.seconds.to_string())
            .env("CHAT_FUZZ_SEED", seed.to_string());
        // Building from nothing, and time to finish what has begun.
        let limit = Duration::from_secs(options.seconds + 30 * 60);
        good &= run_plain(&mut command, &root(), limit)?;
    }
    Ok(good)
}
