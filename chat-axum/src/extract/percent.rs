//! Percent-decoding (RFC 3986 §2.1) that refuses what it cannot read.

/// Decodes one component; in a form (`plus`), `+` is a space. `None` for a broken escape, bytes that are no UTF-8, and
/// U+0000, which no store takes.
pub(crate) fn decode(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
            b'+' if plus => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn broken_escapes_are_refused() {
        assert_eq!(decode("a%20b+c", true).as_deref(), Some("a b c"));
        assert_eq!(decode("a+b", false).as_deref(), Some("a+b"));
        assert_eq!(decode("%f0%9F%91%8d", true).as_deref(), Some("👍"));
        for broken in ["%", "%1", "%zz", "%ff", "%00", "a%c3"] {
            assert_eq!(decode(broken, true), None, "{broken}");
        }
    }
}
