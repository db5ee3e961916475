//! The engine against a naive model of a chat, over random histories: after every step the answers agree, and every
//! few steps everything that every user can see does, also what a client pieced together from sync.
//!
//! `CHAT_MODEL_RUNS` says how many histories are played on each store, `CHAT_MODEL_SEED` which one is the first. A
//! seed that fails is printed at once and kept in `regressions.txt` (not with `CHAT_MODEL_KEEP=0`), then the shortest
//! history that still fails is told; the seeds in there are played first. A seed stands for a history as long as the
//! steps are drawn as they are, so a fault of the engine also gets a scenario of its own.

mod compare;
mod compare_lists;
mod game;
mod groups;
mod play;
mod race;
mod reference;
mod replica;
mod restraint;
mod retention;
mod rng;
mod rules;
mod scheduled;
mod show;
mod spread;
mod stars;
mod timers;

use std::fs::OpenOptions;
use std::future::Future;
use std::io::Write as _;

use chat_core::error::{ChatError, ChatResult};

use crate::world::World;
use game::Game;
pub(crate) use show::difference;

/// Agreement, or where it ends.
type Verdict = Result<(), String>;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/model/regressions.txt");
/// So many histories by default: few enough for every build.
const RUNS: u64 = 12;
/// A server takes longer, and most of what it could do wrong the conformance suite finds.
const RUNS_ON_A_SERVER: u64 = 4;

/// An answer that must not be a refusal.
fn told<T>(what: &str, result: ChatResult<T>) -> Result<T, String> {
    result.map_err(|error: ChatError| format!("{what}: {:?}: {error}", error.code()))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn kept_in(file: &str) -> Vec<u64> {
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    kept.lines()
        .filter_map(|line| line.split('#').next()?.trim().parse().ok())
        .collect()
}

/// Adds a seed to those that are always played; the other store may do the same this moment.
fn keep_in(file: &str, seed: u64) {
    if number("CHAT_MODEL_KEEP") == Some(0) || kept_in(file).contains(&seed) {
        return;
    }
    let mut seeds = OpenOptions::new().append(true).create(true).open(file).unwrap();
    seeds.write_all(format!("{seed}\n").as_bytes()).unwrap();
}

async fn histories<F: Future<Output = World>>(store: &str, runs: u64, fresh: impl Fn() -> F) {
    let first = number("CHAT_MODEL_SEED").unwrap_or(1);
    let runs = number("CHAT_MODEL_RUNS").unwrap_or(runs);
    let kept = kept_in(REGRESSIONS);
    let mut failed = String::new();
    let mut played = 0;
    for seed in kept.iter().copied().chain(first..first + runs) {
        let verdict = Game::play(fresh().await, seed, None).await;
        played += 1;
        let Err(found) = verdict else {
            continue;
        };
        // Said and kept at once: a long run may be cut off.
        eprintln!("seed {seed} fails on {store}: {}", found.what);
        keep_in(REGRESSIONS, seed);
        let told = format!("\n== seed {seed} on {store} ==\n{}", shorten(&fresh, seed).await);
        eprintln!("{told}\n(first found: {})", found.what);
        failed.push_str(&told);
        if failed.lines().count() > 200 {
            break;
        }
    }
    // `cargo xtask test` looks for this line.
    println!("histories played: {played}");
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
    histories("memory", RUNS, World::memory).await;
}

#[tokio::test]
async fn sqlite_agrees_with_the_model() {
    histories("sqlite", RUNS, World::sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_agrees_with_the_model() {
    if crate::postgres::Space::new().is_some() {
        histories("postgres", RUNS_ON_A_SERVER, || async {
            World::postgres().await.unwrap()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongodb_agrees_with_the_model() {
    if crate::mongodb::Space::new().await.is_some() {
        histories("mongodb", RUNS_ON_A_SERVER, || async {
            World::mongodb().await.unwrap()
        })
        .await;
    }
}
