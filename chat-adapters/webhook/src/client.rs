//! One POST, without redirects, and what its answer means.

use std::time::{Duration, SystemTime};

use chat_core::port::RelayFailure;
use chat_outbound::retry_after;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use rustls::ClientConfig;

/// An answer's body says nothing, but a connection can be used again only when it was read: so much of it, so long.
const BODY: usize = 16 * 1024;
const BODY_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub(crate) struct Client(chat_outbound::Client);

impl Client {
    pub(crate) fn new(tls: &ClientConfig) -> Self {
        Self(chat_outbound::client(tls, false))
    }

    /// Sends a request; any 2xx is a success.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<(), RelayFailure> {
        let response = self
            .0
            .request(request)
            .await
            .map_err(|error| RelayFailure::Retry {
                // Its own text could name the URL.
                reason: if error.is_connect() {
                    "no connection".to_owned()
                } else {
                    "the connection broke".to_owned()
                },
                after: None,
            })?;
        let outcome = judge(response.status(), response.headers(), SystemTime::now());
        read_off(response).await;
        outcome
    }
}

async fn read_off(response: Response<Incoming>) {
    let body = Limited::new(response.into_body(), BODY).collect();
    // What cannot be read costs the connection and nothing else: the status has said it all.
    let _ = tokio::time::timeout(BODY_PATIENCE, body).await;
}

fn judge(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Result<(), RelayFailure> {
    if status.is_success() {
        return Ok(());
    }
    let reason = format!("it answered {}", status.as_u16());
    if status == StatusCode::GONE {
        return Err(RelayFailure::Refused { reason });
    }
    Err(RelayFailure::Retry {
        reason,
        after: retry_after(headers, now),
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::RETRY_AFTER;

    use super::*;

    fn judged(status: u16, after: Option<&str>) -> Result<(), RelayFailure> {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().unwrap());
        }
        // 1994-11-06 08:49:37 UTC, the date of the specification.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        judge(StatusCode::from_u16(status).unwrap(), &headers, now)
    }

    #[test]
    fn answers_mean_what_the_specification_says() {
        for good in [200, 201, 202, 204, 299] {
            assert_eq!(judged(good, None), Ok(()));
        }
        for again in [301, 302, 400, 401, 404, 429, 500, 502, 503] {
            assert!(
                matches!(judged(again, None), Err(RelayFailure::Retry { after: None, .. })),
                "{again}"
            );
        }
        assert!(matches!(judged(410, None), Err(RelayFailure::Refused { .. })));
    }

    #[test]
    fn a_wish_to_wait_is_read_in_both_forms() {
        let wish = |value: &str| match judged(429, Some(value)) {
            Err(RelayFailure::Retry { after, .. }) => after.map(|after| after.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wish("120"), Some(120));
        assert_eq!(wish("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(wish("Sun, 06 Nov 1994 08:48:37 GMT"), None, "in the past");
        assert_eq!(wish("soon"), None);
        assert_eq!(wish("-5"), None);
    }
}
