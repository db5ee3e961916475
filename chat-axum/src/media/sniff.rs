//! What a file is, by its content. Names and declared types only choose between readings of the same bytes.

use chat_core::model::AttachmentKind;

/// So much of the beginning of a file is looked at. Pictures from cameras begin with a preview of up to 64 KiB before
/// they tell their size.
pub(crate) const HEAD_BYTES: usize = 80 * 1024;

/// A type that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sniffed {
    pub(crate) mime_type: &'static str,
    pub(crate) kind: AttachmentKind,
    pub(crate) dimensions: Option<(u32, u32)>,
}

impl Sniffed {
    const fn of(mime_type: &'static str, kind: AttachmentKind) -> Self {
        Self {
            mime_type,
            kind,
            dimensions: None,
        }
    }
}

/// Reads the beginning of a file. `None` for everything that is not on the list: programs, HTML, SVG and other
/// documents that run scripts, and what cannot be told.
pub(crate) fn sniff(head: &[u8], filename: &str, declared: &str) -> Option<Sniffed> {
    use AttachmentKind::{Audio, File, Video};
    let Some(found) = infer::get(head) else {
        return text(head, filename);
    };
    // A film without pictures is sound, and only its sender knows.
    let moving = |video, audio| {
        if declared.trim_start().to_ascii_lowercase().starts_with("audio/") {
            Sniffed::of(audio, Audio)
        } else {
            Sniffed::of(video, Video)
        }
    };
    let sniffed = match found.mime_type() {
        "image/png" => picture("image/png", head),
        "image/jpeg" => picture("image/jpeg", head),
        "image/gif" => picture("image/gif", head),
        "image/webp" => picture("image/webp", head),
        "video/mp4" | "video/x-m4v" => moving("video/mp4", "audio/mp4"),
        "video/webm" => moving("video/webm", "audio/webm"),
        "video/quicktime" => Sniffed::of("video/quicktime", Video),
        "audio/mpeg" => Sniffed::of("audio/mpeg", Audio),
        "audio/ogg" | "audio/opus" => Sniffed::of("audio/ogg", Audio),
        "audio/x-wav" => Sniffed::of("audio/wav", Audio),
        "audio/m4a" => Sniffed::of("audio/mp4", Audio),
        "audio/aac" => Sniffed::of("audio/aac", Audio),
        other => Sniffed::of(DOCUMENTS.iter().copied().find(|taken| *taken == other)?, File),
    };
    Some(sniffed)
}

const DOCUMENTS: &[&str] = &[
    "application/pdf",
    "application/zip",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
];

fn picture(mime_type: &'static str, head: &[u8]) -> Sniffed {
    let size = imagesize::blob_size(head).ok();
    Sniffed {
        dimensions: size
            .and_then(|size| Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))),
        ..Sniffed::of(mime_type, AttachmentKind::Image)
    }
}

/// Plain text, or one of the formats that look like it, told apart by the ending of the name: all are handed out as
/// downloads, and none runs anywhere.
fn text(head: &[u8], filename: &str) -> Option<Sniffed> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The cut may go through a character.
        Err(error) if error.error_len().is_none() && head.len() >= HEAD_BYTES => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let markup = start.strip_prefix('<').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?' | '/'))
    });
    let binary = text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{85}'));
    if markup || binary || start.starts_with("#!") {
        return None;
    }
    let ending = filename.rsplit_once('.').map_or("", |(_, ending)| ending);
    Some(Sniffed::of(
        match ending.to_ascii_lowercase().as_str() {
            "csv" => "text/csv",
            "json" if start.starts_with(['{', '[']) => "application/json",
            _ => "text/plain",
        },
        AttachmentKind::File,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mime(head: &[u8], name: &str, declared: &str) -> Option<&'static str> {
        sniff(head, name, declared).map(|sniffed| sniffed.mime_type)
    }

    #[test]
    fn content_decides() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x02\0\0\0";
        let found = sniff(png, "a.exe", "text/html").unwrap();
        assert_eq!((found.mime_type, found.dimensions), ("image/png", Some((2, 3))));
        assert_eq!(mime(b"GIF89a\x01\0\x01\0\x80\0\0", "", ""), Some("image/gif"));
        assert_eq!(mime(b"%PDF-1.4\n", "a.txt", ""), Some("application/pdf"));
        assert_eq!(mime(b"PK\x05\x06\0\0\0\0", "", ""), Some("application/zip"));
        assert_eq!(mime(b"RIFF\x24\0\0\0WAVEfmt ", "", ""), Some("audio/wav"));
        assert_eq!(mime(b"ID3\x04\0\0", "", ""), Some("audio/mpeg"));
        let mp4 = b"\0\0\0\x18ftypisom\0\0\0\0";
        assert_eq!(mime(mp4, "", "video/mp4"), Some("video/mp4"));
        assert_eq!(mime(mp4, "", "audio/mp4"), Some("audio/mp4"));
    }

    #[test]
    fn texts_are_told_apart_by_name_only() {
        assert_eq!(mime(b"plain\n", "a.txt", ""), Some("text/plain"));
        assert_eq!(mime(b"a,b\n1,2\n", "A.CSV", ""), Some("text/csv"));
        assert_eq!(mime(b"{\"a\":1}", "a.json", ""), Some("application/json"));
        assert_eq!(mime(b"no json", "a.json", ""), Some("text/plain"));
        assert_eq!(
            mime("grüße <3".as_bytes(), "a.html", "text/html"),
            Some("text/plain")
        );
        assert_eq!(mime(b"<3 you", "", ""), Some("text/plain"));
    }

    #[test]
    fn what_may_run_is_refused() {
        let programs: &[&[u8]] = &[
            b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
            b"\x7fELF\x02\x01\x01\0",
            b"<!doctype html><html><script>alert(1)</script></html>",
            b"  \n<!-- x --><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"\xef\xbb\xbf<svg/>",
            b"<?xml version=\"1.0\"?><svg/>",
            b"#!/bin/sh\n",
            b"\xca\xfe\xba\xbe\0\0\0\x34",
            b"\0\x01\x02\x03",
            b"",
        ];
        for program in programs {
            let found = mime(program, "a.png", "image/png");
            assert!(found.is_none() || program.is_empty(), "{program:?} {found:?}");
        }
    }

    #[test]
    fn a_character_cut_in_two_is_still_text() {
        let mut long = vec![b'x'; HEAD_BYTES - 1];
        long.push(0xc3);
        assert_eq!(mime(&long, "", ""), Some("text/plain"));
        assert_eq!(mime(b"x\xc3", "", ""), None);
    }
}
