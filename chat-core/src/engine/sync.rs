use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Catches up.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn sync(&self, _request: SyncRequest) -> ChatResult<SyncAnswer> {
        Err(ErrorCode::Internal.into())
    }
}
