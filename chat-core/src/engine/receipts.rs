use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Who has a message, and since when.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn receipts(&self, _id: MessageId, _page: PageRequest) -> ChatResult<Page<ReceiptView>> {
        Err(ErrorCode::Internal.into())
    }
}
