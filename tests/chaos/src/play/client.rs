//! The life of a client: it acts, listens in between, and comes back when it has lost its connection.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::person::Person;

/// Over so long clients come back after they have lost their connections.
const SPREAD_MS: u64 = 3_000;

/// Acts until told to stop, about once in `pace`.
pub(crate) async fn live(mut person: Person, pace: Duration, stop: watch::Receiver<bool>) -> Person {
    let mut was_connected = false;
    while !*stop.borrow() {
        if !person.is_connected() {
            if was_connected {
                // Not all at once: what they would test then is this machine.
                sleep(Duration::from_millis(person.rng.u64(0..SPREAD_MS))).await;
            }
            was_connected = person.connect().await;
        }
        let pause = pace.mul_f64(person.rng.f64() * 2.0);
        person.listen_until(Instant::now() + pause).await;
        person.act().await;
        person.take_events().await;
    }
    person
}
