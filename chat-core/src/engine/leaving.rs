//! Ways out of a group: leaving it, being removed, and its end.

use super::Actor;
use super::audit::Act;
use super::changeset::ChangeSet;
use super::members::{active_member, count_of, handed_over, rank, standing, user_param, withdraw};
use crate::access::{Action, allowed, heir};
use crate::command::CommandName;
use crate::config::{OwnerLeave, Policies};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{AuditAction, AuditTarget, Member, MemberState, Role};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::view::RemovalReason;

impl Actor {
    /// Leaves a group. What its owner leaves behind is a policy: by default the admin of longest standing, else the
    /// member of longest standing, becomes owner. The last one out leaves an empty group.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct and for the host.
    /// - `owner_cannot_leave`: by policy, while there is somebody to hand over to.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn leave(&self, id: ConversationId) -> ChatResult<()> {
        let about = self.about(CommandName::LeaveConversation).conversation(id);
        self.command(about, self.leave_past_hooks(id)).await
    }

    async fn leave_past_hooks(&self, id: ConversationId) -> ChatResult<()> {
        if self.is_host() {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "the host is in no conversation",
            ));
        }
        let me = self.user_id().clone();
        let mut needs = Needs::new(Target::Conversation(id));
        // The heir is looked for among all of them.
        needs.members = MembersNeeded::All;
        needs.user_revs = vec![me.clone()];
        let lines = self.two_lines();
        let auditor = self.auditor();
        let policies = self.engine().config().policies.clone();
        self.commit(needs, move |facts| {
            let (conversation, member) = allowed(&standing(facts, &me, &policies), Action::Leave)?;
            let heir = heir(facts.members.values(), &me).filter(|_| member.role == Role::Owner);
            if heir.is_some() && policies.owner_leave == OwnerLeave::Refuse {
                return Err(ChatError::new(
                    ErrorCode::OwnerCannotLeave,
                    "hand the group over first",
                ));
            }
            let mut change = ChangeSet::of(conversation, facts);
            leave_group(&mut change, facts, member, lines, &policies);
            if let Some(heir) = heir {
                change.audit(&auditor, handed_over(&heir.user_id));
            }
            Ok(change.done(()))
        })
        .await?;
        self.inner().typing.clear(id, self.user_id());
        Ok(())
    }

    /// Removes a member from a group; to remove oneself is to leave.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct.
    /// - `user_not_found`: no member.
    /// - `forbidden`: admins remove members, the owner also admins, nobody the owner.
    /// - Those of [`leave`](Actor::leave) for oneself.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn remove_member(&self, id: ConversationId, user: &UserId) -> ChatResult<()> {
        let about = self
            .about(CommandName::RemoveMember)
            .conversation(id)
            .users([user]);
        self.command(about, self.remove_member_past_hooks(id, user)).await
    }

    async fn remove_member_past_hooks(&self, id: ConversationId, user: &UserId) -> ChatResult<()> {
        if user == self.user_id() && !self.is_host() {
            return self.leave_past_hooks(id).await;
        }
        let (me, target) = (self.user_id().clone(), user.clone());
        let mut needs = Needs::new(Target::Conversation(id));
        needs.members = MembersNeeded::Of(vec![me.clone(), target.clone()]);
        needs.user_revs = vec![target.clone()];
        let auditor = self.auditor();
        let line_id = MessageId::from_uuid(self.inner().ids.next());
        let policies = self.engine().config().policies.clone();
        self.commit(needs, move |facts| {
            let standing = standing(facts, &me, &policies);
            // Everybody who may leave a conversation knows its members; who may not gets the same answer here.
            allowed(&standing, Action::Leave)?;
            // His rank first: who removes nobody is told so, whoever it is about.
            allowed(&standing, Action::RemoveMember(None))?;
            let member = active_member(facts, &target)?;
            let (conversation, _) = allowed(&standing, Action::RemoveMember(Some(member)))?;
            let mut change = ChangeSet::of(conversation, facts);
            depart(
                &mut change,
                member,
                MemberState::Removed,
                RemovalReason::Removed,
                None,
            );
            let act = Act::new(AuditAction::MemberRemoved, AuditTarget::User, &target);
            change.audit(&auditor, act);
            if tells(&change, &policies) {
                change.append_system(line_id, &me, "member_removed", user_param(&target), &policies);
            }
            Ok(change.done(()))
        })
        .await?;
        self.inner().typing.clear(id, user);
        Ok(())
    }

    /// Deletes a group for all its members. From then on it is `conversation_gone` for them and unknown to everybody
    /// else.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct.
    /// - `forbidden`: the caller is not the owner.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn delete_conversation(&self, id: ConversationId) -> ChatResult<()> {
        let about = self.about(CommandName::DeleteConversation).conversation(id);
        self.command(about, self.delete_conversation_past_hooks(id)).await
    }

    async fn delete_conversation_past_hooks(&self, id: ConversationId) -> ChatResult<()> {
        let me = self.user_id().clone();
        let mut needs = Needs::new(Target::Conversation(id));
        needs.members = MembersNeeded::All;
        let policies = self.engine().config().policies.clone();
        let auditor = self.auditor();
        let avatar = self
            .commit(needs, move |facts| {
                let (conversation, _) = allowed(&standing(facts, &me, &policies), Action::Dissolve)?;
                let mut change = ChangeSet::of(conversation, facts);
                dissolve(&mut change, facts);
                let act = Act::new(AuditAction::ConversationDeleted, AuditTarget::Conversation, id);
                change.audit(&auditor, act);
                Ok(change.done(conversation.avatar))
            })
            .await?;
        self.inner().typing.clear_all(id);
        if let Some(avatar) = avatar {
            self.retire_avatar(avatar).await;
        }
        Ok(())
    }

    fn two_lines(&self) -> [MessageId; 2] {
        [(); 2].map(|()| MessageId::from_uuid(self.inner().ids.next()))
    }
}

