//! A server that speaks MongoDB's protocol: the one `MONGODB_URL` names, or a SecantusDB of our own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port;
use crate::Failure;
use crate::process::{Group, temporary_folder};
use crate::tools::{Missing, python_program};

const START_LIMIT: Duration = Duration::from_secs(60);
/// The stand-in for MongoDB; it changes weekly, so its version is part of the tests.
const VERSION: &str = "0.7.0b3";

/// A server that runs until this is dropped, unless it is somebody else's.
#[derive(Debug)]
pub(crate) struct MongoServer {
    group: Option<Group>,
    /// `mongodb://127.0.0.1:port/`, and perhaps options.
    pub(crate) url: String,
    /// The program, for tests that kill servers of their own.
    pub(crate) program: Option<PathBuf>,
}

impl MongoServer {
    /// The server `MONGODB_URL` names, or a fresh one.
    pub(crate) fn start() -> Result<Self, Missing> {
        let given = std::env::var("MONGODB_URL").unwrap_or_default();
        if given.starts_with("mongodb") {
            return Ok(Self {
                group: None,
                url: given,
                program: None,
            });
        }
        let program = program()?;
        Self::own(&program)
            .map_err(|failure| Missing(format!("a SecantusDB server cannot be started: {failure}")))
    }

    fn own(program: &Path) -> Result<Self, Failure> {
        let folder = temporary_folder()?;
        let port = free_port()?;
        let log = folder.join("log");
        let mut command = Command::new(program);
        command
            .args(["--host", "127.0.0.1", "--log-level", "WARNING"])
            .args(["--port", &port.to_string()])
            .arg("--storage-path")
            .arg(folder.join("data"))
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?);
        let mut group = Group::start(&mut command)?;
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if group.child().try_wait()?.is_some() || began.elapsed() > START_LIMIT {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("it did not come up: {}", log.trim()).into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(Self {
            group: Some(group),
            // This server walks through everything it remembers for retries at each write that could be retried. The
            // store needs no retries of the driver's; the tests that kill a server of their own have them all the same.
            url: format!("mongodb://127.0.0.1:{port}/?retryWrites=false"),
            program: Some(program.to_path_buf()),
        })
    }

    /// The URL of a database on it.
    pub(crate) fn database(&self, name: &str) -> String {
        let (server, options) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (scheme, rest) = server.split_once("://").unwrap_or(("mongodb", server));
        let hosts = rest.split('/').next().unwrap_or_default();
        let options = if options.is_empty() {
            String::new()
        } else {
            format!("?{options}")
        };
        format!("{scheme}://{hosts}/{name}{options}")
    }

    /// Whether we started it.
    pub(crate) const fn is_ours(&self) -> bool {
        self.group.is_some()
    }
}

fn program() -> Result<PathBuf, Missing> {
    python_program("SecantusDB", VERSION, "secantusd-py").map_err(|why| {
        Missing(format!(
            "a MongoDB server is missing: name one in MONGODB_URL, or let {}",
            why.0
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::MongoServer;

    #[test]
    fn a_database_goes_into_the_url() {
        let named = |url: &str| {
            let server = MongoServer {
                group: None,
                url: url.to_owned(),
                program: None,
            };
            server.database("x")
        };
        assert_eq!(named("mongodb://127.0.0.1:1/"), "mongodb://127.0.0.1:1/x");
        assert_eq!(named("mongodb://a,b/chat?w=1"), "mongodb://a,b/x?w=1");
        assert_eq!(named("mongodb://u:p@a"), "mongodb://u:p@a/x");
    }
}
