//! Public keys in PEM form: just enough DER for the three kinds that are taken (RFC 5280 §4.1.2.7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::InvalidKey;

/// What a PEM file held.
pub(super) enum PublicKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

pub(super) fn from_pem(pem: &str) -> Result<PublicKey, InvalidKey> {
    let inner = pem
        .split_once("-----BEGIN PUBLIC KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PUBLIC KEY-----"))
        .ok_or(InvalidKey::new("not a PEM public key"))?
        .0;
    let text: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = STANDARD
        .decode(text)
        .map_err(|_| InvalidKey::new("not a PEM public key"))?;
    read(&der).ok_or(InvalidKey::new("not a kind of public key that is taken"))
}

fn read(der: &[u8]) -> Option<PublicKey> {
    let (info, rest) = element(der, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (algorithm, info) = element(info, SEQUENCE)?;
    let (kind, parameters) = element(algorithm, OBJECT_ID)?;
    let (bits, rest) = element(info, BIT_STRING)?;
    // The first byte counts unused bits, of which whole bytes have none.
    let (0, key) = bits.split_first().map(|(unused, key)| (*unused, key))? else {
        return None;
    };
    if !rest.is_empty() {
        return None;
    }
    match kind {
        RSA => {
            let (numbers, _) = element(key, SEQUENCE)?;
            let (n, numbers) = element(numbers, INTEGER)?;
            let (e, _) = element(numbers, INTEGER)?;
            Some(PublicKey::Rsa {
                n: n.to_vec(),
                e: e.to_vec(),
            })
        }
        EC => (element(parameters, OBJECT_ID)?.0 == P256).then(|| PublicKey::P256(key.to_vec())),
        ED25519 => Some(PublicKey::Ed25519(key.to_vec())),
        _ => None,
    }
}

/// The content of the element at the front, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ (0x81 | 0x82) => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = bytes.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
