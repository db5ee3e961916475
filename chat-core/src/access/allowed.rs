use crate::config::Policies;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::UserId;
use crate::model::{
    Conversation, ConversationKind, Member, MemberState, Muted, Permission, Restrictions, Role,
};
use crate::time::Timestamp;

/// What somebody wants to do in a conversation.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Action<'a> {
    /// See it, read its history, move one's own marks and settings.
    Read,
    /// Send a message.
    Send,
    /// Mention everyone.
    MentionAll,
    /// Edit one's own message, step a meeting, move a location: needs what sending needs.
    Edit,
    /// Delete one's own message: stays allowed when sending is not.
    DeleteOwn,
    /// Delete somebody else's message for everyone.
    Moderate,
    /// React to a message.
    React,
    /// Pin a message, or take its pin off.
    PinMessages,
    /// Show that one types.
    Type,
    /// Edit name, description, picture.
    EditInfo,
    /// Change after what time messages disappear.
    SetTimer,
    /// Keep a disappearing message, or let it go again.
    Keep,
    /// Change permissions, freeze, edit custom data.
    Configure,
    /// Add members.
    AddMembers,
    /// Remove this member; `None`: anybody at all.
    RemoveMember(Option<&'a Member>),
    /// Take the right to write from this member, or give it back; `None`: anybody at all.
    MuteMember(Option<&'a Member>),
    /// Leave.
    Leave,
    /// Change a member's rank.
    SetRole,
    /// Hand ownership over.
    TransferOwnership,
    /// Delete the group.
    Dissolve,
}

/// Who wants to do it, and how he stands to the conversation.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The conversation; `None` when there is none of that id.
    pub conversation: Option<&'a Conversation>,
    /// His membership, also a past one.
    pub member: Option<&'a Member>,
    /// In a direct: whether he has blocked the other.
    pub has_blocked: bool,
    /// In a direct: whether the other has blocked him.
    pub is_blocked: bool,
    /// What moderators have forbidden him everywhere, where that matters: for writing.
    pub restrictions: Restrictions,
    /// The time mutes are judged by.
    pub now: Timestamp,
    /// The policies in force.
    pub policies: &'a Policies,
}

fn hidden() -> ChatError {
    ChatError::new(ErrorCode::ConversationNotFound, "no such conversation")
}

fn forbidden(detail: &'static str) -> ChatError {
    ChatError::new(ErrorCode::Forbidden, detail)
}

/// Whether somebody may do something; the only home of these rules, asked inside the transaction that stores the
/// result. Answers with the conversation and his membership.
///
/// # Errors
/// First match wins:
/// - `conversation_not_found`: there is none, or he is no member (also no longer); `conversation_gone` when he was a
///   member of a group that was deleted.
/// - `invalid_operation`: directs have no info, members, ranks or owner.
/// - `forbidden`: his rank does not allow it.
/// - `you_blocked`, `not_permitted`: one of a direct's two has blocked the other.
/// - `not_permitted`: the conversation is frozen, or he is muted here or everywhere (`details.muted_until`).
pub fn allowed<'a>(
    standing: &Standing<'a>,
    action: Action<'_>,
) -> ChatResult<(&'a Conversation, &'a Member)> {
    let (Some(conversation), Some(member)) = (standing.conversation, standing.member) else {
        return Err(hidden());
    };
    match member.state {
        MemberState::Active => {}
        MemberState::Dissolved => {
            return Err(ChatError::new(
                ErrorCode::ConversationGone,
                "the conversation was deleted",
            ));
        }
        MemberState::Left | MemberState::Removed => return Err(hidden()),
    }
    if conversation.kind == ConversationKind::Direct {
        allowed_in_direct(standing, action)?;
    } else {
        allowed_by_rank(conversation, member, action)?;
    }
    if conversation.frozen && writes(action) {
        return Err(ChatError::new(
            ErrorCode::NotPermitted,
            "the conversation is frozen",
        ));
    }
    if writes(action) {
        may_write(standing, member)?;
    }
    Ok((conversation, member))
}

/// Refuses who is muted here or everywhere, or suspended by now.
fn may_write(standing: &Standing<'_>, member: &Member) -> ChatResult<()> {
    let Restrictions { suspended, muted } = standing.restrictions;
    let holds = |until: Option<Muted>| until.filter(|until| until.is_active(standing.now));
    for (until, detail) in [
        (holds(suspended), "this user is suspended"),
        (holds(muted), "a moderator has muted you"),
        (holds(member.silenced), "an admin has muted you here"),
    ] {
        if let Some(until) = until {
            let until = match until {
                Muted::Until(at) => at.to_string(),
                Muted::Forever => "forever".to_owned(),
            };
            return Err(ChatError::new(ErrorCode::NotPermitted, detail).with_fact("muted_until", until));
        }
    }
    Ok(())
}

/// What takes the right to write: a freeze and a mute stop it.
const fn writes(action: Action<'_>) -> bool {
    matches!(
        action,
        Action::Send | Action::MentionAll | Action::Edit | Action::React | Action::PinMessages | Action::Type
    )
}

