//! `Range` requests (RFC 9110 §14): one range of bytes.

use std::ops::Range;

/// What of a file is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: there is no range, or one that is not understood and so ignored (RFC 9110 §14.2).
    Whole,
    /// This part.
    Part(Range<u64>),
    /// A part that is not in it.
    Outside,
}

/// Reads a `Range` field for a file of `size` bytes. Several ranges at once are answered with the whole file.
pub(crate) fn wanted(field: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = field.and_then(|field| {
        let (unit, spec) = field.split_once('=')?;
        unit.trim().eq_ignore_ascii_case("bytes").then(|| spec.trim())
    }) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Wanted::Whole;
    };
    let range = match (number(first), number(last)) {
        (Position::At(first), Position::At(last)) if last < first => return Wanted::Whole,
        (Position::At(first), Position::At(last)) => first..last.saturating_add(1).min(size),
        (Position::At(first), Position::Absent) => first..size,
        (Position::Absent, Position::At(length)) => size.saturating_sub(length)..size,
        _ => return Wanted::Whole,
    };
    if range.start < range.end {
        Wanted::Part(range)
    } else {
        Wanted::Outside
    }
}

enum Position {
    Absent,
    At(u64),
    Unreadable,
}

fn number(text: &str) -> Position {
    match text.trim() {
        "" => Position::Absent,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            // More digits than a u64 has are beyond the end of every file.
            Position::At(digits.parse().unwrap_or(u64::MAX))
        }
        _ => Position::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let table = [
            (None, Wanted::Whole),
            (Some("bytes=0-0"), Wanted::Part(0..1)),
            (Some("bytes=2-"), Wanted::Part(2..10)),
            (Some("Bytes = 2-5"), Wanted::Part(2..6)),
            (Some("bytes=-3"), Wanted::Part(7..10)),
            (Some("bytes=-99"), Wanted::Part(0..10)),
            (Some("bytes=5-99999999999999999999999"), Wanted::Part(5..10)),
            (Some("bytes=10-"), Wanted::Outside),
            (Some("bytes=-0"), Wanted::Outside),
            (Some("bytes=5-2"), Wanted::Whole),
            (Some("bytes=0-1,3-4"), Wanted::Whole),
            (Some("lines=0-1"), Wanted::Whole),
            (Some("bytes=x-1"), Wanted::Whole),
            (Some("bytes=-"), Wanted::Whole),
        ];
        for (field, expected) in table {
            assert_eq!(wanted(field, 10), expected, "{field:?}");
        }
    }
}
