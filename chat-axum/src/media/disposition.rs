//! Header fields of downloads.

use axum::http::HeaderValue;
use chat_core::model::Attachment;

/// `Content-Disposition` (RFC 6266): pictures, sound and films in place, everything else as a file. The name comes as
/// ASCII for old clients and in full as RFC 8187 has it.
pub(crate) fn content_disposition(attachment: &Attachment) -> HeaderValue {
    let safe = ["image/", "audio/", "video/"];
    let inline = safe.iter().any(|family| attachment.mime_type.starts_with(family))
        && attachment.mime_type != "image/svg+xml";
    let how = if inline { "inline" } else { "attachment" };
    let ascii: String = attachment
        .filename
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    let value = format!(
        "{how}; filename=\"{ascii}\"; filename*=UTF-8''{}",
        escaped(&attachment.filename)
    );
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Percent-encodes all but the attr-chars of RFC 8187 §3.2.1.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `Content-Type`: texts are UTF-8, nothing else was taken as text.
pub(crate) fn content_type(attachment: &Attachment) -> HeaderValue {
    let mime = &attachment.mime_type;
    let value = if mime.starts_with("text/") {
        format!("{mime}; charset=utf-8")
    } else {
        mime.clone()
    };
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped("a b\"ü.png"), "a%20b%22%C3%BC.png");
        assert_eq!(escaped("../x;y=1"), "..%2Fx%3By%3D1");
    }
}
