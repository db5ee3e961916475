//! `cargo xtask test`: every suite, one number at the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::by_store::{self, ByStore, Suite};
use crate::process::run_shown;
use crate::servers::{ChatServer, MongoServer, PostgresServer, redis_program};
use crate::tally::Tally;
use crate::tools::{self, Missing};
use crate::{Failure, TestOptions, protocol, root, schemathesis};

/// Building from nothing is slow on two cores; a run that hangs still ends.
const RUST_LIMIT: Duration = Duration::from_secs(45 * 60);
const WIRE_LIMIT: Duration = Duration::from_secs(6 * 60);
/// The stand-in for MongoDB takes its time.
const SLOW_WIRE_LIMIT: Duration = Duration::from_secs(15 * 60);
const BROWSER_LIMIT: Duration = Duration::from_secs(6 * 60);

/// Wire scenarios that run on the stand-in for MongoDB: those that are about what is kept. The others are about sockets,
/// tokens, limits and shapes, which no store changes. A real server, named in `MONGODB_URL`, runs all of them.
const ON_THE_STAND_IN: [&str; 19] = [
    "attachments",
    "blocking",
    "deletions",
    "delivery",
    "direct",
    "disappearing",
    "edits",
    "forwarding",
    "group",
    "idempotency",
    "inbox",
    "lists",
    "messages",
    "pins",
    "reactions",
    "scheduled",
    "search",
    "stars",
    "sync",
];

/// Runs the suites; whether nothing failed.
pub(crate) fn run(options: &TestOptions) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut report = Report::default();
    if options.quick {
        report.add("Rust tests", rust_tests(None)?);
        report.by_store.add_report(&["postgres", "mongodb"]);
    } else if options.wire.is_some() || options.browser {
        let server = tools::build_program("chat-server")?;
        let backends = if options.browser {
            Backends::default()
        } else {
            Backends::start(options, &mut report)
        };
        over_the_wire(options, &server, &backends, &mut report)?;
    } else {
        match tools::build_program("chat-server") {
            Ok(server) => {
                let backends = Backends::start(options, &mut report);
                report.add("Rust tests", rust_tests(Some((&server, &backends)))?);
                report.by_store.add_report(&backends.absent());
                report.add("doctests", doctests()?);
                over_the_wire(options, &server, &backends, &mut report)?;
            }
            Err(failure) => {
                println!("{failure}");
                report.add("build of chat-server", Tally::FAILED);
            }
        }
    }
    Ok(report.close(began))
}

/// Servers that stores need.
#[derive(Debug, Default)]
struct Backends {
    postgres: Option<PostgresServer>,
    mongodb: Option<MongoServer>,
    /// The program of a Redis server: its tests start their own, and end them.
    redis: Option<PathBuf>,
}

impl Backends {
    /// Starts them; what is not there counts as its options say.
    fn start(options: &TestOptions, report: &mut Report) -> Self {
        let postgres = match PostgresServer::start() {
            Ok(server) => Some(server),
            Err(missing) => {
                report.missing("PostgreSQL", &missing, options);
                None
            }
        };
        let mongodb = match MongoServer::start() {
            Ok(server) => Some(server),
            Err(missing) => {
                report.missing("MongoDB", &missing, options);
                None
            }
        };
        let redis = match redis_program() {
            Ok(program) => Some(program),
            Err(missing) => {
                report.missing("Redis", &missing, options);
                None
            }
        };
        Self {
            postgres,
            mongodb,
            redis,
        }
    }

    /// Names of those that are there, and so have to be used.
    fn names(&self) -> Vec<&'static str> {
        let postgres = self.postgres.iter().map(|_| "postgres");
        postgres.chain(self.mongodb.iter().map(|_| "mongodb")).collect()
    }

    /// Names of those that are not there.
    fn absent(&self) -> Vec<&'static str> {
        let there = self.names();
        let all = ["postgres", "mongodb"].into_iter();
        all.filter(|name| !there.contains(name)).collect()
    }
}

/// What every suite came to.
#[derive(Debug, Default)]
struct Report {
    suites: Vec<(String, Tally)>,
    by_store: ByStore,
    /// What did not run, and why.
    left_out: Vec<String>,
}

impl Report {
    fn add(&mut self, name: impl Into<String>, tally: Tally) {
        self.suites.push((name.into(), tally));
    }

    /// A suite that could not run.
    fn missing(&mut self, name: impl Into<String>, missing: &Missing, options: &TestOptions) {
        println!("\n{}", missing.0);
        self.add(
            name,
            if options.allow_missing {
                Tally::SKIPPED
            } else {
                println!("(--allow-missing counts it as skipped)");
                Tally::FAILED
            },
        );
    }

