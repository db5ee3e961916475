//! The server under test, as a process.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::Failure;

const START_LIMIT: Duration = Duration::from_secs(60);
/// What it promises after a stop signal, and some time to be told.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How it is started.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) secret: String,
    pub(crate) store: &'static str,
    /// Variables that store needs.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// A server that runs, or was killed.
#[derive(Debug)]
pub(crate) struct Server {
    setting: Setting,
    child: Child,
}

impl Server {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(setting: &Setting) -> Result<Self, Failure> {
        let began = Instant::now();
        let mut server = Self {
            setting: setting.clone(),
            child: spawn(setting)?,
        };
        loop {
            if is_ready(setting.port).await {
                return Ok(server);
            }
            if began.elapsed() > START_LIMIT {
                return Err("the server does not come up; its log tells more".into());
            }
            // Its database may be away: then it gives up, and whoever runs it starts it again.
            if server.child.try_wait()?.is_some() {
                sleep(Duration::from_millis(200)).await;
                server.child = spawn(setting)?;
            }
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// Which process it is, while it runs.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it without a word.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill().await?;
        Ok(())
    }

    /// Starts it again on the data it has.
    pub(crate) async fn again(&mut self) -> Result<(), Failure> {
        *self = Self::start(&self.setting).await?;
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let id = self.child.id().ok_or("the server is gone already")?;
        let asked = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        if !asked.success() {
            return Err("the server cannot be asked to stop".into());
        }
        let status = tokio::time::timeout(STOP_LIMIT, self.child.wait())
            .await
            .map_err(|_| "the server does not stop")??;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the server stopped with {status}").into())
        }
    }
}

fn spawn(setting: &Setting) -> Result<Child, Failure> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(setting.folder.join("server.log"))?;
    let mut command = Command::new(&setting.program);
    for name in [
        "DATABASE_URL",
        "CHAT_DATABASE_SCHEMA",
        "MONGODB_URL",
        "CHAT_MONGODB_PREFIX",
        "REDIS_URL",
        "CHAT_MEDIA_URL",
        "CHAT_WEBHOOK_URL",
        "CHAT_WEBHOOK_SECRET",
    ] {
        command.env_remove(name);
    }
    Ok(command
        .env("HOST", "127.0.0.1")
        .env("PORT", setting.port.to_string())
        .env("CHAT_STORE", setting.store)
        .env("CHAT_DATA_DIR", setting.folder.join("data"))
        .env("CHAT_JWT_SECRET", &setting.secret)
        .env("RUST_LOG", "info")
        .envs(setting.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(&setting.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?)
}

/// Whether it says so itself.
async fn is_ready(port: u16) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let request = "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        answer.starts_with(b"HTTP/1.1 200").then_some(())
    };
    tokio::time::timeout(Duration::from_secs(2), ask)
        .await
        .is_ok_and(|ready| ready.is_some())
}
