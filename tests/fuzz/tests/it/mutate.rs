//! From inputs that were kept to inputs nobody has seen.

use crate::rng::Rng;

/// No input is longer: what matters about size is tested at its limits elsewhere.
const MAX_BYTES: usize = 256 * 1024;

/// Pieces that mean something to somebody on the way.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\x1e",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[[[[[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"\"",
    b"\\",
    b",",
    b":",
    b"-1",
    b"0",
    b"1e999",
    b"0.1",
    b"9007199254740993",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"1970-01-01T00:00:00Z",
    b"+275760-09-13T00:00:00Z",
    b"01935d5f-0000-7000-8000-000000000000",
    b"%00",
    b"%",
    b"%ff",
    b"&limit=0",
    b"?",
    b"#",
    b"../../",
    b"{\"_placeholder\":true,\"num\":0}",
    b"451-",
    b"4599999-",
    b"40/admin,",
    b"2probe",
    b"ANY(%_*?)",
    b"\xc3\x9f",
    b"\xc4\xb0",
    b"e\xcc\x81",
    b"\xe2\x80\xae",
];

/// A few random changes of one of the inputs.
pub(crate) fn mutate(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = rng.pick(corpus).clone();
    for _ in 0..1 + rng.below(4) {
        change(rng, corpus, &mut input);
    }
    input.truncate(MAX_BYTES);
    input
}

fn change(rng: &mut Rng, corpus: &[Vec<u8>], input: &mut Vec<u8>) {
    let at = rng.below(input.len() + 1);
    let end = (at + 1 + rng.below(8)).min(input.len());
    match rng.below(9) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = rng.next() as u8;
            }
        }
        2 => input.truncate(at),
        3 => drop(input.drain(at.min(end)..end)),
        4 => {
            let piece = input[at.min(end)..end].to_vec();
            let times = 1 << rng.below(9);
            drop(input.splice(at..at, piece.repeat(times)));
        }
        5 | 6 => {
            let word = rng.pick(WORDS);
            // In the place of something, or between.
            let until = if rng.below(2) == 0 { at } else { end.max(at) };
            drop(input.splice(at..until, word.iter().copied()));
        }
        7 => {
            let other = rng.pick(corpus);
            let from = rng.below(other.len() + 1);
            let to = from + rng.below(other.len() - from + 1);
            drop(input.splice(at..at, other[from..to].iter().copied()));
        }
        _ => {
            let (one, two) = (rng.below(input.len().max(1)), rng.below(input.len().max(1)));
            if !input.is_empty() {
                input.swap(one, two);
            }
        }
    }
}
