//! Documents that cannot rot: what they name must exist, and what the contract has must be tested.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Failure, root};

/// Runs every check; whether all passed.
pub(crate) fn run() -> Result<bool, Failure> {
    println!("\n> document checks");
    let files = tracked_files()?;
    let mut problems = Vec::new();
    surface(&files, &mut problems)?;
    for table in ["docs/guarantees.md", "docs/features.md"] {
        named_tests(table, &mut problems)?;
    }
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

/// Every route, socket command and live event has a test that names it.
fn surface(files: &[PathBuf], problems: &mut Vec<String>) -> Result<(), Failure> {
    let data =
        read(Path::new("docs/contract-surface.json")).ok_or("docs/contract-surface.json is missing")?;
    let data: Value = serde_json::from_str(&data)?;
    let list = |name: &str| -> Vec<String> {
        let items = data.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let lines: Vec<String> = files
        .iter()
        .filter(|file| is_test(file))
        .filter_map(|file| read(file))
        .flat_map(|text| text.lines().map(with_open_holes).collect::<Vec<_>>())
        .collect();
    for route in list("routes") {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", &route));
        if !lines.iter().any(|line| names_route(line, method, path)) {
            problems.push(format!("no test names the route {route}"));
        }
    }
    for (kind, what) in [("commands", "socket command"), ("events", "live event")] {
        for name in list(kind) {
            let quoted = [format!("'{name}'"), format!("\"{name}\""), format!("`{name}`")];
            if !lines
                .iter()
                .any(|line| quoted.iter().any(|quoted| line.contains(quoted)))
            {
                problems.push(format!("no test names the {what} {name}"));
            }
        }
    }
    Ok(())
}

fn is_test(file: &Path) -> bool {
    let code = file.extension().is_some_and(|end| end == "rs" || end == "mjs");
    code && file.components().any(|part| part.as_os_str() == "tests")
}

/// The line with `${..}` and `{..}` as `{}`: what is filled in does not matter.
fn with_open_holes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut depth = 0_usize;
    for c in line.chars() {
        match c {
            '{' => {
                if depth == 0 {
                    if out.ends_with('$') {
                        out.pop();
                    }
                    out.push('{');
                }
                depth += 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    out.push('}');
                }
            }
            // Holes hold names and calls; anything longer is an object, whose text counts.
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    if depth > 0 || line.contains("{ ") {
        // Objects on the line: holes without spaces are replaced one by one instead.
        return holes_one_by_one(line);
    }
    out
}

fn holes_one_by_one(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((hole, tail)) if !hole.contains(['{', ' ', '"', '\'', '`']) => {
                if out.ends_with('$') {
                    out.pop();
                }
                out.push_str("{}");
                rest = tail;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a line calls `path` with `method`: the path ends there, and the method stands beside it.
fn names_route(line: &str, method: &str, path: &str) -> bool {
    let lower = line.to_lowercase();
    let method = method.to_lowercase();
    lower.match_indices(path).any(|(at, _)| {
        let before = lower.get(..at).unwrap_or("");
        let after = lower.get(at + path.len()..).unwrap_or("");
        let starts =
            before.is_empty() || before.ends_with(['\'', '"', '`', ' ', '}']) || before.ends_with("/api");
        let ends = after.is_empty() || after.starts_with(['\'', '"', '`', '?', ' ']);
        starts && ends && before.contains(&method)
    })
}

/// Every `path::name` in backticks in a table exists: the file, and the name in it.
fn named_tests(table: &str, problems: &mut Vec<String>) -> Result<(), Failure> {
    let Some(text) = read(Path::new(table)) else {
        problems.push(format!("{table} is missing"));
        return Ok(());
    };
    for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        for quoted in line.split('`').skip(1).step_by(2) {
            let (path, name) = quoted.split_once("::").unwrap_or((quoted, ""));
            if !path.contains('/') || !(path.ends_with(".rs") || path.ends_with(".mjs")) {
                continue;
            }
            let at = format!("{table}:{}", number + 1);
            match read(Path::new(path)) {
                None => problems.push(format!("{at}: {path} does not exist")),
                Some(test) if !test.contains(name) => {
                    problems.push(format!("{at}: {path} has no test {name:?}"));
                }
                Some(_) => {}
            }
        }
        let is_row = !line.starts_with("| #") && !line.starts_with("|-") && !line.starts_with("| -");
        if is_row
            && number > 0
            && table.ends_with("guarantees.md")
            && line.starts_with("| P")
            && !line.contains("::")
        {
            problems.push(format!("{table}:{}: a promise without a test", number + 1));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_found_by_method_and_whole_path() {
        let line = with_open_holes("await ada.post(`/conversations/${direct.id}/messages`, { text: 'hi' });");
        assert!(names_route(&line, "POST", "/conversations/{}/messages"), "{line}");
        assert!(!names_route(&line, "PUT", "/conversations/{}/messages"));
        assert!(!names_route(&line, "POST", "/conversations/{}"));
        let line = with_open_holes("ada.get('/users?q=x')");
        assert!(names_route(&line, "GET", "/users"));
        let line = with_open_holes("call(\"DELETE\", &format!(\"/api/blocks/{}\", user))");
        assert!(names_route(&line, "DELETE", "/blocks/{}"));
    }
}
