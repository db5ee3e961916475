use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::id::ConversationId;
use crate::model::DirectPair;

/// The pairs of direct conversations, which never change, so that a send need not look them up.
#[derive(Debug, Default)]
pub(crate) struct PairCache {
    pairs: Mutex<HashMap<ConversationId, Option<DirectPair>>>,
}

impl PairCache {
    /// How many are kept; beyond it all are dropped and looked up again.
    const KEPT: usize = 65_536;

    /// The pair, `Some(None)` for a group, `None` when it is not known here.
    pub(crate) fn get(&self, id: ConversationId) -> Option<Option<DirectPair>> {
        self.pairs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    pub(crate) fn put(&self, id: ConversationId, pair: Option<DirectPair>) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() >= Self::KEPT {
            pairs.clear();
        }
        pairs.insert(id, pair);
    }
}
