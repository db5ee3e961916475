//! Child processes that never outlive the task: each is the head of its own process group, and whatever ends the
//! task ends the groups and removes the temporary folders.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Failure;

static STOPPING: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn running() -> std::sync::MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process group of ours; dropping it ends the group.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts a command as the head of a new process group, without input.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        command.stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let name = command.get_program().to_string_lossy().into_owned();
        // Held until the group is known, so that whoever stops everything finds it or comes first.
        let mut groups = running();
        if STOPPING.load(Ordering::SeqCst) {
            return Err("stopping".into());
        }
        let child = command
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        groups.push(child.id());
        Ok(Self { child })
    }

    /// The process itself.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for its end, at most so long; `None` when it had to be ended.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<Option<bool>, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status.success()));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.child.id();
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            signal(id, "TERM");
            if !matches!(self.wait(Duration::from_secs(10)), Ok(Some(_))) {
                signal(id, "KILL");
                drop(self.child.wait());
            }
        }
        // Children of a head that has ended are ours as well.
        signal(id, "KILL");
        running().retain(|other| *other != id);
    }
}

/// Sends a signal to a process group we started.
fn signal(group: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), "--", &format!("-{group}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    drop(sent);
}

/// Ends every group that is still there and removes every temporary folder.
pub(crate) fn stop_everything() {
    let groups: Vec<u32> = {
        let mut groups = running();
        STOPPING.store(true, Ordering::SeqCst);
        groups.drain(..).collect()
    };
    for group in &groups {
        signal(*group, "TERM");
    }
    if !groups.is_empty() {
        std::thread::sleep(Duration::from_secs(1));
    }
    for group in &groups {
        signal(*group, "KILL");
    }
    for folder in FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // A process that is just being ended may still write there.
        for _ in 0..10 {
            if std::fs::remove_dir_all(&folder).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Resolves when somebody asks the task to stop.
pub(crate) async fn stop_signal() -> &'static str {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => "interrupted",
            _ = terminate.recv() => "terminated",
        }
    }
    #[cfg(not(unix))]
    {
        drop(tokio::signal::ctrl_c().await);
        "interrupted"
    }
}

/// A temporary folder, removed at the end whatever happens.
pub(crate) fn temporary_folder() -> Result<PathBuf, Failure> {
    if STOPPING.load(Ordering::SeqCst) {
        return Err("stopping".into());
    }
    let folder = tempfile::Builder::new().prefix("chat-xtask-").tempdir()?.keep();
    FOLDERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(folder.clone());
    Ok(folder)
}

/// What a command printed, line by line, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether it ended well.
    pub(crate) success: bool,
    /// Everything it printed on both streams.
    pub(crate) lines: Vec<String>,
}

/// Runs a command in `folder`, shows what it prints and keeps it.
pub(crate) fn run_shown(command: &mut Command, folder: &Path, limit: Duration) -> Result<Outcome, Failure> {
    let name = describe(command);
    println!("\n> {name}");
    command
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut group = Group::start(command)?;
    let stdout = group.child().stdout.take().map(|pipe| echo(pipe, false));
    let stderr = group.child().stderr.take().map(|pipe| echo(pipe, true));
    let ended = group.wait(limit)?;
    if ended.is_none() {
        println!("{name} took longer than {} s and was ended", limit.as_secs());
    }
    drop(group);
    let mut lines = Vec::new();
    for reader in [stdout, stderr].into_iter().flatten() {
        lines.extend(reader.join().unwrap_or_default());
    }
    Ok(Outcome {
        success: ended == Some(true),
        lines,
    })
}

/// Runs a command whose output is passed through; whether it ended well.
pub(crate) fn run_plain(command: &mut Command, folder: &Path, limit: Duration) -> Result<bool, Failure> {
    println!("\n> {}", describe(command));
    command.current_dir(folder);
    Ok(Group::start(command)?.wait(limit)? == Some(true))
}

fn echo(pipe: impl Read + Send + 'static, to_stderr: bool) -> std::thread::JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut lines = Vec::new();
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            // A closed terminal must not end the tests.
            drop(if to_stderr {
                std::io::stderr().write_all(&line)
            } else {
                std::io::stdout().write_all(&line)
            });
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
        lines
    })
}

fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
