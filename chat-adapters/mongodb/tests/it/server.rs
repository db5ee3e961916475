//! A server of a test's own, for tests that end it.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server on a private port, with its data in a temporary folder; ended when it is dropped.
pub(crate) struct OwnServer {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    running: Option<Child>,
}

impl OwnServer {
    /// Starts one; `None` where `CHAT_TEST_MONGODB_PROGRAM` names no program.
    pub(crate) fn start() -> Option<Self> {
        let program = std::env::var_os("CHAT_TEST_MONGODB_PROGRAM").filter(|program| !program.is_empty())?;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = Self {
            program: program.into(),
            folder: tempfile::tempdir().unwrap(),
            port: listener.local_addr().unwrap().port(),
            running: None,
        };
        drop(listener);
        server.again();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/chat", self.port)
    }

    /// Ends it at once, without a word.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it with the data it has, and waits until it listens.
    pub(crate) fn again(&mut self) {
        let child = Command::new(&self.program)
            .args(["--host", "127.0.0.1", "--log-level", "ERROR", "--sync-on-commit"])
            .args(["--port", &self.port.to_string()])
            .arg("--storage-path")
            .arg(self.folder.path().join("data"))
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Known before it is waited for: it ends with this also when it never listens.
        let child = self.running.insert(child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "the server ended by itself");
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the server does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}
