use async_trait::async_trait;

use super::MemoryStore;
use crate::error::BackendResult;
use crate::id::MessageId;
use crate::model::FormerText;
use crate::store::EditStore;

#[async_trait]
impl EditStore for MemoryStore {
    async fn former_texts(
        &self,
        message: MessageId,
        before: Option<u32>,
        limit: usize,
    ) -> BackendResult<Vec<FormerText>> {
        let state = self.state();
        let texts = state.former_texts.get(&message).into_iter().flatten();
        let mut texts: Vec<FormerText> = texts
            .filter(|(version, _)| before.is_none_or(|before| **version < before))
            .map(|(_, text)| text.clone())
            .collect();
        texts.reverse();
        texts.truncate(limit);
        Ok(texts)
    }
}