/// Takes a member out of a group at his own wish, and hands it over when it was his.
pub(super) fn leave_group(
    change: &mut ChangeSet,
    facts: &Facts,
    member: &Member,
    lines: [MessageId; 2],
    policies: &Policies,
) {
    let me = &member.user_id;
    let heir = heir(facts.members.values(), me).filter(|_| member.role == Role::Owner);
    depart(change, member, MemberState::Left, RemovalReason::Left, heir);
    if tells(change, policies) {
        let [first, second] = lines;
        change.append_system(first, me, "member_left", user_param(me), policies);
        if let Some(heir) = heir {
            change.append_system(second, me, "owner_changed", user_param(&heir.user_id), policies);
        }
    }
}

/// Whether comings and goings of this group get a line in it: not when it is large, and not when nobody is left.
fn tells(change: &ChangeSet, policies: &Policies) -> bool {
    (1..=policies.large_group_threshold).contains(&count_of(&change.conversation))
}

/// Ends a membership: what is said from now on is none of his business.
fn end_membership(change: &ChangeSet, member: &mut Member, state: MemberState) {
    member.state = state;
    for interval in &mut member.intervals {
        interval.to = interval.to.or(Some(change.conversation.last_seq));
    }
    withdraw(member);
}

/// Takes one member out, before any line tells of it. His heir follows him in the same event, so that nobody sees the
/// group without an owner.
fn depart(
    change: &mut ChangeSet,
    member: &Member,
    state: MemberState,
    reason: RemovalReason,
    heir: Option<&Member>,
) {
    let user = member.user_id.clone();
    let rev = change.next_rev();
    let mut member = member.clone();
    end_membership(change, &mut member, state);
    member.role = Role::Member;
    member.rev = rev;
    member.user_rev = change.next_user_rev(&user);
    change.put_member(member);
    change.conversation.members_rev = rev;
    change.conversation.member_count = change.conversation.member_count.saturating_sub(1);
    let ranked = rank(change, rev, heir.map(|heir| (heir, Role::Owner)));
    change.event(ChatEvent::MembersChanged {
        conversation_id: change.conversation.id,
        rev,
        added: Vec::new(),
        removed: vec![user.clone()],
        roles: ranked.roles(),
        muted: ranked.unmuted,
    });
    let rev = change.next_rev();
    change.event(ChatEvent::ConversationRemoved {
        conversation_id: change.conversation.id,
        rev,
        reason,
        users: vec![user],
    });
}

/// Ends a group and all memberships of it.
fn dissolve(change: &mut ChangeSet, facts: &Facts) {
    let rev = change.next_rev();
    let mut users = Vec::new();
    for member in facts.members.values().filter(|member| member.is_active()) {
        let mut member = member.clone();
        end_membership(change, &mut member, MemberState::Dissolved);
        member.rev = rev;
        users.push(member.user_id.clone());
        change.put_member(member);
    }
    change.conversation.dissolved_at = Some(change.at);
    change.conversation.members_rev = rev;
    change.conversation.member_count = 0;
    change.event(ChatEvent::ConversationRemoved {
        conversation_id: change.conversation.id,
        rev,
        reason: RemovalReason::Deleted,
        users,
    });
}
