use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Its members.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn members(&self, _id: ConversationId, _page: PageRequest) -> ChatResult<Page<MemberView>> {
        Err(ErrorCode::Internal.into())
    }
    /// Adds members.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn add_members(&self, _id: ConversationId, _add: AddMembers) -> ChatResult<AddMembersAnswer> {
        Err(ErrorCode::Internal.into())
    }
    /// Changes a member's rank.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn set_role(
        &self,
        _id: ConversationId,
        _user: &UserId,
        _set: SetRole,
    ) -> ChatResult<MemberView> {
        Err(ErrorCode::Internal.into())
    }
    /// Removes a member, or leaves.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn remove_member(&self, _id: ConversationId, _user: &UserId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// Hands ownership over.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn transfer_ownership(
        &self,
        _id: ConversationId,
        _to: TransferOwnership,
    ) -> ChatResult<MemberView> {
        Err(ErrorCode::Internal.into())
    }
}
