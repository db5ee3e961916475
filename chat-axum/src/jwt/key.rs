use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use serde_json::Value;

use super::spki::{self, PublicKey};

/// A key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidKey(&'static str);

impl InvalidKey {
    pub(super) const fn new(problem: &'static str) -> Self {
        Self(problem)
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidKey {}

#[derive(Clone)]
enum Material {
    Hs256(hmac::Key),
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
    Es256(Vec<u8>),
    EdDsa(Vec<u8>),
}

/// A key that tokens are verified with. It has one algorithm, which tokens cannot change.
#[derive(Clone)]
pub struct JwtKey {
    material: Material,
    kid: Option<String>,
}

impl JwtKey {
    /// HS256 with a shared secret. RFC 7518 §3.2 asks for 32 bytes at least; fewer are taken with a warning in the log.
    ///
    /// # Errors
    /// [`InvalidKey`] for an empty secret.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, InvalidKey> {
        let secret = secret.as_ref();
        if secret.is_empty() {
            return Err(InvalidKey("the secret is empty"));
        }
        if secret.len() < 32 {
            tracing::warn!("the token secret has fewer than 32 bytes and may be guessed");
        }
        Ok(Self::of(Material::Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            secret,
        ))))
    }

    /// RS256, ES256 or EdDSA with a public key in PEM form (`-----BEGIN PUBLIC KEY-----`, RFC 7468 §13); the key
    /// itself says which.
    ///
    /// # Errors
    /// [`InvalidKey`] for anything but an RSA key of 2048 to 8192 bits, a P-256 key or an Ed25519 key.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        match spki::from_pem(pem)? {
            PublicKey::Rsa { n, e } => Self::rsa(n, e),
            PublicKey::P256(point) => Self::p256(point),
            PublicKey::Ed25519(point) => Self::ed25519(point),
        }
    }

    /// A key in JWK form (RFC 7517), with its `kid`.
    ///
    /// # Errors
    /// [`InvalidKey`] for other kinds of keys, and for one whose `alg` or `use` is for something else.
    pub fn from_jwk(jwk: &Value) -> Result<Self, InvalidKey> {
        let jwk = Jwk::deserialize(jwk).map_err(|_| InvalidKey("not a JSON Web Key"))?;
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(InvalidKey("the key is not for signatures"));
        }
        let part = |text: &Option<String>| {
            text.as_deref()
                .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
                .ok_or(InvalidKey("a part of the key is missing or unreadable"))
        };
        let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("oct", None) => Self::hs256(part(&jwk.k)?)?,
            ("RSA", None) => Self::rsa(part(&jwk.n)?, part(&jwk.e)?)?,
            ("EC", Some("P-256")) => Self::p256([vec![4], part(&jwk.x)?, part(&jwk.y)?].concat())?,
            ("OKP", Some("Ed25519")) => Self::ed25519(part(&jwk.x)?)?,
            _ => return Err(InvalidKey("not a kind of key that is taken")),
        };
        if jwk.alg.as_deref().is_some_and(|alg| alg != key.algorithm()) {
            return Err(InvalidKey("the key is for another algorithm"));
        }
        Ok(Self { kid: jwk.kid, ..key })
    }

    /// The name tokens choose it by.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    const fn of(material: Material) -> Self {
        Self { material, kid: None }
    }

    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, InvalidKey> {
        // Big-endian without leading zeros, as `ring` wants them.
        let strip = |bytes: Vec<u8>| {
            bytes
                .into_iter()
                .skip_while(|byte| *byte == 0)
                .collect::<Vec<_>>()
        };
        let (n, e) = (strip(n), strip(e));
        if !(256..=1024).contains(&n.len()) || e.is_empty() {
            return Err(InvalidKey("an RSA key has 2048 to 8192 bits"));
        }
        Ok(Self::of(Material::Rs256(RsaPublicKeyComponents { n, e })))
    }

    fn p256(point: Vec<u8>) -> Result<Self, InvalidKey> {
        if point.len() != 65 || point.first() != Some(&4) {
            return Err(InvalidKey("not an uncompressed P-256 point"));
        }
        Ok(Self::of(Material::Es256(point)))
    }

    fn ed25519(point: Vec<u8>) -> Result<Self, InvalidKey> {
        if point.len() != 32 {
            return Err(InvalidKey("an Ed25519 key has 32 bytes"));
        }
        Ok(Self::of(Material::EdDsa(point)))
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only `alg` it verifies.
    pub(super) const fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Hs256(_) => "HS256",
            Material::Rs256(_) => "RS256",
            Material::Es256(_) => "ES256",
            Material::EdDsa(_) => "EdDSA",
        }
    }

    pub(super) fn verifies(&self, signed: &str, signature: &[u8]) -> bool {
        let signed = signed.as_bytes();
        let public = |algorithm: &'static dyn VerificationAlgorithm, key: &Vec<u8>| {
            UnparsedPublicKey::new(algorithm, key)
                .verify(signed, signature)
                .is_ok()
        };
        match &self.material {
            Material::Hs256(key) => hmac::verify(key, signed, signature).is_ok(),
            Material::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok(),
            Material::Es256(key) => public(&ECDSA_P256_SHA256_FIXED, key),
            Material::EdDsa(key) => public(&ED25519, key),
        }
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}