    /// Prints it; whether nothing failed.
    fn close(&self, began: Instant) -> bool {
        println!();
        let mut all = Tally::default();
        for (name, tally) in &self.suites {
            println!("{name:<28} {tally}");
            all.add(*tally);
        }
        println!("\n{}", self.by_store);
        for what in &self.left_out {
            println!("{what}");
        }
        println!("in {} s\n", began.elapsed().as_secs());
        println!("{all}");
        all.failed == 0 && all.passed > 0
    }
}

fn rust_tests(servers: Option<(&Path, &Backends)>) -> Result<Tally, Failure> {
    by_store::forget_report();
    let nextest = tools::has_cargo_command("nextest");
    let mut command = tools::cargo();
    command.args(if nextest {
        ["nextest", "run", "--workspace"]
    } else {
        ["test", "--workspace", "--no-fail-fast"]
    });
    if !nextest {
        command.args(["--lib", "--bins", "--tests"]);
    }
    match servers {
        Some((server, backends)) => {
            let mut required = vec!["server"];
            required.extend(backends.names());
            if backends.postgres.as_ref().is_some_and(PostgresServer::is_ours) {
                required.push("postgres-programs");
            }
            if backends.mongodb.as_ref().is_some_and(MongoServer::is_ours) {
                required.push("mongodb-program");
            }
            if let Some(program) = &backends.redis {
                required.push("redis-program");
                command.env("CHAT_TEST_REDIS_PROGRAM", program);
            }
            command
                .env("CHAT_SERVER_BIN", server)
                .env("CHAT_REQUIRE", required.join(","));
            if let Some(postgres) = &backends.postgres {
                command.env("CHAT_TEST_DATABASE_URL", &postgres.url);
            }
            if let Some(mongodb) = &backends.mongodb {
                command.env("CHAT_TEST_MONGODB_URL", &mongodb.url);
            }
            if let Some(program) = backends
                .mongodb
                .as_ref()
                .and_then(|server| server.program.as_ref())
            {
                command.env("CHAT_TEST_MONGODB_PROGRAM", program);
            }
        }
        None => {
            // What starts servers is not for the inner loop.
            command.args(["--exclude", "chat-server"]);
            if nextest {
                command.args(["-E", "not test(/crash/)"]);
            } else {
                command.args(["--", "--skip", "crash"]);
            }
        }
    }
    let outcome = run_shown(&mut command, &root(), RUST_LIMIT)?;
    let tally = if nextest {
        Tally::of_nextest(&outcome.lines)
    } else {
        Tally::of_libtest(&outcome.lines)
    };
    Ok(tally.judged(outcome.success))
}

fn doctests() -> Result<Tally, Failure> {
    let mut command = tools::cargo();
    command.args(["test", "--workspace", "--doc", "--no-fail-fast"]);
    let outcome = run_shown(&mut command, &root(), RUST_LIMIT)?;
    Ok(Tally::of_libtest(&outcome.lines).judged(outcome.success))
}

/// The suites that talk to a running server.
fn over_the_wire(
    options: &TestOptions,
    server: &Path,
    backends: &Backends,
    report: &mut Report,
) -> Result<(), Failure> {
    let wire = root().join("tests/wire");
    let node = match tools::node().and_then(|node| tools::node_packages(&wire).map(|()| node)) {
        Ok(node) => node,
        Err(missing) => {
            report.missing("wire scenarios", &missing, options);
            return Ok(());
        }
    };
    if !options.browser {
        let files = scripts(&wire, ".test.mjs", options.wire.as_deref())?;
        let mut stores = vec!["sqlite", "memory"];
        stores.extend(backends.names());
        for store in stores {
            let schema = format!("chat_wire_{}", std::process::id());
            let settings = match (store, &backends.postgres, &backends.mongodb) {
                ("postgres", Some(postgres), _) => vec![
                    ("DATABASE_URL", postgres.url.clone()),
                    ("CHAT_DATABASE_SCHEMA", schema.clone()),
                ],
                ("mongodb", _, Some(mongodb)) => vec![("MONGODB_URL", mongodb.database(&schema))],
                _ => Vec::new(),
            };
            let is_stand_in =
                store == "mongodb" && backends.mongodb.as_ref().is_some_and(MongoServer::is_ours);
            let (files, left_out) = if is_stand_in && options.wire.is_none() {
                split(&files)
            } else {
                (files.clone(), Vec::new())
            };
            if !left_out.is_empty() {
                let names = left_out.join(", ");
                let what = format!("left out of the wire scenarios on the stand-in for MongoDB: {names}");
                println!("\n{what}");
                report.left_out.push(what);
            }
            let tally = match ChatServer::start(server, store, &settings) {
                Ok(server) => node_tests(&node, &wire, &files, &server, is_stand_in)?,
                Err(failure) => {
                    println!("{failure}");
                    Tally::FAILED
                }
            };
            match (store, &backends.postgres, &backends.mongodb) {
                ("postgres", Some(postgres), _) => postgres.drop_schema(&schema),
                ("mongodb", _, Some(mongodb)) if !mongodb.is_ours() => {
                    println!(
                        "the database {schema} on the server of MONGODB_URL stays; drop it when you like"
                    );
                }
                _ => {}
            }
            report.by_store.add(Suite::Wire, store, tally);
            report.add(format!("wire scenarios on {store}"), tally);
        }
    }
    if options.wire.is_none() && !options.browser {
        match schemathesis::short(server) {
            Ok(roles) => {
                let mut all = Tally::default();
                roles.into_iter().for_each(|role| all.add(role));
                report.add("answers as documented", all);
            }
            Err(missing) => report.missing("answers as documented", &missing, options),
        }
        protocol_suites(options, report)?;
    }
    if options.wire.is_none() {
        report.add("page without a browser", page_tests(&node)?);
        in_a_browser(options, &node, server, report)?;
    }
    Ok(())
}

