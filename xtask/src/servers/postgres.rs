//! A PostgreSQL server: the one `DATABASE_URL` names, or one of our own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{free_port, secret};
use crate::Failure;
use crate::process::{Group, run_shown, temporary_folder};
use crate::tools::{Missing, install_packages, is_root, on_path};

const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that runs until this is dropped, unless it is somebody else's.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    group: Option<Group>,
    /// `postgres://user:password@127.0.0.1:port/database`
    pub(crate) url: String,
    psql: Option<PathBuf>,
}

impl PostgresServer {
    /// The server `DATABASE_URL` names, or a fresh one.
    pub(crate) fn start() -> Result<Self, Missing> {
        let given = std::env::var("DATABASE_URL").unwrap_or_default();
        if given.starts_with("postgres") {
            return Ok(Self {
                group: None,
                url: given,
                psql: on_path("psql"),
            });
        }
        let programs = programs()?;
        Self::own(&programs)
            .map_err(|failure| Missing(format!("a PostgreSQL server cannot be started: {failure}")))
    }

    fn own(programs: &Path) -> Result<Self, Failure> {
        let prepared = Prepared::new(programs)?;
        let mut command = Command::new(&prepared.program);
        command
            .args(&prepared.arguments)
            .current_dir(&prepared.folder)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(prepared.folder.join("log"))?);
        let mut group = Group::start(&mut command)?;
        let began = Instant::now();
        while !prepared.is_ready() {
            if group.child().try_wait()?.is_some() || began.elapsed() > START_LIMIT {
                let log = std::fs::read_to_string(prepared.folder.join("log")).unwrap_or_default();
                return Err(format!("it did not come up: {}", log.trim()).into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(Self {
            group: Some(group),
            url: prepared.url,
            psql: Some(programs.join("psql")),
        })
    }

    /// Whether we started it, from programs of this machine.
    pub(crate) const fn is_ours(&self) -> bool {
        self.group.is_some()
    }

    /// Removes a schema; only needed where the server outlives us.
    pub(crate) fn drop_schema(&self, schema: &str) {
        let dropped = self.psql.as_ref().is_some_and(|psql| {
            Command::new(psql)
                .args(["--quiet", "--no-psqlrc", "--dbname", &self.url, "--command"])
                .arg(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        });
        if !dropped && self.group.is_none() {
            println!("the schema {schema} of DATABASE_URL could not be removed");
        }
    }
}

/// A server of our own before its first start: its data are there.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) folder: PathBuf,
    /// `postgres://user:password@127.0.0.1:port/database`
    pub(crate) url: String,
    /// The program and its arguments that succeed once it takes connections.
    pub(crate) ready: Vec<String>,
}

impl Prepared {
    /// Makes the data of a server, for somebody who starts and ends it himself.
    pub(crate) fn fresh() -> Result<Self, Missing> {
        Self::new(&programs()?)
            .map_err(|failure| Missing(format!("a PostgreSQL server cannot be prepared: {failure}")))
    }

    fn new(programs: &Path) -> Result<Self, Failure> {
        let folder = temporary_folder()?;
        let (data, password_file) = (folder.join("data"), folder.join("password"));
        let password = secret();
        std::fs::write(&password_file, &password)?;
        let account = Account::of_this_process()?;
        account.own(&folder)?;
        let initdb = |locale: &str| -> Result<bool, Failure> {
            let mut command = account.command(&programs.join("initdb"))?;
            command
                .args([
                    "--username=chat",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    locale,
                ])
                .arg(format!("--pwfile={}", password_file.display()))
                .arg(format!("--pgdata={}", data.display()));
            Ok(run_shown(&mut command, &folder, START_LIMIT)?.success)
        };
        // Character classes decide what the search index knows as letters; not every system has this locale.
        if !initdb("--locale=C.UTF-8")? && !initdb("--no-locale")? {
            return Err("initdb failed".into());
        }
        let port = free_port()?;
        let mut command = account.command(&programs.join("postgres"))?;
        command
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "fsync=on"])
            .args(["-c", "max_connections=300"]);
        let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
        Ok(Self {
            program: command.get_program().into(),
            arguments: command.get_args().map(text).collect(),
            folder,
            url: format!("postgres://chat:{password}@127.0.0.1:{port}/postgres"),
            ready: vec![
                text(programs.join("pg_isready").as_os_str()),
                "--quiet".to_owned(),
                "--host=127.0.0.1".to_owned(),
                format!("--port={port}"),
            ],
        })
    }

    fn is_ready(&self) -> bool {
        let Some((program, arguments)) = self.ready.split_first() else {
            return false;
        };
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// The folder of the server's programs: on `PATH`, or where Debian has them; installed when that can be done.
fn programs() -> Result<PathBuf, Missing> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    println!("no PostgreSQL server found; trying the Debian package postgresql");
    install_packages(&["postgresql"]);
    find_programs().ok_or_else(|| {
        Missing(
            "PostgreSQL is missing: install version 14 or later (Debian: apt-get install postgresql), or name a \
             server in DATABASE_URL"
                .to_owned(),
        )
    })
}

fn find_programs() -> Option<PathBuf> {
    let is_whole = |folder: &Path| {
        ["initdb", "postgres", "pg_isready"]
            .iter()
            .all(|program| folder.join(program).is_file())
    };
    // What is on PATH may be a link to one of the programs only.
    let linked = on_path("initdb").and_then(|file| Some(file.canonicalize().ok()?.parent()?.to_path_buf()));
    if let Some(folder) = linked.filter(|folder| is_whole(folder)) {
        return Some(folder);
    }
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(version, folder)| *version >= 14 && is_whole(folder))
        .collect();
    versions.sort();
    versions.pop().map(|(_, folder)| folder)
}

/// The account the server runs under: PostgreSQL refuses to be root.
#[derive(Debug)]
enum Account {
    Own,
    Other {
        name: &'static str,
        /// Number of its group.
        group: String,
    },
}

impl Account {
    fn of_this_process() -> Result<Self, Failure> {
        if !is_root() {
            return Ok(Self::Own);
        }
        let accounts = std::fs::read_to_string("/etc/passwd")?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| {
                let line = accounts
                    .lines()
                    .find(|line| line.starts_with(&format!("{name}:")))?;
                let group = line.split(':').nth(3)?.to_owned();
                Some(Self::Other { name, group })
            })
            .ok_or_else(|| "no account but root to run it under".into())
    }

    /// Makes the account the owner of a folder.
    fn own(&self, folder: &Path) -> Result<(), Failure> {
        if let Self::Other { name, .. } = self {
            let done = Command::new("chown").arg("-R").arg(name).arg(folder).status()?;
            if !done.success() {
                return Err(format!("{name} cannot be made the owner of its folder").into());
            }
        }
        Ok(())
    }

    /// A command that runs under the account, as the very process that is started.
    fn command(&self, program: &Path) -> Result<Command, Failure> {
        let Self::Other { name, group } = self else {
            return Ok(Command::new(program));
        };
        let Some(setpriv) = on_path("setpriv") else {
            return Err("setpriv (util-linux) is needed to leave root".into());
        };
        let mut command = Command::new(setpriv);
        command
            .args([&format!("--reuid={name}"), &format!("--regid={group}")])
            .args(["--clear-groups", "--no-new-privs"])
            .arg(program);
        Ok(command)
    }
}
