//! A server under steady load for as long as one likes, with clients that come and go: what it uses has to have an end.

mod usage;
mod verdict;

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};

use crate::Failure;
use crate::play::{Crowd, Person, Plan, StoreKind};
use usage::usage;
pub use verdict::{Ceilings, Finding, Sample, judge, judge_rest};

/// How often is measured.
const EVERY: Duration = Duration::from_millis(500);
/// How often is told.
const TELL: Duration = Duration::from_secs(10);
/// A client leaves after so many of its deeds, on average, and comes back at once.
const STAYS: u32 = 25;
/// What the server has of those who left is gone after this.
const REST: Duration = Duration::from_secs(5);

/// What a run is to be.
#[derive(Debug, Clone)]
pub struct Soak {
    /// The program `chat-server`.
    pub server: PathBuf,
    /// Where chats are kept.
    pub store: StoreKind,
    /// How long clients are there.
    pub seconds: u64,
    /// What decides about what clients do.
    pub seed: u64,
    /// Clients, two to a user.
    pub clients: u16,
    /// How often each acts, on average.
    pub pace: Duration,
    /// A folder for the server.
    pub folder: PathBuf,
    /// What the server may use.
    pub ceilings: Ceilings,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that was measured while clients were there.
    pub samples: Vec<Sample>,
    /// How much clients did.
    pub deeds: u64,
    /// How often one left and came back.
    pub returns: u64,
    /// What is wrong.
    pub found: Vec<Finding>,
}

/// Runs it. `tell` gets a line now and then.
///
/// # Errors
/// What stands in the way of a run: a server that does not come up or ends, a system without `/proc`.
pub async fn run(soak: &Soak, mut tell: impl FnMut(String)) -> Result<Outcome, Failure> {
    let plan = Plan {
        server: soak.server.clone(),
        store: soak.store.clone(),
        seconds: soak.seconds,
        seed: soak.seed,
        clients: soak.clients,
        pace: soak.pace,
        folder: soak.folder.clone(),
        // Nobody judges it.
        history: PathBuf::from("/dev/null"),
    };
    let mut rng = fastrand::Rng::with_seed(soak.seed);
    let mut crowd = Crowd::gather(&plan, &mut rng).await?;
    let process = crowd.process()?;
    let before = usage(process, Duration::ZERO)?;
    let (stop, stopped) = watch::channel(false);
    let lives: Vec<_> = crowd
        .people()
        .into_iter()
        .map(|person| tokio::spawn(live(person, soak.pace, stopped.clone())))
        .collect();

    let began = Instant::now();
    let mut samples = Vec::new();
    let mut ticks = interval(EVERY);
    let mut told = Duration::ZERO;
    while began.elapsed() < Duration::from_secs(soak.seconds) {
        ticks.tick().await;
        let sample = usage(process, began.elapsed())?;
        if sample.at >= told {
            tell(format!(
                "{:>6} s  {:>8} KiB  {:>5} files",
                sample.at.as_secs(),
                sample.memory / 1024,
                sample.files
            ));
            told += TELL;
        }
        samples.push(sample);
    }
    stop.send(true)?;
    let (mut deeds, mut returns) = (0, 0);
    for life in lives {
        let (did, returned) = life.await?;
        deeds += did;
        returns += returned;
    }
    sleep(REST).await;
    let after = usage(process, began.elapsed())?;
    let mut found = judge(&samples, &soak.ceilings);
    found.extend(judge_rest(&before, &after, &soak.ceilings));
    crowd.stop().await?;
    Ok(Outcome {
        samples,
        deeds,
        returns,
        found,
    })
}

/// Acts until told to stop; leaves without a word now and then.
async fn live(mut person: Person, pace: Duration, stop: watch::Receiver<bool>) -> (u64, u64) {
    let (mut deeds, mut returns) = (0, 0);
    while !*stop.borrow() {
        if !person.connect().await {
            sleep(Duration::from_millis(200)).await;
            continue;
        }
        let pause = pace.mul_f64(person.rng.f64() * 2.0);
        person.listen_until(Instant::now() + pause).await;
        person.act().await;
        person.take_events().await;
        deeds += 1;
        if person.rng.u32(0..STAYS) == 0 {
            person.disconnect();
            returns += 1;
        }
    }
    person.disconnect();
    (deeds, returns)
}
