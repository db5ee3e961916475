use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::WebhookError;

/// A secret shared with a receiver.
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

impl WebhookSecret {
    /// Reads a secret: `whsec_` and the Base64 of 24 to 64 random bytes.
    ///
    /// # Errors
    /// [`WebhookError::Secret`].
    pub fn parse(secret: &str) -> Result<Self, WebhookError> {
        let key = secret
            .strip_prefix("whsec_")
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .filter(|key| (24..=64).contains(&key.len()))
            .ok_or(WebhookError::Secret)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The signature of one attempt, as it stands in the header.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_vector_of_the_specification() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            secret.sign(
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn weak_and_foreign_secrets_are_refused_and_never_shown() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7_u8; bytes]));
        for good in [24, 32, 64] {
            assert!(WebhookSecret::parse(&of(good)).is_ok(), "{good}");
        }
        let bad = [
            of(23),
            of(65),
            of(32).replace("whsec_", ""),
            "whsec_%".to_owned(),
            String::new(),
        ];
        for bad in bad {
            let refused = WebhookSecret::parse(&bad).unwrap_err();
            assert!(bad.is_empty() || !refused.to_string().contains(&bad));
        }
        let shown = format!("{:?}", WebhookSecret::parse(&of(32)).unwrap());
        assert_eq!(shown, "WebhookSecret(…)");
    }
}
