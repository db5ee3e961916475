//! The same send again: answered with the original, whatever has become of the right to send since.

use super::Sent;
use crate::access::{Action, Standing, allowed};
use crate::command::SendMessage;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::model::Conversation;
use crate::store::{Facts, MembersNeeded, Needs, Target};

impl Actor {
    /// A replay must not reach the hooks, so with hooks it is looked for first.
    pub(in crate::engine) async fn find_replay(
        &self,
        message: &SendMessage,
        target: &Target,
        hash: &str,
    ) -> ChatResult<Option<Sent>> {
        let Some(key) = message.client_id.clone() else {
            return Ok(None);
        };
        let me = self.user_id().clone();
        let mut needs = Needs::new(target.clone());
        needs.members = MembersNeeded::Of(vec![me.clone()]);
        needs.replay = Some((me.clone(), key));
        let (hash, policies) = (hash.to_owned(), self.engine().config().policies.clone());
        self.commit(needs, move |facts| {
            if facts.conversation.is_none() {
                return Ok(Decision::nothing(None));
            }
            let standing = Standing {
                conversation: facts.conversation.as_ref(),
                member: facts.acting(&me),
                has_blocked: false,
                is_blocked: false,
                restrictions: facts.restrictions,
                now: facts.now,
                policies: &policies,
            };
            let (conversation, _) = allowed(&standing, Action::Read)?;
            Ok(Decision::nothing(replay(facts, conversation, &hash)?))
        })
        .await
    }

    /// The send of a scheduled message that was made before it could be marked; its sender may have left since.
    pub(super) async fn find_sent(
        &self,
        message: &SendMessage,
        target: &Target,
        hash: &str,
    ) -> ChatResult<Option<Sent>> {
        let mut needs = Needs::new(target.clone());
        needs.replay = message.client_id.clone().map(|key| (self.user_id().clone(), key));
        let hash = hash.to_owned();
        self.commit(needs, move |facts| {
            let sent = match &facts.conversation {
                Some(conversation) => replay(facts, conversation, &hash)?,
                None => None,
            };
            Ok(Decision::nothing(sent))
        })
        .await
    }
}

/// The earlier send under the same key, or the conflict with it.
pub(super) fn replay(facts: &Facts, conversation: &Conversation, hash: &str) -> ChatResult<Option<Sent>> {
    let Some(original) = &facts.replay else {
        return Ok(None);
    };
    if original.payload_hash.as_deref() != Some(hash) {
        return Err(ChatError::new(
            ErrorCode::IdempotencyConflict,
            "this client_id was used for another message",
        )
        .with_field("client_id"));
    }
    Ok(Some(Sent {
        message: original.clone(),
        conversation: conversation.clone(),
        replayed: true,
        dropped_mentions: Vec::new(),
    }))
}
