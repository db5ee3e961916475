use axum::extract::{FromRequestParts, MatchedPath, NestedPath};
use axum::http::request::Parts;
use chat_core::command::PageRequest;
use chat_core::error::{ChatError, ChatResult};
use chat_core::time::Timestamp;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::percent;
use crate::error::ApiError;
use crate::state::ApiState;

/// The parameters of a query string, each to be taken once.
#[derive(Debug)]
pub(crate) struct Params {
    fields: Vec<(String, String)>,
}

impl Params {
    fn parse(query: &str) -> ChatResult<Self> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name =
                percent::decode(name, true).ok_or_else(|| ChatError::invalid("query", "not readable"))?;
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(ChatError::invalid(name, "given twice"));
            }
            fields.push((name, value.to_owned()));
        }
        Ok(Self { fields })
    }

    /// What is left was not asked for.
    fn finish(self) -> ChatResult<()> {
        match self.fields.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(ChatError::invalid(name, "unknown parameter")),
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.fields.iter().position(|(other, _)| other == name)?;
        Some(self.fields.remove(at).1)
    }

    /// A text as it was sent.
    pub(crate) fn text(&mut self, name: &'static str) -> ChatResult<Option<String>> {
        let Some(raw) = self.take(name) else {
            return Ok(None);
        };
        percent::decode(&raw, true)
            .map(Some)
            .ok_or_else(|| ChatError::invalid(name, "not readable"))
    }

    /// Something made from a text; `read` says `None` to what it does not take.
    pub(crate) fn value<T>(
        &mut self,
        name: &'static str,
        problem: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> ChatResult<Option<T>> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => read(&text)
                .map(Some)
                .ok_or_else(|| ChatError::invalid(name, problem)),
        }
    }

    /// A number without sign.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, name: &'static str) -> ChatResult<Option<T>> {
        self.value(name, "not a whole number in range", |text| {
            // `parse` also takes a sign, which no number of this API has.
            text.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| text.parse().ok())?
        })
    }

    /// An RFC 3339 time.
    pub(crate) fn time(&mut self, name: &'static str) -> ChatResult<Option<Timestamp>> {
        self.value(name, "not an RFC 3339 time", |text| {
            let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
            Timestamp::deserialize(text).ok()
        })
    }

    /// A list: split at commas first, so that an item may hold an escaped one.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> ChatResult<Option<Vec<T>>> {
        let Some(raw) = self.take(name) else {
            return Ok(None);
        };
        raw.split(',')
            .filter(|item| !item.is_empty())
            .map(|item| percent::decode(item, true).and_then(|text| read(&text)))
            .collect::<Option<Vec<T>>>()
            .map(Some)
            .ok_or_else(|| ChatError::invalid(name, "holds something unreadable"))
    }

    /// `limit` and `cursor`.
    pub(crate) fn page(&mut self) -> ChatResult<PageRequest> {
        Ok(PageRequest {
            limit: self.number("limit")?,
            cursor: self.text("cursor")?,
        })
    }
}

/// What a route takes from its query string.
pub(crate) trait FromQuery: Sized {
    /// Takes its parameters.
    ///
    /// # Errors
    /// `invalid_argument` naming the parameter.
    fn from_query(params: &mut Params) -> ChatResult<Self>;
}

/// A read query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: FromQuery> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut params = Params::parse(parts.uri.query().unwrap_or_default())?;
        let read = T::from_query(&mut params)?;
        params.finish()?;
        Ok(Self(read))
    }
}

/// Refuses the query string of a request for an operation that reads none.
///
/// # Errors
/// `invalid_argument` naming the first parameter.
pub(crate) fn check_unread(parts: &Parts, state: &ApiState) -> ChatResult<()> {
    let Some(query) = parts.uri.query() else {
        return Ok(());
    };
    let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let prefix = parts.extensions.get::<NestedPath>().map(NestedPath::as_str);
    let path = matched.unwrap_or_default();
    let path = prefix
        .and_then(|prefix| path.strip_prefix(prefix))
        .unwrap_or(path);
    let method = match parts.method.as_str() {
        "HEAD" => "get".to_owned(),
        method => method.to_ascii_lowercase(),
    };
    if state.with_query.contains(&format!("{method} {path}")) {
        return Ok(());
    }
    Params::parse(query)?.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(error: ChatError) -> String {
        error.field().unwrap().to_owned()
    }

    #[test]
    fn parameters_are_refused_by_name() {
        assert_eq!(field(Params::parse("a=1&a=2").unwrap_err()), "a");
        assert_eq!(field(Params::parse("a=1&%61=2").unwrap_err()), "a");
        assert_eq!(field(Params::parse("b=1").unwrap().finish().unwrap_err()), "b");
        for bad in ["x", "-1", "+1", "1.5", "", "99999999999999999999", "%31%"] {
            let mut params = Params::parse(&format!("limit={bad}")).unwrap();
            assert_eq!(field(params.page().unwrap_err()), "limit", "{bad}");
        }
        let mut params = Params::parse("q=a%00b").unwrap();
        assert_eq!(field(params.text("q").unwrap_err()), "q");
    }

    #[test]
    fn lists_split_before_decoding() {
        let mut params = Params::parse("ids=a,b%2Cc,,d").unwrap();
        let ids = params.list("ids", |item| Some(item.to_owned())).unwrap().unwrap();
        assert_eq!(ids, ["a", "b,c", "d"]);
    }

    #[test]
    fn times_are_rfc_3339() {
        let mut params = Params::parse("from=2026-11-20T08:00:00Z&to=now").unwrap();
        assert_eq!(
            params.time("from").unwrap().unwrap().to_string(),
            "2026-11-20T08:00:00.000Z"
        );
        assert_eq!(field(params.time("to").unwrap_err()), "to");
    }
}
