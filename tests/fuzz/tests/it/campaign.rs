//! One target's run: first the corpus as it is, then as many mutations of it as there is time for.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::mutate::mutate;
use crate::rng::Rng;

pub(crate) struct Campaign {
    target: &'static str,
    corpus: Vec<Vec<u8>>,
    rng: Rng,
    rounds: u64,
    deadline: Option<Instant>,
    done: u64,
}

impl Campaign {
    /// So many mutations, or those of `CHAT_FUZZ_SECONDS`, with the seed `CHAT_FUZZ_SEED`.
    pub(crate) fn new(target: &'static str, rounds: u64) -> Self {
        let number = |name: &str| -> Option<u64> {
            let value = std::env::var(name).ok()?;
            Some(value.parse().unwrap())
        };
        let seed = number("CHAT_FUZZ_SEED").unwrap_or(1);
        let seconds = number("CHAT_FUZZ_SECONDS").map(Duration::from_secs);
        let corpus = read_corpus(target);
        assert!(!corpus.is_empty(), "no corpus for {target}");
        println!("{target}: seed {seed}, {} inputs in the corpus", corpus.len());
        Self {
            target,
            corpus,
            rng: Rng::new(seed),
            rounds,
            deadline: seconds.map(|seconds| Instant::now() + seconds),
            done: 0,
        }
    }

    /// Inputs that exist only now, such as tokens that were just handed out.
    pub(crate) fn with(mut self, more: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.corpus.extend(more);
        self
    }

    /// The next input; `None` when it is enough.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let kept = self.corpus.len() as u64;
        let enough = match self.deadline {
            Some(deadline) => self.done >= kept && Instant::now() >= deadline,
            None => self.done >= kept + self.rounds,
        };
        if enough {
            println!("{}: {} inputs", self.target, self.done);
            return None;
        }
        let index = usize::try_from(self.done).unwrap();
        self.done += 1;
        Some(match self.corpus.get(index) {
            Some(input) => input.clone(),
            None => mutate(&mut self.rng, &self.corpus),
        })
    }

    /// Looks at one input; when that fails, the input is kept.
    pub(crate) async fn judge(&self, input: &[u8], look: impl Future<Output = ()>) {
        if let Err(panic) = AssertUnwindSafe(look).catch_unwind().await {
            self.keep(input);
            std::panic::resume_unwind(panic);
        }
    }

    fn keep(&self, input: &[u8]) {
        let file = folder(self.target).join(format!("found-{:016x}", fingerprint(input)));
        std::fs::write(&file, input).unwrap();
        println!("{}: input kept in {}", self.target, file.display());
        println!(
            "{}: {:?}",
            self.target,
            String::from_utf8_lossy(&input[..input.len().min(2_000)])
        );
    }
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

fn read_corpus(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

/// FNV-1a: a name for an input.
fn fingerprint(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
