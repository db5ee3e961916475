//! The official test suites of Engine.IO and Socket.IO against the transport of the Socket.IO gateway.
//!
//! Their sources are not part of this repository. They lie in the folder `test-suite` of the projects
//! `socketio/engine.io-protocol` and `socketio/socket.io-protocol`; whoever has both says where.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::run_shown;
use crate::servers::EchoServer;
use crate::tally::Tally;
use crate::tools::{self, Missing};
use crate::{Failure, root};

const LIMIT: Duration = Duration::from_secs(120);

/// A suite: where it lies below the folder that was named, how many cases it has, whether frames wait for it.
const SUITES: [(&str, u64, bool); 2] = [("engine.io", 24, false), ("socket.io", 32, true)];

/// Runs both; whether every case of both passed.
pub(crate) fn run(suites: &Path) -> Result<bool, Failure> {
    let mut passed = true;
    for (name, tally) in tallies(suites)? {
        println!("{name:<28} {tally}");
        passed &= tally.failed == 0;
    }
    Ok(passed)
}

/// What each came to: all of its cases pass, or some have failed.
pub(crate) fn tallies(suites: &Path) -> Result<Vec<(String, Tally)>, Failure> {
    let folder = root().join("tests/protocol");
    let node = tools::node()
        .and_then(|node| tools::node_packages(&folder).map(|()| node))
        .map_err(|Missing(what)| what)?;
    let server = EchoServer::start(&tools::build_example("chat-socketio", "protocol_echo")?)?;
    let mut tallies = Vec::new();
    for (name, cases, queue_frames) in SUITES {
        let mut command = Command::new(&node);
        command
            .args(["run.mjs", "--base", &server.url])
            .args(["--expect", &cases.to_string()])
            .arg("--suite")
            .arg(suite(suites, name)?);
        if queue_frames {
            command.arg("--queue-frames");
        }
        let outcome = run_shown(&mut command, &folder, LIMIT)?;
        let tally = Tally::of_node(&outcome.lines).judged(outcome.success);
        tallies.push((format!("official {name} suite"), tally));
    }
    Ok(tallies)
}

/// A suite below the folder: by its short name, or as its project is called.
fn suite(suites: &Path, name: &str) -> Result<PathBuf, Failure> {
    let file = Path::new("test-suite.js");
    [
        suites.join(name).join(file),
        suites
            .join(format!("{name}-protocol"))
            .join("test-suite")
            .join(file),
    ]
    .into_iter()
    .find(|file| file.is_file())
    .ok_or_else(|| format!("no {name} suite below {}", suites.display()).into())
    .and_then(|file| Ok(file.canonicalize()?))
}
