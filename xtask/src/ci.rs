//! `cargo xtask ci`: the gate, on a laptop and on a server.

use std::process::Command;
use std::time::Duration;

use crate::process::run_plain;
use crate::tools::{cargo, has_cargo_command};
use crate::{Failure, TestOptions, docs_check, root, test};

const STEP_LIMIT: Duration = Duration::from_secs(40 * 60);

/// Runs every step, also after one has failed, so that one run shows everything; whether all passed.
pub(crate) fn run(options: &TestOptions) -> Result<bool, Failure> {
    let mut failed: Vec<String> = Vec::new();
    for (name, arguments) in [
        ("format", &["fmt", "--all", "--check"][..]),
        (
            "lints",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ],
        ),
        (
            "core without features",
            &["check", "--package", "chat-core", "--no-default-features"],
        ),
        (
            "documentation",
            &["doc", "--workspace", "--no-deps", "--all-features"],
        ),
    ] {
        let mut command: Command = cargo();
        command.args(arguments);
        if name == "documentation" {
            command.env("RUSTDOCFLAGS", "-D warnings");
        }
        if !run_plain(&mut command, &root(), STEP_LIMIT)? {
            failed.push(name.to_owned());
        }
    }
    if has_cargo_command("deny") {
        let mut command = cargo();
        command.args(["deny", "--offline", "check", "bans", "licenses", "sources"]);
        if !run_plain(&mut command, &root(), STEP_LIMIT)? {
            failed.push("licences and sources".to_owned());
        }
    } else {
        println!("\ncargo-deny is not installed: licences and sources were not checked");
    }
    if !docs_check::run()? {
        failed.push("document checks".to_owned());
    }
    if !test::run(options)? {
        failed.push("tests".to_owned());
    }
    if failed.is_empty() {
        println!("everything passed");
    } else {
        println!("failed: {}", failed.join(", "));
    }
    Ok(failed.is_empty())
}
