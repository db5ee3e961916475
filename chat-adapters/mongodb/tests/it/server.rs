//! A server of a test's own, for tests that end it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mongodb::bson::doc;
use tempfile::TempDir;

/// Something that takes longer will not happen any more; far more than a busy machine needs.
pub(crate) const STUCK: Duration = Duration::from_secs(240);
/// How long an answer is waited for before the question is put again.
const ANSWER: Duration = Duration::from_secs(10);

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

    /// Starts it with the data it has, and waits until it accepts connections.
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
        while !accepts(self.port) {
            assert!(child.try_wait().unwrap().is_none(), "the server ended by itself");
            assert!(began.elapsed() < STUCK, "the server does not accept connections");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether a server takes a connection and answers a `hello` on it. A connection alone says little: the system takes
/// it for a server that is still busy with its start.
fn accepts(port: u16) -> bool {
    let asked = || -> std::io::Result<()> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let mut hello = Vec::new();
        let asking = doc! { "hello": 1, "$db": "admin" };
        asking.to_writer(&mut hello).map_err(std::io::Error::other)?;
        // OP_MSG: length, request, response to, opcode, flags, one section of kind 0.
        let length = i32::try_from(21 + hello.len()).map_err(std::io::Error::other)?;
        let mut message = Vec::new();
        for number in [length, 1, 0, 2013, 0] {
            message.extend(number.to_le_bytes());
        }
        message.push(0);
        message.extend(hello);
        stream.write_all(&message)?;
        stream.read_exact(&mut [0; 16])
    };
    asked().is_ok()
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
