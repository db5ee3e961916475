//! What goes wrong, and when: drawn from the seed.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::database::Database;
use super::recorder::{Recorder, Source};
use super::server::Server;
use crate::Failure;
use crate::history::Kind;

/// What may be hit.
#[derive(Debug)]
pub(crate) struct Targets {
    pub(crate) server: Server,
    pub(crate) database: Option<Database>,
}

/// Kills and restarts until then; how often something was killed. Everything runs at the end.
pub(crate) async fn torment(
    targets: &mut Targets,
    recorder: &Recorder,
    rng: &mut fastrand::Rng,
    until: Instant,
) -> Result<u32, Failure> {
    let source = Source::conductor();
    let note = |name: &str, phase: &str| {
        recorder.write(
            &source,
            Kind::Fault,
            name,
            None,
            json!({ "phase": phase }),
            Value::Null,
        );
    };
    let mut kills = 0;
    loop {
        let quiet = Duration::from_millis(rng.u64(2_000..8_000));
        if Instant::now() + quiet >= until {
            break;
        }
        sleep(quiet).await;
        let down = Duration::from_millis(rng.u64(0..1_500));
        let hit = match &targets.database {
            Some(_) => rng.u8(..10),
            None => 0,
        };
        // The server, the database, or both at once.
        let (server, database) = (hit < 6, hit >= 5);
        let name = match (server, database) {
            (true, true) => "kill_both",
            (true, false) => "kill_server",
            _ => "kill_database",
        };
        note(name, "start");
        if server {
            targets.server.kill().await?;
        }
        if let Some(running) = targets.database.as_mut().filter(|_| database) {
            running.kill().await?;
        }
        sleep(down).await;
        if let Some(killed) = targets.database.as_mut().filter(|_| database) {
            killed.again().await?;
        }
        if server {
            targets.server.again().await?;
        }
        note(name, "stop");
        kills += 1;
    }
    sleep(until.saturating_duration_since(Instant::now())).await;
    Ok(kills)
}