/// The official protocol suites.
fn protocol_suites(options: &TestOptions, report: &mut Report) -> Result<(), Failure> {
    match protocol::tallies() {
        Ok(tallies) => {
            for (name, tally) in tallies? {
                report.add(name, tally);
            }
        }
        Err(missing) => report.missing("official protocol suites", &missing, options),
    }
    Ok(())
}

/// Parts of the page that run without a browser.
fn page_tests(node: &Path) -> Result<Tally, Failure> {
    let folder = root().join("tests/browser");
    let files = scripts(&folder, ".test.mjs", None)?;
    if files.is_empty() {
        return Ok(Tally::default());
    }
    let mut command = Command::new(node);
    command.args(["--test", "--test-reporter=spec"]).args(&files);
    let outcome = run_shown(&mut command, &folder, BROWSER_LIMIT)?;
    Ok(Tally::of_node(&outcome.lines).judged(outcome.success))
}

/// The page of the server in a real browser: one script, one test.
fn in_a_browser(
    options: &TestOptions,
    node: &Path,
    server: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let name = "browser test";
    let folder = root().join("tests/browser");
    let chromium = match tools::node_packages(&folder).and_then(|()| tools::chromium()) {
        Ok(chromium) => chromium,
        Err(missing) => {
            report.missing(name, &missing, options);
            return Ok(());
        }
    };
    let tally = match ChatServer::start(server, "sqlite", &[]) {
        Ok(server) => {
            let mut command = Command::new(node);
            command
                .args(["chat.mjs", "--base", &server.url, "--chromium"])
                .arg(chromium)
                .env("CHAT_JWT_SECRET", &server.secret);
            let outcome = run_shown(&mut command, &folder, BROWSER_LIMIT)?;
            if outcome.success {
                Tally::PASSED
            } else {
                Tally::FAILED
            }
        }
        Err(failure) => {
            println!("{failure}");
            Tally::FAILED
        }
    };
    report.add(name, tally);
    Ok(())
}

/// Files that run on the stand-in for MongoDB, and the names of the others.
fn split(files: &[PathBuf]) -> (Vec<PathBuf>, Vec<String>) {
    let name = |file: &PathBuf| file.to_string_lossy().replace(".test.mjs", "");
    let (run, left_out): (Vec<_>, Vec<_>) = files
        .iter()
        .cloned()
        .partition(|file| ON_THE_STAND_IN.contains(&name(file).as_str()));
    (run, left_out.iter().map(name).collect())
}

fn node_tests(
    node: &Path,
    folder: &Path,
    files: &[PathBuf],
    server: &ChatServer,
    is_slow: bool,
) -> Result<Tally, Failure> {
    let mut command = Command::new(node);
    command.args(["--test", "--test-reporter=spec"]);
    // Scenarios mostly wait; several files at a time, where this Node can.
    if tools::node_knows(node, "--test-concurrency") {
        command.arg(if is_slow {
            "--test-concurrency=2"
        } else {
            "--test-concurrency=4"
        });
    }
    // Of everything that is waited for, so many times as long.
    command.env("CHAT_WIRE_PATIENCE", if is_slow { "4" } else { "1" });
    command
        .args(files)
        .env("BASE_URL", &server.url)
        .env("CHAT_JWT_SECRET", &server.secret);
    let limit = if is_slow { SLOW_WIRE_LIMIT } else { WIRE_LIMIT };
    let outcome = run_shown(&mut command, folder, limit)?;
    Ok(Tally::of_node(&outcome.lines).judged(outcome.success))
}

/// Files of a folder by the end of their name, in order; those with `part` in their name.
fn scripts(folder: &Path, end: &str, part: Option<&str>) -> Result<Vec<PathBuf>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(end) && part.is_none_or(|part| name.contains(part)) {
            names.push(PathBuf::from(name));
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that no file has would leave a file out unseen.
    #[test]
    fn what_runs_on_the_stand_in_is_there() {
        let files = scripts(&root().join("tests/wire"), ".test.mjs", None).unwrap();
        let (run, left_out) = split(&files);
        assert_eq!(run.len(), ON_THE_STAND_IN.len());
        assert_eq!(run.len() + left_out.len(), files.len());
    }
}
