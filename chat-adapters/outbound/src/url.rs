use std::net::IpAddr;

use hyper::Uri;

/// Why a URL is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is none.
    #[error("this is no URL such as https://example.com/events")]
    Url,
    /// A user name or password stands in it.
    #[error("a URL with a user name or a password is not taken")]
    Userinfo,
    /// Contents of chats would travel in the clear.
    #[error("plain http goes to this machine only; use https")]
    PlainHttp,
}

/// A URL to call: `https`, or plain `http` on this machine, or with `plain_everywhere` on all.
///
/// # Errors
/// [`UrlError`].
pub fn checked(url: &str, plain_everywhere: bool) -> Result<Uri, UrlError> {
    let uri: Uri = url.parse().map_err(|_| UrlError::Url)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(UrlError::Url);
    };
    if authority.as_str().contains('@') {
        return Err(UrlError::Userinfo);
    }
    match scheme {
        "https" => Ok(uri),
        "http" if plain_everywhere || is_here(authority.host()) => Ok(uri),
        "http" => Err(UrlError::PlainHttp),
        _ => Err(UrlError::Url),
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_gets_plain_http() {
        let judged = |url: &str| checked(url, false).map_err(|error| error.to_string());
        for good in [
            "https://example.com/events?token=x",
            "http://127.0.0.1:8080/",
            "http://localhost/x",
            "http://LOCALHOST:1/x",
            "http://[::1]:8080/x",
        ] {
            assert!(judged(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://example.com/", "https"),
            ("http://127.0.0.1.example.com/", "https"),
            ("http://10.0.0.1/", "https"),
            ("ftp://localhost/", "no URL"),
            ("example.com/events", "no URL"),
            ("/events", "no URL"),
            ("", "no URL"),
            ("https://user:word@example.com/", "password"),
        ] {
            assert!(judged(bad).unwrap_err().contains(why), "{bad}");
        }
        assert!(checked("http://example.com/", true).is_ok());
    }
}
