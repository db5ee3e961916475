//! Tables whose last column names the test that proves the row. A name counts when the file has a test of exactly
//! that name: a function with a `test` attribute, one that a macro turns into tests, or a scenario of that title.

use std::path::Path;

use super::read;

/// A row of a table, with what it is about.
#[derive(Debug)]
pub(super) struct Row {
    subject: String,
}

impl Row {
    /// Whether its first cell names this in backticks; the names of path parameters do not matter.
    pub(super) fn is_about(&self, name: &str) -> bool {
        let quoted = self.subject.split('`').skip(1).step_by(2);
        quoted.into_iter().any(|quoted| nameless(quoted) == name)
    }
}

/// `GET /users/{user_id}` as `GET /users/{}`.
fn nameless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        inside = (inside || c == '{') && c != '}';
        if !inside || c == '{' {
            out.push(c);
        }
    }
    out
}

/// The rows of a document's tables. Each of them names a test, and every test named is there.
pub(super) fn rows(document: &str, problems: &mut Vec<String>) -> Vec<Row> {
    let Some(text) = read(Path::new(document)) else {
        problems.push(format!("{document} is missing"));
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(cells) = line.strip_prefix('|') else {
            continue;
        };
        let cells: Vec<&str> = cells.trim_end_matches('|').split('|').map(str::trim).collect();
        let is_head = text
            .lines()
            .nth(number + 1)
            .is_some_and(|next| next.starts_with("|-"));
        let (Some(subject), Some(tests)) = (cells.first(), cells.last()) else {
            continue;
        };
        if is_head || subject.starts_with('-') {
            continue;
        }
        let at = format!("{document}:{}", number + 1);
        let named: Vec<(&str, &str)> = tests
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|quoted| quoted.split_once("::"))
            .collect();
        if named.is_empty() {
            problems.push(format!("{at}: a promise without a test"));
        }
        for (path, name) in named {
            match read(Path::new(path)) {
                None => problems.push(format!("{at}: {path} does not exist")),
                Some(file) if !has_test(path, &file, name) => {
                    problems.push(format!("{at}: {path} has no test {name:?}"));
                }
                Some(_) => {}
            }
        }
        rows.push(Row {
            subject: (*subject).to_owned(),
        });
    }
    rows
}

fn has_test(path: &str, file: &str, name: &str) -> bool {
    if path.ends_with(".mjs") {
        has_scenario(file, name)
    } else {
        has_function(file, name) && (is_attributed(file, name) || is_listed(path, file, name))
    }
}

/// `scenario('title', …)`, `test('title', …)` or, in a browser, `step('title', …)`, whole and outside comments.
fn has_scenario(file: &str, title: &str) -> bool {
    file.lines().map(str::trim_start).any(|line| {
        let call = line
            .strip_prefix("scenario(")
            .or_else(|| line.strip_prefix("test("))
            .or_else(|| line.strip_prefix("step("));
        let Some(call) = call else { return false };
        let Some(quote) = call.chars().next().filter(|c| ['\'', '"', '`'].contains(c)) else {
            return false;
        };
        let rest = call
            .trim_start_matches(quote)
            .replace(&format!("\\{quote}"), "\u{1}");
        let found = rest.split(quote).next().unwrap_or_default();
        found.replace('\u{1}', &quote.to_string()) == title
    })
}

fn has_function(file: &str, name: &str) -> bool {
    file.lines().any(|line| declares(line, name))
}

fn declares(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    !line.starts_with("//")
        && line.split_once("fn ").is_some_and(|(_, rest)| {
            rest.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['(', '<']))
        })
}

/// Whether an attribute that ends in `test` stands right above the function.
fn is_attributed(file: &str, name: &str) -> bool {
    let lines: Vec<&str> = file.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines.iter().take(at).rev();
        declares(line, name)
            && above
                .take_while(|line| line.starts_with("#[") || line.starts_with("///"))
                .any(|line| line.starts_with("#[test") || line.starts_with("#[tokio::test"))
    })
}

/// Whether a macro makes tests of the function: named, as a whole word, in a list of this file, or of the conformance
/// suite's cases.
fn is_listed(path: &str, file: &str, name: &str) -> bool {
    let cases = path
        .contains("conformance/src")
        .then(|| read(Path::new("tests/conformance/src/cases.rs")))
        .flatten();
    cases.as_deref().unwrap_or(file).lines().any(|line| {
        let line = line.trim();
        let list = line.strip_prefix("for_each_store!(").unwrap_or(line);
        let list = list.trim_end_matches([')', ';', ',']);
        list.split(", ").any(|listed| listed == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "for_each_store!(\n    listed,\n);\n// fn commented()\nfn helper() {}\n\
                        #[tokio::test]\nasync fn attributed() {}\nasync fn listed(world: World) {}\n";

    #[test]
    fn only_tests_count_and_only_by_their_whole_name() {
        let has = |name| has_test("a.rs", RUST, name);
        assert!(has("attributed") && has("listed"));
        assert!(!has("helper") && !has("commented") && !has("attrib") && !has("list"));
    }

    #[test]
    fn scenarios_count_by_their_whole_title() {
        let file = "// scenario('not this', async () => {\n  scenario('a user\\'s own', async world => {";
        assert!(has_scenario(file, "a user's own"));
        assert!(!has_scenario(file, "a user") && !has_scenario(file, "not this"));
    }

    #[test]
    fn a_row_is_about_what_its_first_cell_names() {
        let row = Row {
            subject: "`GET /users/{user_id}`, `GET /me`".to_owned(),
        };
        assert!(row.is_about("GET /users/{}") && row.is_about("GET /me"));
        assert!(!row.is_about("GET /users"));
    }
}
