//! Counting tests over suites that report in different ways.

use std::fmt;

/// How many tests passed, failed and were not run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    pub(crate) const PASSED: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    pub(crate) const FAILED: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };
    pub(crate) const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// A suite that ended badly without a failing test has failed all the same.
    pub(crate) const fn judged(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    /// From `Summary [ 1.2s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped`.
    pub(crate) fn of_nextest(lines: &[String]) -> Self {
        let mut tally = Self::default();
        for line in lines
            .iter()
            .filter(|line| line.trim_start().starts_with("Summary ["))
        {
            let Some((_, counts)) = line.split_once("run: ") else {
                continue;
            };
            for part in counts.split(", ") {
                let mut words = part.split_whitespace();
                let count: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
                match words.collect::<Vec<_>>().join(" ").as_str() {
                    what if what.starts_with("passed") => tally.passed += count,
                    what if what.starts_with("skipped") => tally.skipped += count,
                    _ => tally.failed += count,
                }
            }
        }
        tally
    }

    /// From every `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
    pub(crate) fn of_libtest(lines: &[String]) -> Self {
        let mut tally = Self::default();
        for line in lines.iter().filter(|line| line.starts_with("test result: ")) {
            for part in line.split([';', '.']) {
                let mut words = part.split_whitespace();
                let count: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
                match words.next() {
                    Some("passed") => tally.passed += count,
                    Some("failed") => tally.failed += count,
                    Some("ignored" | "filtered") => tally.skipped += count,
                    _ => {}
                }
            }
        }
        tally
    }

    /// From the last lines of Node's test runner: `ℹ pass 3`, or `# pass 3`.
    pub(crate) fn of_node(lines: &[String]) -> Self {
        let mut tally = Self::default();
        for line in lines {
            let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) else {
                continue;
            };
            let mut words = rest.split_whitespace();
            let (Some(what), Some(count), None) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let count: u64 = count.parse().unwrap_or(0);
            match what {
                "pass" => tally.passed += count,
                "fail" | "cancelled" => tally.failed += count,
                "skipped" | "todo" => tally.skipped += count,
                _ => {}
            }
        }
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn nextest_summaries_are_read() {
        let all = lines(
            "     Summary [   1.203s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 2 skipped",
        );
        assert_eq!(
            Tally::of_nextest(&all),
            Tally {
                passed: 7,
                failed: 2,
                skipped: 2
            }
        );
    }

    #[test]
    fn libtest_results_add_up() {
        let all = lines(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        assert_eq!(
            Tally::of_libtest(&all),
            Tally {
                passed: 4,
                failed: 2,
                skipped: 3
            }
        );
    }

    #[test]
    fn node_summaries_are_read() {
        let all = lines("ℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0");
        assert_eq!(
            Tally::of_node(&all),
            Tally {
                passed: 3,
                failed: 2,
                skipped: 1
            }
        );
        assert_eq!(Tally::default().judged(false), Tally::FAILED);
    }
}
