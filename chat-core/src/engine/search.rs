use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Messages by text.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn search_messages(&self, _search: SearchMessages) -> ChatResult<Page<MessageView>> {
        Err(ErrorCode::Internal.into())
    }
}
