//! The server as a child process of the test.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    /// `127.0.0.1:port`.
    pub(crate) authority: String,
    stdout: BufReader<ChildStdout>,
}

fn command(data: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command
        .env_clear()
        .env("PORT", "0")
        .env("CHAT_DATA_DIR", data)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Starts it and waits for its line.
pub(crate) async fn start(data: &Path, variables: &[(&str, &str)]) -> Server {
    let mut child = command(data, variables).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    timeout(LONG, stdout.read_line(&mut line)).await.unwrap().unwrap();
    let authority = line
        .strip_prefix("listening on http://")
        .unwrap_or_else(|| panic!("the line was {line:?}"))
        .trim()
        .to_owned();
    Server {
        child,
        authority,
        stdout,
    }
}

/// A start that is expected to be refused.
pub(crate) async fn refused(variables: &[(&str, &str)]) -> Output {
    let data = TempDir::new().unwrap();
    timeout(LONG, command(data.path(), variables).output())
        .await
        .unwrap()
        .unwrap()
}

/// Something else than serving, to its end.
pub(crate) async fn run(data: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    timeout(LONG, command(data, variables).args(arguments).output())
        .await
        .unwrap()
        .unwrap()
}

impl Server {
    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; its exit code, and what else it printed.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let status = timeout(LONG, self.child.wait()).await.unwrap().unwrap();
        let mut rest = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut self.stdout, &mut rest)
            .await
            .unwrap();
        (status.code(), rest)
    }
}
