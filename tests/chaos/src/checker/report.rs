use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::index::{End, Index};

/// Of each check so many violations are told in words.
const TOLD: usize = 10;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which check found it.
    pub check: &'static str,
    /// When it showed, in nanoseconds since the beginning.
    pub t: u64,
    /// What is wrong.
    pub text: String,
}

/// A number worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Of what.
    pub name: &'static str,
    /// The number, with its unit.
    pub value: String,
}

/// What a history comes to.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything that must not be.
    pub violations: Vec<Violation>,
    /// What was measured.
    pub measures: Vec<Measure>,
    /// How much each check looked at, so that one that looks at nothing is noticed.
    pub looked_at: BTreeMap<&'static str, u64>,
}

impl Report {
    pub(super) fn new(index: &Index<'_>) -> Self {
        let mut report = Self::default();
        let count = |wanted: fn(&End) -> bool| index.ops.iter().filter(|op| wanted(&op.end)).count();
        report.measure(
            "commands",
            format!(
                "{} ok, {} refused, {} unknown",
                count(|end| *end == End::Ok),
                count(|end| matches!(end, End::Fail(_))),
                count(|end| *end == End::Info)
            ),
        );
        report.measure("events and messages seen", index.sightings.len().to_string());
        report.measure("messages in the store", index.truth.by_id.len().to_string());
        report
    }

    pub(super) fn add(&mut self, check: &'static str, t: u64, text: impl Into<String>) {
        self.violations.push(Violation {
            check,
            t,
            text: text.into(),
        });
    }

    pub(super) fn looked(&mut self, check: &'static str) {
        *self.looked_at.entry(check).or_default() += 1;
    }

    pub(super) fn measure(&mut self, name: &'static str, value: impl Into<String>) {
        self.measures.push(Measure {
            name,
            value: value.into(),
        });
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// The checks that found something.
    #[must_use]
    pub fn found(&self) -> BTreeSet<&'static str> {
        self.violations.iter().map(|violation| violation.check).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Measure { name, value } in &self.measures {
            writeln!(f, "{name}: {value}")?;
        }
        let looked: Vec<String> = self
            .looked_at
            .iter()
            .map(|(check, count)| format!("{check} {count}"))
            .collect();
        writeln!(f, "looked at: {}", looked.join(", "))?;
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        for Violation { check, t, text } in &self.violations {
            let count = told.entry(check).or_default();
            *count += 1;
            if *count <= TOLD {
                writeln!(f, "{check} at {:.3} s: {text}", *t as f64 / 1e9)?;
            }
        }
        for (check, count) in told {
            writeln!(f, "{check}: {count} violations")?;
        }
        write!(f, "{} violations", self.violations.len())
    }
}
