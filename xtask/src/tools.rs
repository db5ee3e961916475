//! Finding and installing what the tests need beside Rust: Node and its packages, a browser.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::process::{run_plain, run_shown};

/// A tool that is not there and could not be had, with what to do about it.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

/// A program on `PATH`.
pub(crate) fn on_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name.as_ref()))
        .find(|file| file.is_file())
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Whether Debian packages can be installed: `apt-get` is there and we are root.
fn can_install_packages() -> bool {
    on_path("apt-get").is_some() && is_root()
}

/// Installs Debian packages; `false` when it cannot be done.
pub(crate) fn install_packages(names: &[&str]) -> bool {
    if !can_install_packages() {
        return false;
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run_shown(&mut command, Path::new("/"), Duration::from_secs(600)).is_ok_and(|outcome| outcome.success)
    };
    let install: Vec<&str> = ["install", "--yes", "--no-install-recommends"]
        .into_iter()
        .chain(names.iter().copied())
        .collect();
    apt(&install) || (apt(&["update"]) && apt(&install))
}

/// Node 20 or later.
pub(crate) fn node() -> Result<PathBuf, Missing> {
    if let Some(node) = on_path("node") {
        return Ok(node);
    }
    println!("node is not on PATH; trying the Debian packages nodejs and npm");
    install_packages(&["nodejs", "npm"]);
    on_path("node").ok_or_else(|| {
        Missing(
            "node is missing: install Node.js 20 or later and npm (Debian: apt-get install nodejs npm)"
                .to_owned(),
        )
    })
}

/// Whether this Node has an option.
pub(crate) fn node_knows(node: &Path, option: &str) -> bool {
    Command::new(node)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains(option))
}

/// A Chromium: `CHROMIUM`, one on `PATH`, or the Debian package.
pub(crate) fn chromium() -> Result<PathBuf, Missing> {
    let named = std::env::var_os("CHROMIUM")
        .map(PathBuf::from)
        .filter(|file| file.is_file());
    let find = || {
        [
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
        ]
        .iter()
        .find_map(on_path)
    };
    if let Some(found) = named.or_else(find) {
        return Ok(found);
    }
    println!("no Chromium on PATH; trying the Debian package chromium");
    install_packages(&["chromium"]);
    find().ok_or_else(|| {
        Missing(
            "Chromium is missing: install it (Debian: apt-get install chromium) or name it in CHROMIUM"
                .to_owned(),
        )
    })
}

/// The Node packages of a folder, as its lock file says. Nothing is fetched when they are there already.
pub(crate) fn node_packages(folder: &Path) -> Result<(), Missing> {
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules").join(".package-lock.json");
    let time = |file: &Path| file.metadata().and_then(|data| data.modified()).ok();
    let wanted = time(&lock).or_else(|| time(&folder.join("package.json")));
    if let (Some(wanted), Some(installed)) = (wanted, time(&installed))
        && installed >= wanted
    {
        return Ok(());
    }
    let missing = |why: &str| {
        Missing(format!(
            "the Node packages of {} are missing: {why}",
            folder.display()
        ))
    };
    if on_path("npm").is_none() {
        install_packages(&["npm"]);
    }
    let Some(npm) = on_path("npm") else {
        return Err(missing("npm is not on PATH (Debian: apt-get install npm)"));
    };
    let mut command = Command::new(npm);
    command.args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
    ]);
    match run_plain(&mut command, folder, Duration::from_secs(300)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(missing("npm ci failed; run it there once while online")),
        Err(failure) => Err(missing(&failure.to_string())),
    }
}

/// A program of a Python package, in an environment of the repository's own, made once per version.
pub(crate) fn python_program(package: &str, version: &str, program: &str) -> Result<PathBuf, Missing> {
    let environment = crate::root()
        .join("target")
        .join(format!("python-{package}-{version}"));
    let program = environment.join("bin").join(program);
    if program.is_file() {
        return Ok(program);
    }
    let missing = |why: &str| {
        Missing(format!(
            "{package} {version} be installed with Python 3.10 or later ({why})"
        ))
    };
    println!("\n> python3 -m venv {}", environment.display());
    let make = || {
        let python = on_path("python3")?;
        let mut command = Command::new(python);
        command.args(["-m", "venv", "--clear"]).arg(&environment);
        run_shown(&mut command, &crate::root(), Duration::from_secs(60))
            .is_ok_and(|outcome| outcome.success)
            .then_some(())
    };
    if make().is_none() {
        install_packages(&["python3", "python3-venv"]);
        make().ok_or_else(|| missing("Debian: apt-get install python3 python3-venv"))?;
    }
    let mut command = Command::new(environment.join("bin/python"));
    command
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("{package}=={version}"));
    match run_shown(&mut command, &crate::root(), Duration::from_secs(300)) {
        Ok(outcome) if outcome.success && program.is_file() => Ok(program),
        _ => Err(missing(
            "pip could not install it; run the tests once while online",
        )),
    }
}

/// The `cargo` that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Whether `cargo <name>` is there.
pub(crate) fn has_cargo_command(name: &str) -> bool {
    on_path(format!("cargo-{name}")).is_some()
        || home_cargo().is_some_and(|bin| bin.join(format!("cargo-{name}")).is_file())
}

fn home_cargo() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))?;
    Some(home.join("bin"))
}

/// Builds a program of the workspace and says where it is.
pub(crate) fn build_program(package: &str) -> Result<PathBuf, Failure> {
    build(package, package, &[])
}

/// Builds an example of a package and says where it is.
pub(crate) fn build_example(package: &str, example: &str) -> Result<PathBuf, Failure> {
    build(package, example, &["--example", example])
}

fn build(package: &str, target: &str, which: &[&str]) -> Result<PathBuf, Failure> {
    println!("\n> cargo build --package {package} {}", which.join(" "));
    let output = cargo()
        .args(["build", "--package", package])
        .args(which)
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(crate::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{package} does not build").into());
    }
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .filter(|message| message.pointer("/target/name").and_then(|name| name.as_str()) == Some(target))
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .ok_or_else(|| format!("{package} has no program {target}").into())
}