fn allowed_in_direct(standing: &Standing<'_>, action: Action<'_>) -> ChatResult<()> {
    match action {
        Action::Read | Action::DeleteOwn => Ok(()),
        Action::Send
        | Action::Edit
        | Action::React
        | Action::PinMessages
        | Action::Type
        | Action::SetTimer
        | Action::Keep => {
            if standing.has_blocked {
                Err(ChatError::new(
                    ErrorCode::YouBlocked,
                    "you have blocked this user",
                ))
            } else if standing.is_blocked {
                // The same answer as any other refusal by the other side: it must not tell of the block.
                Err(ChatError::new(
                    ErrorCode::NotPermitted,
                    "this user does not take messages from you",
                ))
            } else {
                Ok(())
            }
        }
        Action::MentionAll | Action::Moderate => Err(forbidden("not in a direct conversation")),
        Action::EditInfo
        | Action::Configure
        | Action::AddMembers
        | Action::RemoveMember(_)
        | Action::MuteMember(_)
        | Action::Leave
        | Action::SetRole
        | Action::TransferOwnership
        | Action::Dissolve => Err(ChatError::new(
            ErrorCode::InvalidOperation,
            "a direct conversation has no such thing",
        )),
    }
}

fn allowed_by_rank(conversation: &Conversation, member: &Member, action: Action<'_>) -> ChatResult<()> {
    let admin = member.role >= Role::Admin;
    let owner = member.role == Role::Owner;
    let by = |permission: Permission| permission == Permission::Everyone || admin;
    let (granted, refusal) = match action {
        Action::Read | Action::DeleteOwn | Action::Leave => (true, ""),
        Action::Send | Action::Edit => (by(conversation.permissions.send), "only admins send here"),
        Action::React | Action::Type => (true, ""),
        Action::MentionAll => (admin, "only admins mention everyone"),
        Action::Moderate => (
            admin,
            "only its author or an admin deletes a message for everyone",
        ),
        Action::Keep => (admin, "only admins keep a message"),
        Action::SetTimer => (
            by(conversation.permissions.edit_info),
            "only admins set the timer",
        ),
        Action::EditInfo => (by(conversation.permissions.edit_info), "only admins edit this"),
        Action::Configure => (admin, "only admins configure this"),
        Action::PinMessages => (
            by(conversation.permissions.pin_messages),
            "only admins pin messages",
        ),
        Action::AddMembers => (
            by(conversation.permissions.add_members),
            "only admins add members",
        ),
        Action::RemoveMember(target) => (
            admin && (owner || target.is_none_or(|target| target.role < Role::Admin)),
            "not with your role, or not this member",
        ),
        Action::MuteMember(target) => (
            admin
                && target.is_none_or(|target| {
                    target.user_id != member.user_id && (owner || target.role < Role::Admin)
                }),
            "not with your role, or not this member",
        ),
        Action::SetRole => (owner, "only the owner changes roles"),
        Action::TransferOwnership => (owner, "only the owner hands over"),
        Action::Dissolve => (owner, "only the owner deletes the group"),
    };
    if granted { Ok(()) } else { Err(forbidden(refusal)) }
}

/// What a member may do, by the names of the contract (`my.can`).
#[must_use]
pub fn abilities(standing: &Standing<'_>) -> Vec<&'static str> {
    [
        (Action::Send, "send"),
        (Action::React, "react"),
        (Action::MentionAll, "mention_all"),
        (Action::Moderate, "moderate"),
        (Action::PinMessages, "pin_messages"),
        (Action::AddMembers, "add_members"),
        (Action::EditInfo, "edit_info"),
        (Action::SetTimer, "set_timer"),
        (Action::Keep, "keep"),
        (Action::Configure, "configure"),
        (Action::SetRole, "set_role"),
        (Action::TransferOwnership, "transfer_ownership"),
        (Action::Dissolve, "delete"),
        (Action::Leave, "leave"),
    ]
    .into_iter()
    .filter(|(action, _)| allowed(standing, *action).is_ok())
    .map(|(_, name)| name)
    .collect()
}

/// Whether somebody may bring a past or new member into a group: who was removed comes back by an admin only.
#[must_use]
pub fn may_rejoin(past: Option<&Member>, actor: &Member) -> bool {
    match past.map(|member| member.state) {
        None | Some(MemberState::Active) => true,
        Some(MemberState::Left | MemberState::Removed | MemberState::Dissolved) => actor.role >= Role::Admin,
    }
}

/// Who becomes owner when the owner leaves: the admin of longest standing, else the member of longest standing.
#[must_use]
pub fn heir<'a>(members: impl Iterator<Item = &'a Member>, leaving: &UserId) -> Option<&'a Member> {
    members
        .filter(|member| member.is_active() && member.user_id != *leaving)
        .min_by(|a, b| {
            b.role
                .cmp(&a.role)
                .then(a.joined_at.cmp(&b.joined_at))
                .then(a.user_id.cmp(&b.user_id))
        })
}
