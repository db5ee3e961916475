//! The engine against a naive model of a chat, over random histories: after every step the answers agree, and every
//! few steps everything that every user can see does, also what a client pieced together from sync.
//!
//! `CHAT_MODEL_RUNS` says how many histories are played on each store, `CHAT_MODEL_SEED` which one is the first. A
//! seed that fails is printed with the shortest history that still fails, and kept in `regressions.txt`; the seeds in
//! there are played first.

mod compare;
mod game;
mod groups;
mod play;
mod reference;
mod replica;
mod rng;
mod rules;
mod show;
mod spread;
mod timers;

use std::fmt::Write as _;
use std::future::Future;

use chat_core::error::{ChatError, ChatResult};

use crate::world::World;
use game::Game;
pub(crate) use show::difference;

/// Agreement, or where it ends.
type Verdict = Result<(), String>;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/model/regressions.txt");
/// So many histories by default: few enough for every build.
const RUNS: u64 = 12;

/// An answer that must not be a refusal.
fn told<T>(what: &str, result: ChatResult<T>) -> Result<T, String> {
    result.map_err(|error: ChatError| format!("{what}: {:?}: {error}", error.code()))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn kept_seeds() -> Vec<u64> {
    let kept = std::fs::read_to_string(REGRESSIONS).unwrap_or_default();
    kept.lines()
        .filter_map(|line| line.split('#').next()?.trim().parse().ok())
        .collect()
}

async fn histories<F: Future<Output = World>>(store: &str, fresh: impl Fn() -> F) {
    let first = number("CHAT_MODEL_SEED").unwrap_or(1);
    let runs = number("CHAT_MODEL_RUNS").unwrap_or(RUNS);
    let kept = kept_seeds();
    let mut failed = String::new();
    for seed in kept.iter().copied().chain(first..first + runs) {
        let Err(found) = Game::play(fresh().await, seed, None).await else {
            continue;
        };
        let shortest = shorten(&fresh, seed).await;
        let _ = writeln!(
            failed,
            "\n== seed {seed} on {store} ==\n{shortest}\n(first found: {})",
            found.what
        );
        if !kept.contains(&seed) && number("CHAT_MODEL_KEEP") != Some(0) {
            let mut seeds = std::fs::read_to_string(REGRESSIONS).unwrap_or_default();
            let _ = writeln!(seeds, "{seed}");
            let _ = std::fs::write(REGRESSIONS, seeds);
        }
        if failed.lines().count() > 200 {
            break;
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// Leaves steps out as long as the history still fails, and tells it.
async fn shorten<F: Future<Output = World>>(fresh: &impl Fn() -> F, seed: u64) -> String {
    let mut without = vec![false; 200];
    let mut told = String::new();
    let mut block = 32;
    while block > 0 {
        for start in (0..without.len()).step_by(block) {
            let mut fewer = without.clone();
            fewer[start..(start + block).min(200)].fill(true);
            if fewer == without {
                continue;
            }
            if let Err(found) = Game::play(fresh().await, seed, Some(&fewer)).await {
                without = fewer;
                told = found.to_string();
            }
        }
        block /= 2;
    }
    if told.is_empty() {
        told = Game::play(fresh().await, seed, None)
            .await
            .err()
            .map_or_else(|| "fails only now and then".to_owned(), |found| found.to_string());
    }
    told
}

#[tokio::test]
async fn memory_agrees_with_the_model() {
    histories("memory", World::memory).await;
}

#[tokio::test]
async fn sqlite_agrees_with_the_model() {
    histories("sqlite", World::sqlite).await;
}
