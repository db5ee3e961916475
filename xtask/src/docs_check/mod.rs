//! Documents that cannot rot: what they name must exist, and what the contract has must be tested.

mod named_tests;
mod surface;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, root};

/// Runs every check; whether all passed.
pub(crate) fn run() -> Result<bool, Failure> {
    println!("\n> document checks");
    let files = tracked_files()?;
    let mut problems = Vec::new();
    let features = named_tests::rows("docs/features.md", &mut problems);
    named_tests::rows("docs/guarantees.md", &mut problems);
    surface::check(&files, &features, &mut problems)?;
    links(&files, &mut problems)?;
    machine_names(&files, &mut problems)?;
    for problem in &problems {
        println!("  {problem}");
    }
    println!("{} problems in documents", problems.len());
    Ok(problems.is_empty())
}

/// Files under version control, relative to the root.
fn tracked_files() -> Result<Vec<PathBuf>, Failure> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()?;
    if !output.status.success() {
        return Err("git ls-files failed".into());
    }
    Ok(output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
        .filter(|file| root().join(file).is_file())
        .collect())
}

fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(root().join(file)).ok()
}

/// Links between documents lead somewhere.
fn links(files: &[PathBuf], problems: &mut Vec<String>) -> Result<(), Failure> {
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
    {
        let Some(text) = read(file) else { continue };
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains(':') || path.contains(' ') {
                continue;
            }
            let folder = root().join(file.parent().unwrap_or(Path::new("")));
            if !folder.join(path).exists() {
                problems.push(format!("{}: the link to {path} leads nowhere", file.display()));
            }
        }
    }
    Ok(())
}

/// No path of somebody's machine, no host of somebody's package registry.
fn machine_names(files: &[PathBuf], problems: &mut Vec<String>) -> Result<(), Failure> {
    // Put together here, so that this file does not name them itself.
    let forbidden = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
        concat!("/Us", "ers/"),
        concat!("\"reso", "lved\": \"http"),
        concat!("registry.npm", "js.org"),
    ];
    for file in files {
        let Some(text) = read(file) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(name) = forbidden.iter().find(|name| line.contains(**name)) {
                problems.push(format!("{}:{}: names {name}", file.display(), number + 1));
            }
            let foreign = line.strip_prefix("source = \"registry+");
            if foreign.is_some_and(|url| !url.starts_with("https://github.com/rust-lang/crates.io-index")) {
                problems.push(format!("{}:{}: names a registry", file.display(), number + 1));
            }
        }
    }
    Ok(())
}
