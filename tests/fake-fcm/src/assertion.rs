//! Assertions of service accounts, verified as RFC 7523 and Google say.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

pub(crate) const KEY: &str = include_str!("../test-key.pem");
pub(crate) const EMAIL: &str = "chat@test-project.iam.example.com";
pub(crate) const KEY_ID: &str = "key-1";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// What is wrong with an assertion.
pub(crate) fn fault_of(assertion: &str, audience: &str) -> Option<String> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Some("an assertion has three parts".to_owned());
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let der = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref());
    let signed = format!("{header}.{claims}");
    let good = decode(signature).is_some_and(|signature| key.verify(signed.as_bytes(), &signature).is_ok());
    if !good {
        return Some("the signature is not the account's".to_owned());
    }
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok();
    let (Some(header), Some(claims)) = (json(header), json(claims)) else {
        return Some("a part is no JSON".to_owned());
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (issued, expires) = (claims["iat"].as_u64()?, claims["exp"].as_u64()?);
    let checks = [
        (header["alg"] == "RS256", "alg"),
        (header["typ"] == "JWT", "typ"),
        (header["kid"] == KEY_ID, "kid"),
        (claims["iss"] == EMAIL, "iss"),
        (claims["scope"] == SCOPE, "scope"),
        (claims["aud"] == audience, "aud"),
        (issued.abs_diff(now) < 300, "iat"),
        (expires > now && expires - issued <= 3_600, "exp"),
    ];
    let bad = checks.into_iter().find(|(good, _)| !good)?;
    Some(format!("{} is wrong: {header} {claims}", bad.1))
}
