use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chat_core::port::Credentials;
use serde::Deserialize;

/// The `auth` object of a Socket.IO handshake. Other members are the host's own and stay unread.
#[derive(Deserialize)]
struct Handshake {
    token: Option<String>,
}

/// What the client showed: `auth.token`, else a bearer token in `Authorization`; and all header fields.
pub(crate) fn credentials(request: &Parts, handshake: Option<&str>) -> Credentials {
    let shown = handshake
        .and_then(|text| serde_json::from_str::<Handshake>(text).ok())
        .and_then(|handshake| handshake.token);
    let bearer = || {
        let value = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    };
    Credentials {
        token: shown.or_else(bearer),
        headers: request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_handshake_comes_before_the_header() {
        let parts = parts(&[("authorization", "Bearer header"), ("cookie", "sid=1")]);
        let token = |auth| credentials(&parts, auth).token;
        assert_eq!(token(Some(r#"{"token":"t","more":1}"#)).as_deref(), Some("t"));
        assert_eq!(token(Some("{}")).as_deref(), Some("header"));
        assert_eq!(token(Some(r#"{"token":7}"#)).as_deref(), Some("header"));
        assert_eq!(token(None).as_deref(), Some("header"));
        assert_eq!(credentials(&parts, None).header("cookie"), Some("sid=1"));
    }
}
