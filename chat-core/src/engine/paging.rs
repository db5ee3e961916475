//! Page sizes and cursors, the same for every list.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::command::PageRequest;
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::text::fold;

impl Actor {
    /// The page size asked for, or the default.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`) outside 1 to the configured maximum.
    pub(crate) fn limit(&self, asked: Option<usize>) -> ChatResult<usize> {
        let limits = &self.engine().config().limits;
        let limit = asked.unwrap_or(limits.page_default);
        if (1..=limits.page_max).contains(&limit) {
            Ok(limit)
        } else {
            Err(ChatError::invalid(
                "limit",
                format!("between 1 and {}", limits.page_max),
            ))
        }
    }

    /// A part of a name that a list is narrowed to, folded; `None` when it says nothing.
    ///
    /// # Errors
    /// `invalid_argument` (`q`): too long, or with U+0000.
    pub(crate) fn name_part(&self, q: Option<&str>) -> ChatResult<Option<String>> {
        let Some(q) = q else { return Ok(None) };
        if q.len() > self.engine().config().limits.query_bytes {
            return Err(ChatError::invalid("q", "too long"));
        }
        if q.contains('\0') {
            return Err(ChatError::invalid("q", "holds U+0000"));
        }
        let q = q.trim();
        Ok((!q.is_empty()).then(|| fold(q)))
    }

    /// Where the page before ended; `purpose` names the list with everything that selects its items.
    ///
    /// # Errors
    /// `invalid_cursor` for a cursor of another user, list or server.
    pub(crate) fn cursor<T: DeserializeOwned>(
        &self,
        purpose: &str,
        page: &PageRequest,
    ) -> ChatResult<Option<T>> {
        let Some(cursor) = &page.cursor else {
            return Ok(None);
        };
        self.inner()
            .sealer
            .open(self.user_id(), purpose, cursor)
            .map(Some)
            .ok_or_else(|| {
                ChatError::new(ErrorCode::InvalidCursor, "not a cursor of this list").with_field("cursor")
            })
    }

    /// The cursor after `key`, when there is more.
    pub(crate) fn next_cursor<K: Serialize>(
        &self,
        purpose: &str,
        more: bool,
        key: Option<&K>,
    ) -> Option<String> {
        key.filter(|_| more)
            .map(|key| self.inner().sealer.seal(self.user_id(), purpose, key))
    }
}
