//! `cargo xtask test`: every suite, one number at the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::run_shown;
use crate::servers::{ChatServer, MongoServer, PostgresServer};
use crate::tally::Tally;
use crate::tools::{self, Missing};
use crate::{Failure, TestOptions, conformance, protocol, root};

/// Building from nothing is slow on two cores; a run that hangs still ends.
const RUST_LIMIT: Duration = Duration::from_secs(45 * 60);
const WIRE_LIMIT: Duration = Duration::from_secs(6 * 60);
const BROWSER_LIMIT: Duration = Duration::from_secs(6 * 60);

/// Runs the suites; whether nothing failed.
pub(crate) fn run(options: &TestOptions) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut report = Report::default();
    if options.quick {
        report.add("Rust tests", rust_tests(None)?);
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
                report.conformance = conformance::counts();
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
        Self { postgres, mongodb }
    }

    /// Names of those that are there, and so have to be used.
    fn names(&self) -> Vec<&'static str> {
        let postgres = self.postgres.iter().map(|_| "postgres");
        postgres.chain(self.mongodb.iter().map(|_| "mongodb")).collect()
    }
}

/// What every suite came to.
#[derive(Debug, Default)]
struct Report {
    suites: Vec<(String, Tally)>,
    /// Conformance cases that ran, by the tests of a store.
    conformance: Vec<(String, u64)>,
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
        for (store, cases) in &self.conformance {
            println!("{:<28} {cases} cases passed", format!("conformance: {store}"));
        }
        println!("in {} s\n", began.elapsed().as_secs());
        println!("{all}");
        all.failed == 0 && all.passed > 0
    }
}

fn rust_tests(servers: Option<(&Path, &Backends)>) -> Result<Tally, Failure> {
    conformance::forget();
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
        stores.extend(backends.postgres.iter().map(|_| "postgres"));
        for store in stores {
            let schema = format!("chat_wire_{}", std::process::id());
            let settings = match &backends.postgres {
                Some(postgres) if store == "postgres" => vec![
                    ("DATABASE_URL", postgres.url.clone()),
                    ("CHAT_DATABASE_SCHEMA", schema.clone()),
                ],
                _ => Vec::new(),
            };
            let tally = match ChatServer::start(server, store, &settings) {
                Ok(server) => node_tests(&node, &wire, &files, &server)?,
                Err(failure) => {
                    println!("{failure}");
                    Tally::FAILED
                }
            };
            if let (Some(postgres), false) = (&backends.postgres, settings.is_empty()) {
                postgres.drop_schema(&schema);
            }
            report.add(format!("wire scenarios on {store}"), tally);
        }
    }
    if options.wire.is_none() && !options.browser {
        protocol_suites(report)?;
    }
    if options.wire.is_none() {
        report.add("page without a browser", page_tests(&node)?);
        in_a_browser(options, &node, server, report)?;
    }
    Ok(())
}

/// The official protocol suites, where somebody says that he has them. What they look at is tested without them as well,
/// in `chat-adapters/socketio/tests`.
fn protocol_suites(report: &mut Report) -> Result<(), Failure> {
    match std::env::var_os("CHAT_PROTOCOL_SUITES") {
        None => println!("\nCHAT_PROTOCOL_SUITES names no folder: the official protocol suites were not run"),
        Some(suites) => {
            for (name, tally) in protocol::tallies(Path::new(&suites))? {
                report.add(name, tally);
            }
        }
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

fn node_tests(node: &Path, folder: &Path, files: &[PathBuf], server: &ChatServer) -> Result<Tally, Failure> {
    let mut command = Command::new(node);
    command.args(["--test", "--test-reporter=spec"]);
    // Scenarios mostly wait; several files at a time, where this Node can.
    if tools::node_knows(node, "--test-concurrency") {
        command.arg("--test-concurrency=4");
    }
    command
        .args(files)
        .env("BASE_URL", &server.url)
        .env("CHAT_JWT_SECRET", &server.secret);
    let outcome = run_shown(&mut command, folder, WIRE_LIMIT)?;
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
