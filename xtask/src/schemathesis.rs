//! `cargo xtask schemathesis`: does the server keep to its OpenAPI document?

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::process::run_shown;
use crate::servers::ChatServer;
use crate::tally::Tally;
use crate::tools::{Missing, python_program};
use crate::{Failure, root, tools};

const VERSION: &str = "4.32.5";

/// A short run takes seconds; on a machine that does much else at a time, minutes.
const SHORT_LIMIT: Duration = Duration::from_secs(600);

/// As whom it asks: of the conversations that are asked about, one who owns them, one who is in them, one who is not.
const ROLES: [&str; 3] = ["owner", "member", "stranger"];

/// No 5xx, no undocumented status, content type, header or body, no method that works undocumented, no answer without
/// the login that the document asks for. Left out is what a schema cannot say: whether a valid body makes sense.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth";

#[derive(Debug, Args)]
pub(crate) struct SchemathesisOptions {
    /// How long it asks as each role
    #[arg(long, value_name = "N", default_value_t = 120)]
    seconds: u64,
    /// Another seed finds other requests
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// The long run, with every phase; whether nothing was found.
pub(crate) fn run(options: &SchemathesisOptions) -> Result<bool, Failure> {
    let server = tools::build_program("chat-server")?;
    let phases = [
        "--phases".to_owned(),
        "examples,coverage,fuzzing,stateful".to_owned(),
        "--max-time".to_owned(),
        options.seconds.to_string(),
        "--seed".to_owned(),
        options.seed.to_string(),
    ];
    let limit = Duration::from_secs(options.seconds + 300);
    let tallies = ask_as_all(&server, &phases, limit).map_err(|Missing(what)| what)?;
    Ok(tallies.iter().all(|tally| tally.failed == 0))
}

/// The short run of the tests: the same requests every time.
pub(crate) fn short(server: &Path) -> Result<Vec<Tally>, Missing> {
    let phases = [
        "--phases",
        "examples,fuzzing",
        "--max-examples",
        "2",
        "--seed",
        "1",
    ];
    ask_as_all(server, &phases.map(str::to_owned), SHORT_LIMIT)
}

fn ask_as_all(server: &Path, phases: &[String], limit: Duration) -> Result<Vec<Tally>, Missing> {
    let program = python_program("schemathesis", VERSION, "st")
        .map_err(|why| Missing(format!("Schemathesis is missing: let {}", why.0)))?;
    Ok(ROLES
        .iter()
        .map(|role| match ask_as(&program, server, role, phases, limit) {
            Ok(true) => Tally::PASSED,
            Ok(false) => Tally::FAILED,
            Err(failure) => {
                println!("{failure}");
                Tally::FAILED
            }
        })
        .collect())
}

/// Every role gets a server of its own: requests change what is there.
fn ask_as(
    program: &Path,
    server: &Path,
    role: &str,
    phases: &[String],
    limit: Duration,
) -> Result<bool, Failure> {
    let server = ChatServer::start(server, "memory", &[])?;
    let folder = root().join("tests/schemathesis");
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(format!("{}/api/openapi.json", server.url))
        .arg("--url")
        .arg(format!("{}/api", server.url))
        .args(["--checks", CHECKS, "--continue-on-failure", "--no-shrink"])
        .args(["--warnings", "off", "--suppress-health-check", "all"])
        .args(phases)
        .env("BASE_URL", &server.url)
        .env("CHAT_JWT_SECRET", &server.secret)
        .env("CHAT_ROLE", role)
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(run_shown(&mut command, &root().join("target"), limit)?.success)
}
