//! What an answer of FCM means.

use std::time::Duration;

use chat_core::port::Notified;
use hyper::StatusCode;
use serde::Deserialize;

use crate::request::Answer;

/// The pause after a refusal for quota that names none, as FCM's documentation asks.
const QUOTA_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    status: String,
    details: Vec<Detail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    #[serde(rename = "errorCode")]
    error_code: String,
    #[serde(rename = "fieldViolations")]
    field_violations: Vec<Violation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Violation {
    field: String,
}

impl Status {
    /// The code of FCM, else the general one.
    fn code(&self) -> &str {
        let of_fcm = self.details.iter().map(|detail| detail.error_code.as_str());
        of_fcm
            .into_iter()
            .find(|code| !code.is_empty())
            .unwrap_or(&self.status)
    }

    /// Whether nothing but the token is wrong with the message.
    fn blames_the_token(&self) -> bool {
        let mut violations = self
            .details
            .iter()
            .flat_map(|detail| &detail.field_violations)
            .peekable();
        violations.peek().is_some() && violations.all(|violation| violation.field == "message.token")
    }
}

/// A device goes only on a definite word about its token.
pub(crate) fn judge(answer: &Answer) -> Notified {
    let status = answer.status;
    if status.is_success() {
        return Notified::Sent;
    }
    // What is no JSON, a proxy's page say, has no code.
    let error = serde_json::from_slice::<Body>(&answer.body)
        .unwrap_or_default()
        .error;
    let code = error.code();
    // A stable word of the protocol, never a text that could quote the token.
    let word = if code.len() <= 40 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
        code
    } else {
        ""
    };
    let reason = format!("FCM answered {} {word}", status.as_u16())
        .trim_end()
        .to_owned();
    let retry = |after: Option<Duration>| Notified::Retry {
        reason: reason.clone(),
        after: answer.retry_after.or(after),
    };
    match (status, code) {
        (StatusCode::NOT_FOUND, "UNREGISTERED") | (StatusCode::FORBIDDEN, "SENDER_ID_MISMATCH") => {
            Notified::Dead
        }
        (StatusCode::BAD_REQUEST, _) if error.blames_the_token() => Notified::Dead,
        (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE, _) => Notified::Refused { reason },
        (StatusCode::TOO_MANY_REQUESTS, _) => retry(Some(QUOTA_PAUSE)),
        // The host's credentials or project, or FCM itself: no fault of the device or the message.
        _ => retry(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str, after: Option<u64>) -> Notified {
        judge(&Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.to_owned().into(),
            retry_after: after.map(Duration::from_secs),
        })
    }

    fn with_code(status: u16, general: &str, code: &str) -> Notified {
        let detail = r#"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"CODE"}"#;
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"x","status":"{general}","details":[{}]}}}}"#,
            detail.replace("CODE", code)
        );
        judged(status, &body, None)
    }

    fn wish(notified: &Notified) -> Option<u64> {
        match notified {
            Notified::Retry { after, .. } => after.map(|after| after.as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_device_goes_on_a_word_about_its_token_only() {
        let bad_field = |field: &str| {
            let body = format!(
                r#"{{"error":{{"status":"INVALID_ARGUMENT","details":[{{"errorCode":"INVALID_ARGUMENT"}},
                {{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{{"field":"{field}"}}]}}]}}}}"#
            );
            judged(400, &body, None)
        };
        assert_eq!(with_code(404, "NOT_FOUND", "UNREGISTERED"), Notified::Dead);
        assert_eq!(
            with_code(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
            Notified::Dead
        );
        assert_eq!(bad_field("message.token"), Notified::Dead);
        for refused in [
            bad_field("message.data[0]"),
            bad_field(""),
            with_code(400, "INVALID_ARGUMENT", ""),
        ] {
            assert!(matches!(refused, Notified::Refused { .. }), "{refused:?}");
        }
        for (status, body) in [
            (404, "<html>no such page</html>"),
            (404, r#"{"error":{"status":"NOT_FOUND"}}"#),
            (403, r#"{"error":{"status":"PERMISSION_DENIED"}}"#),
            (401, ""),
            (500, r#"{"error":{"details":[{"errorCode":"UNREGISTERED"}]}}"#),
            (503, "{}"),
            (302, ""),
        ] {
            let kept = judged(status, body, None);
            assert!(
                matches!(kept, Notified::Retry { after: None, .. }),
                "{status} {kept:?}"
            );
        }
    }

    #[test]
    fn pauses_are_those_that_were_asked_for() {
        assert_eq!(wish(&judged(429, "", None)), Some(60));
        assert_eq!(wish(&judged(429, "", Some(7))), Some(7));
        assert_eq!(wish(&judged(503, "", Some(30))), Some(30));
        assert_eq!(
            wish(&with_code(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")),
            Some(60)
        );
    }

    #[test]
    fn reasons_name_codes_and_quote_nothing() {
        let reason = |notified: Notified| match notified {
            Notified::Retry { reason, .. } | Notified::Refused { reason } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            reason(with_code(503, "UNAVAILABLE", "UNAVAILABLE")),
            "FCM answered 503 UNAVAILABLE"
        );
        let quoting = r#"{"error":{"status":"token abc is bad"}}"#;
        assert_eq!(reason(judged(500, quoting, None)), "FCM answered 500");
    }
}
