use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use crate::FcmError;

/// What the tokens asked for may do.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long an assertion is good.
const LIFE: Duration = Duration::from_secs(3_600);

/// A Google service account that may send messages of one project.
#[derive(Clone)]
pub struct ServiceAccount {
    pub(crate) project: String,
    pub(crate) token_url: String,
    email: String,
    key_id: Option<String>,
    key: Arc<RsaKeyPair>,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

/// The file as Google hands it out.
#[derive(Deserialize)]
struct File {
    project_id: String,
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default = "google")]
    token_uri: String,
}

fn google() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl ServiceAccount {
    /// Reads the JSON file that Google hands out for a service account.
    ///
    /// # Errors
    /// [`FcmError::Account`], [`FcmError::Key`].
    pub fn from_json(json: &str) -> Result<Self, FcmError> {
        // What is wrong with it is not passed on: it could quote the key.
        let file: File = serde_json::from_str(json).map_err(|_| FcmError::Account)?;
        let plain = |id: &str| {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
            !id.is_empty() && id.bytes().all(good)
        };
        if !plain(&file.project_id) || file.client_email.is_empty() {
            return Err(FcmError::Account);
        }
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes()).map_err(|_| FcmError::Key)?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| FcmError::Key)?;
        Ok(Self {
            project: file.project_id,
            token_url: file.token_uri,
            email: file.client_email,
            key_id: file.private_key_id,
            key: Arc::new(key),
        })
    }

    /// The signed statement that an access token is given for; `audience` is where it is asked for.
    pub(crate) fn assertion(&self, audience: &str, now: SystemTime) -> Result<String, FcmError> {
        let issued = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = match &self.key_id {
            Some(id) => json!({ "alg": "RS256", "typ": "JWT", "kid": id }),
            None => json!({ "alg": "RS256", "typ": "JWT" }),
        };
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": audience,
            "iat": issued,
            "exp": issued + LIFE.as_secs(),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| FcmError::Key)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
