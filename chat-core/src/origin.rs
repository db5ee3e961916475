//! Which web pages may open a live connection.
//!
//! Browsers let any page open a WebSocket to any server and tell the server the page's origin; nobody else checks it.
//! The rule is here once, for every gateway.

/// From which origins connections are taken. A request without `Origin` is no browser's cross-site request and is
/// always taken: what it may do depends on its credentials alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OriginPolicy {
    /// Only pages this server has served: the authority of `Origin` is the request's `Host`. The scheme is not
    /// compared, as a proxy in front may have taken TLS off.
    #[default]
    SameOrigin,
    /// Only these origins, such as `https://app.example.com`; the server's own counts only when it is listed.
    AllowList(Vec<String>),
}

impl OriginPolicy {
    /// Whether a request with these header fields is taken.
    #[must_use]
    pub fn allows(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else {
            return true;
        };
        let Some(origin) = Origin::parse(origin) else {
            return false;
        };
        match self {
            Self::SameOrigin => host.is_some_and(|host| origin.is_at(host)),
            Self::AllowList(allowed) => allowed
                .iter()
                .filter_map(|allowed| Origin::parse(allowed))
                .any(|allowed| allowed == origin),
        }
    }
}

/// An origin in one spelling: lower case, without the port its scheme implies.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    authority: String,
}

impl Origin {
    /// `None` for `null` and for anything that is not `scheme://authority`.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.trim().split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if scheme.is_empty() || authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
            return None;
        }
        let authority = without_default_port(authority, &scheme);
        Some(Self { scheme, authority })
    }

    fn is_at(&self, host: &str) -> bool {
        self.authority == without_default_port(host.trim(), &self.scheme)
    }
}

fn without_default_port(authority: &str, scheme: &str) -> String {
    let implied = match scheme {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => return authority.to_ascii_lowercase(),
    };
    authority
        .strip_suffix(implied)
        .unwrap_or(authority)
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_origin_a_request_is_taken() {
        assert!(OriginPolicy::SameOrigin.allows(None, Some("chat.example")));
        assert!(OriginPolicy::AllowList(Vec::new()).allows(None, None));
    }

    #[test]
    fn same_origin_compares_authority_and_host() {
        let same = |origin, host| OriginPolicy::SameOrigin.allows(Some(origin), Some(host));
        assert!(same("http://chat.example", "chat.example"));
        assert!(same("https://chat.example", "chat.example"));
        assert!(same("https://Chat.Example", "chat.EXAMPLE:443"));
        assert!(same("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(same("http://[::1]:3000", "[::1]:3000"));
        assert!(!same("http://chat.example:3000", "chat.example"));
        assert!(!same("http://chat.example", "chat.example:443"));
        assert!(!same("https://evil.example", "chat.example"));
        assert!(!same("https://chat.example.evil.example", "chat.example"));
        assert!(!same("https://chat.example@evil.example", "evil.example"));
        assert!(!same("null", "chat.example"));
        assert!(!same("", ""));
        assert!(!OriginPolicy::SameOrigin.allows(Some("http://chat.example"), None));
    }

    #[test]
    fn a_list_is_exact() {
        let list = OriginPolicy::AllowList(vec![
            "https://app.example/".to_owned(),
            "http://localhost:5173".to_owned(),
        ]);
        let allows = |origin| list.allows(Some(origin), Some("chat.example"));
        assert!(allows("https://app.example"));
        assert!(allows("https://APP.example:443"));
        assert!(allows("http://localhost:5173"));
        assert!(!allows("http://app.example"), "another scheme");
        assert!(!allows("http://localhost"), "another port");
        assert!(!allows("https://chat.example"), "its own, but not listed");
        assert!(!allows("null"));
    }
}
