//! Every route, socket command and live event of `docs/contract-surface.json` has a row in `docs/features.md` and a
//! test that names it. That the list is that of the code is a test of its own (`tests/scenarios`, `documents.rs`).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::named_tests::Row;
use super::read;
use crate::Failure;

pub(super) fn check(files: &[PathBuf], features: &[Row], problems: &mut Vec<String>) -> Result<(), Failure> {
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
    for (kind, what) in [
        ("routes", "route"),
        ("commands", "socket command"),
        ("events", "live event"),
    ] {
        for name in list(kind) {
            if !lines.iter().any(|line| names(line, kind, &name)) {
                problems.push(format!("no test names the {what} {name}"));
            }
            if !features.iter().any(|row| row.is_about(&name)) {
                problems.push(format!("docs/features.md has no row for the {what} {name}"));
            }
        }
    }
    Ok(())
}

fn names(line: &str, kind: &str, name: &str) -> bool {
    if kind == "routes" {
        let (method, path) = name.split_once(' ').unwrap_or(("GET", name));
        return names_route(line, method, path);
    }
    let quoted = [format!("'{name}'"), format!("\"{name}\""), format!("`{name}`")];
    quoted.iter().any(|quoted| line.contains(quoted))
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
