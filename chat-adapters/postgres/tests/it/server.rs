//! A server of a test's own, for tests that end it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server on a private port, with its data in a temporary folder; ended when it is dropped.
#[derive(Debug)]
pub struct OwnServer {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    running: Option<Child>,
}

impl OwnServer {
    /// Starts one with these settings; `None` where there are no server programs.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        if let Some((name, _)) = other_account() {
            run(Command::new("chown").arg(name).arg(folder.path()));
        }
        run(account(&programs.join("initdb"))
            .args(["-U", "chat", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
            .arg(folder.path().join("data")));
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut server = Self {
            programs,
            folder,
            port,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            running: None,
        };
        server.again();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://chat@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends every process of it at once, without a word.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            let group = format!("-{}", child.id());
            run(Command::new("kill").args(["-KILL", "--", &group]));
            child.wait().unwrap();
        }
    }

    /// Starts it with the data it has, and waits until it has recovered.
    pub fn again(&mut self) {
        let mut command = account(&self.programs.join("postgres"));
        command
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=on"])
            .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let began = Instant::now();
        self.running = Some(command.spawn().unwrap());
        loop {
            let ready = Command::new(self.programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .unwrap();
            if ready.success() {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the server does not come up"
            );
            // Memory of the killed one may be in use for a moment longer; then the new one gives up at once.
            if let Some(child) = &mut self.running
                && child.try_wait().unwrap().is_some()
            {
                self.running = Some(command.spawn().unwrap());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(command: &mut Command) {
    let done = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "{command:?}");
}

/// On `PATH`, or where Debian has them.
fn programs() -> Option<PathBuf> {
    let is_whole = |folder: &Path| {
        ["initdb", "postgres", "pg_isready"]
            .iter()
            .all(|program| folder.join(program).is_file())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let linked = std::env::split_paths(&path)
        .map(|folder| folder.join("initdb"))
        .find(|file| file.is_file())
        .and_then(|file| Some(file.canonicalize().ok()?.parent()?.to_path_buf()));
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"));
    linked.into_iter().chain(debian).find(|folder| is_whole(folder))
}

/// The account and group to leave root for: the server refuses to be root.
fn other_account() -> Option<(String, String)> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    ["postgres", "nobody"].into_iter().find_map(|name| {
        let line = accounts
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")))?;
        Some((name.to_owned(), line.split(':').nth(3)?.to_owned()))
    })
}

fn account(program: &Path) -> Command {
    let Some((name, group)) = other_account() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={name}"), format!("--regid={group}")])
        .args(["--clear-groups", "--no-new-privs"])
        .arg(program);
    command
}
