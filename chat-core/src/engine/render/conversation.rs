use super::*;
use crate::error::ErrorCode;
use crate::store::InboxEntry;
use crate::view::{ConversationView, MemberView};

impl Actor {
    /// One conversation as he sees it. `conversation_not_found` and `conversation_gone` as `allowed` says.
    pub(crate) async fn render_conversation(&self, _id: ConversationId) -> ChatResult<ConversationView> {
        Err(ErrorCode::Internal.into())
    }
    /// Entries of his list as he sees them, in the same order.
    pub(crate) async fn render_entries(
        &self,
        _entries: Vec<InboxEntry>,
    ) -> ChatResult<Vec<ConversationView>> {
        Err(ErrorCode::Internal.into())
    }
    /// Members of one conversation as he sees them, in the same order.
    pub(crate) async fn render_members(
        &self,
        _conversation: &Conversation,
        _members: Vec<Member>,
    ) -> ChatResult<Vec<MemberView>> {
        Err(ErrorCode::Internal.into())
    }
}
