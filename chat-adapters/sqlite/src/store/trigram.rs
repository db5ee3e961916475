//! Queries for the trigram indexes. An index only proposes rows; `instr` decides about each of them.

/// Words shorter than this are in no index.
const TRIGRAM: usize = 3;
/// More trigrams than this make a query no more selective.
const MAX_TRIGRAMS: usize = 32;

/// The FTS5 query for texts that hold these trigrams; `None` for a text too short to have one. Every third one and
/// the last cover the whole text.
pub(super) fn trigrams(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let last = chars.windows(TRIGRAM).last()?;
    let mut words: Vec<String> = chars
        .chunks_exact(TRIGRAM)
        .take(MAX_TRIGRAMS)
        .chain(std::iter::once(last))
        .map(|word| format!("\"{}\"", word.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    words.dedup();
    Some(words.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::trigrams;

    #[test]
    fn trigrams_cover_the_text() {
        assert_eq!(trigrams("ab"), None);
        assert_eq!(trigrams("abc").unwrap(), "\"abc\"");
        assert_eq!(trigrams("abcd").unwrap(), "\"abc\" AND \"bcd\"");
        assert_eq!(trigrams("a\"b").unwrap(), "\"a\"\"b\"");
    }
}
