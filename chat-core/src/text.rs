//! Rules about text that every store and path shares: folding for search, blankness, emoji.

use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization;

/// Folds text for comparison: Unicode simple case folding, character by character (Unicode 3.13, `toCasefold` with
/// the C and S mappings). Searches compare folded text with folded query, literally.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    text.chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_ascii_lowercase()
            } else {
                mapper.simple_fold(c)
            }
        })
        .collect()
}

/// Whether a text shows nothing: only white space and zero-width characters.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_zero_width(c))
}

const fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}' | '\u{ad}' | '\u{34f}')
}

/// An emoji in NFC. Variation selectors stay, because they decide how it looks. `None` when there is nothing to see,
/// or when it holds white space or control characters.
#[must_use]
pub fn clean_emoji(emoji: &str) -> Option<String> {
    if emoji.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let text: String = emoji.nfc().collect();
    (!is_blank(&emoji_kind(&text))).then_some(text)
}

/// What the spellings of one emoji have in common, so that they do not count as different reactions: everything but
/// variation selectors.
#[must_use]
pub fn emoji_kind(emoji: &str) -> String {
    emoji
        .nfc()
        .filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}'))
        .collect()
}

/// The first `chars` characters of a text, without line breaks: what lists and pushes show of it.
#[must_use]
pub fn excerpt(text: &str, chars: usize) -> String {
    text.chars()
        .take(chars)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_simple_and_per_character() {
        assert_eq!(fold("HeLLo"), "hello");
        assert_eq!(fold("ÄÖÜ Привет ΣΑΣ"), fold("äöü ПРИВЕТ σας"));
        assert_eq!(fold("ß").chars().count(), 1);
        assert_eq!(fold("今天 %_\\.*"), "今天 %_\\.*");
    }

    #[test]
    fn blank_texts_show_nothing() {
        assert!(is_blank(" \n\t\u{a0}\u{2003}"));
        assert!(is_blank("\u{200b}\u{200d}\u{feff}"));
        assert!(!is_blank(" a "));
    }

    #[test]
    fn spellings_of_an_emoji_are_one_kind_and_stay_as_they_are() {
        assert_eq!(emoji_kind("❤\u{fe0f}"), emoji_kind("❤"));
        assert_eq!(clean_emoji("❤\u{fe0f}").as_deref(), Some("❤\u{fe0f}"));
        assert_eq!(clean_emoji("e\u{301}").as_deref(), Some("é"));
        assert_eq!(clean_emoji("\u{fe0f}"), None);
        assert_eq!(clean_emoji("a b"), None);
    }
}
