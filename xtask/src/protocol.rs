//! The official test suites of Engine.IO and Socket.IO against the transport of the Socket.IO gateway.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::run_shown;
use crate::servers::EchoServer;
use crate::tally::Tally;
use crate::tools::{self, Missing};
use crate::{Failure, root};

const LIMIT: Duration = Duration::from_secs(120);

/// A suite's folder below `tests/protocol/suites`, and how many cases it has: fewer that pass is a failure.
const SUITES: [(&str, u64); 2] = [("engine.io", 25), ("socket.io", 32)];

/// Runs both; whether every case of both passed.
pub(crate) fn run() -> Result<bool, Failure> {
    let tallies = tallies().map_err(|Missing(what)| what)??;
    for (name, tally) in &tallies {
        println!("{name:<28} {tally}");
    }
    Ok(tallies.iter().all(|(_, tally)| tally.failed == 0))
}

/// What each came to: all of its cases pass, or some have failed.
pub(crate) fn tallies() -> Result<Result<Vec<(String, Tally)>, Failure>, Missing> {
    let folder = root().join("tests/protocol");
    let node = tools::node().and_then(|node| tools::node_packages(&folder).map(|()| node))?;
    Ok(on_echo_server(&node, &folder))
}

fn on_echo_server(node: &Path, folder: &Path) -> Result<Vec<(String, Tally)>, Failure> {
    let server = EchoServer::start(&tools::build_example("chat-socketio", "protocol_echo")?)?;
    let mut tallies = Vec::new();
    for (name, cases) in SUITES {
        let mut command = Command::new(node);
        command
            .args(["run.mjs", "--base", &server.url, "--expect", &cases.to_string()])
            .args(["--suite", &format!("suites/{name}/test-suite.js")]);
        let outcome = run_shown(&mut command, folder, LIMIT)?;
        let tally = Tally::of_node(&outcome.lines).judged(outcome.success);
        tallies.push((format!("official {name} suite"), tally));
    }
    Ok(tallies)
}
