//! How many cases each store passed, as a table: conformance cases, scenarios and random histories from the report that
//! nextest writes, wire scenarios from Node's.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::tally::Tally;

/// Stores, as programs and tests name them and as people do.
const STORES: [(&str, &str); 4] = [
    ("memory", "memory"),
    ("sqlite", "SQLite"),
    ("postgres", "PostgreSQL"),
    ("mongodb", "MongoDB"),
];

/// What the model's test prints, before the number of histories it has played on its store.
const HISTORIES_PLAYED: &str = "histories played: ";

/// A suite that runs on every store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suite {
    Conformance,
    Scenarios,
    Histories,
    Wire,
}

impl Suite {
    const ALL: [Self; 4] = [Self::Conformance, Self::Scenarios, Self::Histories, Self::Wire];

    const fn name(self) -> &'static str {
        match self {
            Self::Conformance => "conformance cases",
            Self::Scenarios => "scenarios",
            Self::Histories => "random histories",
            Self::Wire => "wire scenarios",
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct ByStore {
    cells: BTreeMap<(Suite, &'static str), Tally>,
}

fn report() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    target.join("nextest/default/junit.xml")
}

/// Removes the report of a run before.
pub(crate) fn forget_report() {
    // There may be none.
    drop(std::fs::remove_file(report()));
}

impl ByStore {
    pub(crate) fn add(&mut self, suite: Suite, store: &str, tally: Tally) {
        if let Some((store, _)) = STORES.iter().find(|(name, _)| *name == store) {
            self.cells.entry((suite, store)).or_default().add(tally);
        }
    }

    /// Adds what nextest reported; nothing where it wrote no report. Cases of stores that are `absent` have only said
    /// that they were skipped.
    pub(crate) fn add_report(&mut self, absent: &[&str]) {
        let report = std::fs::read_to_string(report()).unwrap_or_default();
        self.add_cases(&report, absent);
    }

    /// A passed case is an element without an end tag: `<testcase name="…" classname="…" … />`, or one whose content
    /// holds no failure.
    fn add_cases(&mut self, report: &str, absent: &[&str]) {
        for case in report.split("<testcase ").skip(1) {
            let (head, content) = case.split_once('>').unwrap_or((case, ""));
            let content = if head.ends_with('/') {
                ""
            } else {
                content.split("</testcase>").next().unwrap_or_default()
            };
            let (Some(name), Some(program)) = (attribute(head, "name"), attribute(head, "classname")) else {
                continue;
            };
            let Some((suite, store)) = suite_of(program, name) else {
                continue;
            };
            if absent.contains(&store) {
                continue;
            }
            let failed = content.contains("<failure") || content.contains("<error");
            let tally = if failed {
                Tally::FAILED
            } else if suite == Suite::Histories {
                Tally {
                    passed: histories_played(content),
                    ..Tally::default()
                }
            } else {
                Tally::PASSED
            };
            self.add(suite, store, tally);
        }
    }
}

/// The suite a test belongs to, and the store it ran on; `None` for tests that are about one store or none.
fn suite_of<'t>(program: &'t str, name: &'t str) -> Option<(Suite, &'t str)> {
    let package = program.split("::").next().unwrap_or_default();
    if name.contains("_conformance::") {
        // The suite's own tests run on the store that comes with the core.
        let store = match package.strip_prefix("chat-")? {
            "conformance" => "memory",
            other => other,
        };
        return Some((Suite::Conformance, store));
    }
    if package != "chat-scenarios" {
        return None;
    }
    if let Some(test) = name.strip_suffix("_agrees_with_the_model") {
        return Some((Suite::Histories, test.rsplit("::").next()?));
    }
    let store = name
        .split("::")
        .find(|part| STORES.iter().any(|(store, _)| store == part));
    // `mongodb::case` alone would be a module of helpers.
    store
        .filter(|_| name.split("::").count() > 2)
        .map(|store| (Suite::Scenarios, store))
}

fn histories_played(content: &str) -> u64 {
    content
        .split(HISTORIES_PLAYED)
        .skip(1)
        .filter_map(|rest| {
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum()
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let from = tag
        .split(&format!(" {name}=\""))
        .nth(1)
        .or_else(|| tag.strip_prefix(&format!("{name}=\"")))?;
    from.split('"').next()
}

impl fmt::Display for ByStore {
    /// Nothing when nothing ran.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cells.is_empty() {
            return Ok(());
        }
        write!(f, "{:<20}", "passed on")?;
        for (_, title) in STORES {
            write!(f, "{title:>12}")?;
        }
        writeln!(f)?;
        for suite in Suite::ALL {
            write!(f, "{:<20}", suite.name())?;
            let mut failed = Vec::new();
            for (store, title) in STORES {
                match self.cells.get(&(suite, store)) {
                    Some(tally) => {
                        write!(f, "{:>12}", tally.passed)?;
                        if tally.failed > 0 {
                            failed.push(format!("{} failed on {title}", tally.failed));
                        }
                    }
                    None => write!(f, "{:>12}", "not run")?,
                }
            }
            if !failed.is_empty() {
                write!(f, "   ({})", failed.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<testsuite name="chat-sqlite::conformance">
        <testcase name="file::store_conformance::users::a" classname="chat-sqlite::conformance" time="0.1" />
        <testcase name="file::accounts_conformance::accounts::a" classname="chat-sqlite::conformance"></testcase>
        <testcase name="store_conformance::users::b" classname="chat-mongodb::it"><failure>no</failure></testcase>
        <testcase name="store_conformance::users::b" classname="chat-postgres::conformance" />
        <testcase name="store_conformance::users::b" classname="chat-conformance::memory" />
        <testcase name="groups::memory::a" classname="chat-scenarios::it" />
        <testcase name="groups::sqlite::a" classname="chat-scenarios::it" />
        <testcase name="groups::sqlite::b" classname="chat-scenarios::it" />
        <testcase name="model::sqlite_agrees_with_the_model" classname="chat-scenarios::it">
            <system-out>running 1 test
histories played: 14
            </system-out></testcase>
        <testcase name="documents::a_plain_one" classname="chat-scenarios::it" />
        <testcase name="another_test" classname="chat-sqlite::store" />"#;

    fn passed(table: &ByStore, suite: Suite, store: &'static str) -> Option<u64> {
        table.cells.get(&(suite, store)).map(|tally| tally.passed)
    }

    #[test]
    fn cases_are_counted_by_suite_and_store() {
        let mut table = ByStore::default();
        table.add_cases(REPORT, &["postgres"]);
        assert_eq!(passed(&table, Suite::Conformance, "sqlite"), Some(2));
        assert_eq!(passed(&table, Suite::Conformance, "memory"), Some(1));
        assert_eq!(passed(&table, Suite::Conformance, "mongodb"), Some(0));
        assert_eq!(passed(&table, Suite::Conformance, "postgres"), None);
        assert_eq!(passed(&table, Suite::Scenarios, "sqlite"), Some(2));
        assert_eq!(passed(&table, Suite::Scenarios, "memory"), Some(1));
        assert_eq!(passed(&table, Suite::Histories, "sqlite"), Some(14));
        assert_eq!(table.cells.len(), 6);
        table.add(Suite::Wire, "mongodb", Tally::PASSED);
        let shown = table.to_string();
        assert!(shown.contains("(1 failed on MongoDB)"), "{shown}");
        let wire = shown.lines().last().unwrap();
        let words: Vec<_> = wire.split_whitespace().collect();
        assert_eq!(
            words,
            ["wire", "scenarios", "not", "run", "not", "run", "not", "run", "1"]
        );
    }
}
