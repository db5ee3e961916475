/// What `open` gave, unless the backend is not there: then the case is skipped with a line that says so, or fails when
/// `CHAT_REQUIRE` (a list with commas) names the backend.
///
/// # Panics
/// When the backend is required and not there.
#[allow(
    clippy::print_stderr,
    reason = "a skipped case has to be seen in the log of a test run"
)]
#[must_use]
pub fn opened<T>(space: Option<T>, backend: &str, case: &str) -> Option<T> {
    if space.is_none() {
        let required = std::env::var("CHAT_REQUIRE").unwrap_or_default();
        let is_required = required.split(',').any(|name| name.trim() == backend);
        assert!(!is_required, "{backend} is required and not there");
        eprintln!("skipped: {case} ({backend} is not there)");
    }
    space
}
