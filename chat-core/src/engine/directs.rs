//! Direct conversations: one per pair, whoever opens it and however concurrently.

use crate::access::{Action, Standing, allowed};
use crate::command::{CommandName, OpenDirect};
use crate::engine::changeset::ChangeSet;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, UserId};
use crate::model::{
    Conversation, ConversationKind, DirectPair, Horizon, JsonObject, LastCountable, Member, Permissions,
};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::time::Timestamp;
use crate::view::OpenDirectAnswer;

impl Actor {
    /// Opens the direct conversation with a user: finds it, or makes it.
    ///
    /// # Errors
    /// `cannot_message_self`; `user_not_found`; for a new one `you_blocked` or `not_permitted` when one of the two
    /// has blocked the other; `rate_limited`.
    pub async fn open_direct(&self, open: OpenDirect) -> ChatResult<OpenDirectAnswer> {
        let about = self.about(CommandName::OpenDirect).users([&open.user_id]);
        self.command(about, self.open_direct_past_hooks(open)).await
    }

    async fn open_direct_past_hooks(&self, open: OpenDirect) -> ChatResult<OpenDirectAnswer> {
        let pair = self.direct_with(&open.user_id, "user_id").await?;
        if let Some(conversation) = self.inner().store.direct(&pair).await? {
            return Ok(OpenDirectAnswer {
                conversation: self.render_conversation(conversation.id).await?,
                created: false,
            });
        }
        self.take_create_allowance().await?;
        let new_id = ConversationId::from_uuid(self.inner().ids.next());
        let mut needs = Needs::new(Target::Direct(pair.clone()));
        needs.members = MembersNeeded::None;
        needs.blocks = Some((self.user_id().clone(), vec![open.user_id.clone()]));
        let me = self.user_id().clone();
        let policies = self.engine().config().policies.clone();
        let (id, created) = self
            .commit(needs, move |facts| {
                if let Some(existing) = &facts.conversation {
                    return Ok(Decision::nothing((existing.id, false)));
                }
                let draft = new_direct(new_id, &pair, &me, facts.now);
                allow_first_contact(&draft, &me, facts, &policies)?;
                let mut change = ChangeSet::of(&draft, facts);
                create_direct(&mut change, &pair);
                Ok(change.done((new_id, true)))
            })
            .await?;
        Ok(OpenDirectAnswer {
            conversation: self.render_conversation(id).await?,
            created,
        })
    }

    /// The pair of the caller and a known user.
    ///
    /// # Errors
    /// `cannot_message_self`, `user_not_found`.
    pub(crate) async fn direct_with(&self, other: &UserId, field: &'static str) -> ChatResult<DirectPair> {
        let Some(pair) = DirectPair::new(self.user_id(), other) else {
            return Err(ChatError::new(ErrorCode::CannotMessageSelf, "that is yourself").with_field(field));
        };
        if self.find_users(std::slice::from_ref(other)).await?.is_empty() {
            return Err(ChatError::new(ErrorCode::UserNotFound, "no such user").with_field(field));
        }
        Ok(pair)
    }

    /// The pair of a direct conversation; a pair never changes, so the answer is kept.
    pub(crate) async fn direct_pair(&self, id: ConversationId) -> ChatResult<Option<DirectPair>> {
        if let Some(pair) = self.inner().pairs.get(id) {
            return Ok(pair);
        }
        let found = self.inner().store.conversations(&[id]).await?.pop();
        let Some(conversation) = found else {
            return Err(ChatError::new(
                ErrorCode::ConversationNotFound,
                "no such conversation",
            ));
        };
        self.inner().pairs.put(id, conversation.pair.clone());
        Ok(conversation.pair)
    }
}

/// Refuses to make a direct between two of whom one has blocked the other.
pub(crate) fn allow_first_contact(
    draft: &Conversation,
    me: &UserId,
    facts: &Facts,
    policies: &crate::config::Policies,
) -> ChatResult<()> {
    let other = draft.pair.as_ref().and_then(|pair| pair.other(me)).unwrap_or(me);
    let member = new_member(draft, me, facts.now);
    let standing = Standing {
        conversation: Some(draft),
        member: Some(&member),
        has_blocked: facts.is_blocked(me, other),
        is_blocked: facts.is_blocked(other, me),
        restrictions: facts.restrictions,
        now: facts.now,
        policies,
    };
    allowed(&standing, Action::Send).map(|_| ())
}

/// A direct before its first commit: rev 0, nobody in it.
pub(crate) fn new_direct(
    id: ConversationId,
    pair: &DirectPair,
    creator: &UserId,
    now: Timestamp,
) -> Conversation {
    Conversation {
        id,
        kind: ConversationKind::Direct,
        pair: Some(pair.clone()),
        name: None,
        description: None,
        avatar: None,
        created_by: creator.clone(),
        created_at: now,
        last_activity_at: now,
        changed_at: now,
        rev: 0,
        last_seq: 0,
        last_countable: LastCountable::default(),
        members_rev: 0,
        member_count: 0,
        permissions: Permissions::default(),
        frozen: false,
        message_ttl_ms: None,
        slow_mode: None,
        sends_until: Timestamp::default(),
        custom: JsonObject::default(),
        dissolved_at: None,
        horizon: Horizon::default(),
    }
}

fn new_member(conversation: &Conversation, user: &UserId, now: Timestamp) -> Member {
    Member {
        rev: conversation.rev,
        ..Member::joined(conversation.id, user.clone(), now, 1)
    }
}

/// Puts both users into a new direct.
pub(crate) fn create_direct(change: &mut ChangeSet, pair: &DirectPair) {
    let rev = change.next_rev();
    change.conversation.members_rev = rev;
    change.conversation.member_count = 2;
    for user in [pair.low(), pair.high()] {
        let member = new_member(&change.conversation, user, change.at);
        change.put_member(member);
    }
    change.event(ChatEvent::ConversationCreated {
        conversation_id: change.conversation.id,
        rev,
        users: vec![pair.low().clone(), pair.high().clone()],
    });
}
