use std::fmt;

use serde::Serialize;

use super::Explain;
use crate::access::{Action, Standing, allowed};
use crate::error::ChatResult;
use crate::id::{ConversationId, UserId};
use crate::model::{ConversationKind, Member, MemberState, Role, User};

/// Whether a user may do something in a conversation, and by which rule not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DenialExplanation {
    /// Who.
    pub user_id: UserId,
    /// Where.
    pub conversation_id: ConversationId,
    /// What, as [`Action`] names it.
    pub action: String,
    /// Whether he may.
    pub allowed: bool,
    /// The code he would be refused with.
    pub code: Option<&'static str>,
    /// The rule that refuses, in the words its error carries. These words differ where the code does not.
    pub rule: Option<String>,
    /// The kind of the conversation; `None` when there is none of that id.
    pub kind: Option<ConversationKind>,
    /// What he is there; `None` when he never was a member.
    pub member_state: Option<MemberState>,
    /// His rank there.
    pub role: Option<Role>,
    /// Whether the conversation is frozen.
    pub frozen: bool,
    /// In a direct: whether he has blocked the other.
    pub has_blocked: bool,
    /// In a direct: whether the other has blocked him. The user himself is never told.
    pub is_blocked: bool,
    /// Whether he is suspended: then he does not even come in.
    pub suspended: bool,
}

impl Explain {
    /// Why a user may do something in a conversation or not. Only the right is explained: windows, versions and limits
    /// of single commands are not.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn denied(
        &self,
        user: &UserId,
        action: Action<'_>,
        id: ConversationId,
    ) -> ChatResult<DenialExplanation> {
        let store = &self.engine.inner().store;
        let conversation = store.conversations(&[id]).await?.pop();
        let member = store.member(id, user).await?;
        let row = store.users(std::slice::from_ref(user)).await?.pop();
        let pair = conversation.as_ref().and_then(|found| found.pair.as_ref());
        let blocks = match pair.and_then(|pair| pair.other(user)) {
            Some(peer) => store.blocks_among(user, std::slice::from_ref(peer)).await?,
            None => crate::store::Blocks::default(),
        };
        let standing = Standing {
            conversation: conversation.as_ref(),
            member: member.as_ref(),
            has_blocked: !blocks.blocked.is_empty(),
            is_blocked: !blocks.blocked_by.is_empty(),
            restrictions: row.as_ref().map(User::restrictions).unwrap_or_default(),
            now: self.engine.now(),
            policies: &self.engine.config().policies,
        };
        let refusal = allowed(&standing, action).err();
        Ok(DenialExplanation {
            user_id: user.clone(),
            conversation_id: id,
            action: name_of(action),
            allowed: refusal.is_none(),
            code: refusal.as_ref().map(|refusal| refusal.code().as_str()),
            rule: refusal.map(|refusal| refusal.detail().to_owned()),
            kind: conversation.as_ref().map(|found| found.kind),
            member_state: member.as_ref().map(|member| member.state),
            role: member.as_ref().map(|member| member.role),
            frozen: conversation.as_ref().is_some_and(|found| found.frozen),
            has_blocked: standing.has_blocked,
            is_blocked: standing.is_blocked,
            suspended: row.is_some_and(|row| row.is_suspended(standing.now)),
        })
    }
}

fn with_target(name: &str, target: Option<&Member>) -> String {
    let whom = target.map(|target| format!(" {}", target.user_id));
    format!("{name}{}", whom.unwrap_or_default())
}

/// The action's name in `snake_case`, with whom it is about.
fn name_of(action: Action<'_>) -> String {
    match action {
        Action::RemoveMember(target) => return with_target("remove_member", target),
        Action::MuteMember(target) => return with_target("mute_member", target),
        _ => {}
    }
    let mut name = String::new();
    for c in format!("{action:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

impl fmt::Display for DenialExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user_id,
            conversation_id,
            action,
            ..
        } = self;
        match (&self.code, &self.rule) {
            (Some(code), Some(rule)) => {
                write!(
                    f,
                    "{user_id} may not {action} in {conversation_id}: {code}, {rule}"
                )?;
            }
            _ => write!(f, "{user_id} may {action} in {conversation_id}")?,
        }
        match (self.kind, self.member_state) {
            (None, _) => f.write_str(" (there is no such conversation)")?,
            (Some(_), None) => f.write_str(" (he never was a member)")?,
            (Some(_), Some(MemberState::Left)) => f.write_str(" (he left)")?,
            (Some(_), Some(MemberState::Removed)) => f.write_str(" (he was removed)")?,
            _ => {}
        }
        if self.is_blocked {
            f.write_str(" (the other has blocked him)")?;
        }
        if self.suspended {
            f.write_str(" (he is suspended and does not even come in)")?;
        }
        Ok(())
    }
}
