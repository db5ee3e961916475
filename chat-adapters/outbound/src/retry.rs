use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use hyper::header::{HeaderMap, RETRY_AFTER};

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    (date.with_timezone(&Utc) - DateTime::<Utc>::from(now))
        .to_std()
        .ok()
}
