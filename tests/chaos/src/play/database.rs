//! A database server that may be killed, because whoever prepared it says how it is started.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::Failure;

const START_LIMIT: Duration = Duration::from_secs(60);

/// How a database server is started, on data that are there.
#[derive(Debug, Clone, Deserialize)]
pub struct OwnDatabase {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder it is started in.
    pub folder: PathBuf,
    /// The program and its arguments that succeed once it takes connections.
    pub ready: Vec<String>,
}

/// A database server that runs, or was killed.
#[derive(Debug)]
pub(crate) struct Database {
    setting: OwnDatabase,
    child: Child,
}

impl Drop for Database {
    fn drop(&mut self) {
        // Its processes are a group of their own, so that they can be killed together.
        if let Some(id) = self.child.id() {
            let killed = std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{id}")])
                .stderr(Stdio::null())
                .status();
            drop(killed);
        }
    }
}

impl Database {
    pub(crate) async fn start(setting: OwnDatabase) -> Result<Self, Failure> {
        let mut database = Self {
            child: spawn(&setting)?,
            setting,
        };
        let began = Instant::now();
        while !is_ready(&database.setting).await {
            if began.elapsed() > START_LIMIT {
                return Err("the database does not come up".into());
            }
            // Memory of the killed one may be in use for a moment longer; then the new one gives up at once.
            if database.child.try_wait()?.is_some() {
                database.child = spawn(&database.setting)?;
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(database)
    }

    /// Ends every process of it at once, without a word.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        let id = self.child.id().ok_or("the database is gone already")?;
        let killed = Command::new("kill")
            .args(["-KILL", "--", &format!("-{id}")])
            .status()
            .await?;
        if !killed.success() {
            return Err("the database cannot be killed".into());
        }
        self.child.wait().await?;
        Ok(())
    }

    /// Starts it again on the data it has, and waits until it has recovered.
    pub(crate) async fn again(&mut self) -> Result<(), Failure> {
        *self = Self::start(self.setting.clone()).await?;
        Ok(())
    }
}

fn command(line: &[String]) -> Result<Command, Failure> {
    let (program, arguments) = line.split_first().ok_or("a command line without a program")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command)
}

fn spawn(setting: &OwnDatabase) -> Result<Child, Failure> {
    let mut command = command(&setting.command)?;
    command.current_dir(&setting.folder).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    Ok(command.spawn()?)
}

async fn is_ready(setting: &OwnDatabase) -> bool {
    let Ok(mut command) = command(&setting.ready) else {
        return false;
    };
    command.status().await.is_ok_and(|status| status.success())
}
