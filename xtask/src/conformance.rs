//! How many conformance cases each store passed, from the report nextest writes.

use std::collections::BTreeMap;
use std::path::PathBuf;

fn report() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    target.join("nextest/default/junit.xml")
}

/// Removes the report of a run before.
pub(crate) fn forget() {
    // There may be none.
    drop(std::fs::remove_file(report()));
}

/// Cases that passed, by the name of the test program; empty where nextest did not write its report.
pub(crate) fn counts() -> Vec<(String, u64)> {
    let report = std::fs::read_to_string(report()).unwrap_or_default();
    count(&report).into_iter().collect()
}

/// A passed case is an element without an end tag: `<testcase name="…" classname="…" … />`, or one whose content
/// holds no failure.
fn count(report: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for case in report.split("<testcase ").skip(1) {
        let (head, content) = case.split_once('>').unwrap_or((case, ""));
        let content = content.split("</testcase>").next().unwrap_or_default();
        let failed = !head.ends_with('/') && (content.contains("<failure") || content.contains("<error"));
        let is_conformance = attribute(head, "name").is_some_and(|name| name.contains("_conformance::"));
        if is_conformance
            && !failed
            && let Some(program) = attribute(head, "classname")
        {
            *counts.entry(program.to_owned()).or_default() += 1;
        }
    }
    counts
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let from = tag
        .split(&format!(" {name}=\""))
        .nth(1)
        .or_else(|| tag.strip_prefix(&format!("{name}=\"")))?;
    from.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn passed_cases_are_counted_by_program() {
        let report = r#"<testsuite name="chat-sqlite::conformance">
            <testcase name="file::store_conformance::users::a" classname="chat-sqlite::conformance" time="0.1" />
            <testcase name="file::accounts_conformance::accounts::a" classname="chat-sqlite::conformance"></testcase>
            <testcase name="store_conformance::users::b" classname="chat-x::conformance"><failure>no</failure></testcase>
            <testcase name="another_test" classname="chat-sqlite::store" />"#;
        let counts = count(report);
        assert_eq!(counts.get("chat-sqlite::conformance"), Some(&2));
        assert_eq!(counts.len(), 1);
    }
}
