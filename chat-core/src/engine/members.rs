//! Who is in a group, and with what rank.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::audit::Act;
use super::changeset::ChangeSet;
use super::{Actor, Decision};
use crate::access::{Action, Standing, allowed, may_rejoin};
use crate::command::{AddMembers, CommandName, ListMembers, PageRequest, SetRole, TransferOwnership};
use crate::config::{ChatConfig, HistoryForNewMembers, Policies};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{
    AuditAction, AuditTarget, Conversation, Interval, Member, MemberState, Muted, Rev, Role, Seq,
};
use crate::store::{Facts, MemberQuery, MembersNeeded, Needs, Target};
use crate::time::Timestamp;
use crate::view::{AddMembersAnswer, MemberView, Page};

impl Actor {
    /// The members of a conversation, in order of user id.
    ///
    /// # Errors
    /// Those of [`find_members`](Actor::find_members).
    pub async fn members(&self, id: ConversationId, page: PageRequest) -> ChatResult<Page<MemberView>> {
        let all = ListMembers {
            page,
            ..ListMembers::default()
        };
        self.find_members(id, all).await
    }

    /// Members of a conversation by a part of their name and by rank, in order of user id.
    ///
    /// # Errors
    /// `conversation_not_found`; `conversation_gone` for a member of a group that was deleted; `invalid_argument`
    /// (`q`, `limit`), `invalid_cursor`.
    pub async fn find_members(&self, id: ConversationId, list: ListMembers) -> ChatResult<Page<MemberView>> {
        let limit = self.limit(list.page.limit)?;
        let name = self.name_part(list.q.as_deref())?;
        let purpose = format!(
            "members {id} {:?} {}",
            list.role,
            name.as_deref().unwrap_or_default()
        );
        let after = self.cursor::<UserId>(&purpose, &list.page)?;
        self.check_readable(id).await?;
        let query = MemberQuery {
            conversation: id,
            name,
            role: list.role,
            after,
            limit: limit + 1,
        };
        let mut members = self.inner().store.members(&query).await?;
        let more = members.len() > limit;
        members.truncate(limit);
        let next_cursor = self.next_cursor(&purpose, more, members.last().map(|member| &member.user_id));
        Ok(Page {
            items: self.render_members(members).await?,
            next_cursor,
        })
    }

    /// Adds members to a group.
    ///
    /// Unknown users, users in a block relation with the caller and users who were removed or have left (unless the
    /// caller is an admin) are not added but answered as `skipped`. What newcomers see of the past is a policy; who
    /// comes back sees his old time and his new time, never the time between.
    ///
    /// # Errors
    /// - `invalid_argument` (`user_ids`): none, or more than one call takes.
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct.
    /// - `forbidden`: only admins add members here.
    /// - `member_limit_exceeded`: then nobody is added.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn add_members(&self, id: ConversationId, add: AddMembers) -> ChatResult<AddMembersAnswer> {
        let about = self
            .about(CommandName::AddMembers)
            .conversation(id)
            .users(&add.user_ids);
        self.command(about, self.add_members_past_hooks(id, add)).await
    }

    async fn add_members_past_hooks(
        &self,
        id: ConversationId,
        add: AddMembers,
    ) -> ChatResult<AddMembersAnswer> {
        let config = self.engine().config().clone();
        let mut seen = HashSet::new();
        let asked: Vec<UserId> = (add.user_ids.into_iter())
            .filter(|user| seen.insert(user.clone()))
            .collect();
        if asked.is_empty() || asked.len() > config.limits.add_members {
            return Err(ChatError::invalid(
                "user_ids",
                format!("between 1 and {} users", config.limits.add_members),
            ));
        }
        // Strangers must not use this to learn who exists.
        self.check_readable(id).await?;
        let known: HashSet<UserId> = (self.find_users(&asked).await?.into_iter())
            .map(|user| user.id)
            .collect();
        let me = self.user_id().clone();
        let mut needs = Needs::new(Target::Conversation(id));
        let found: Vec<UserId> = asked
            .iter()
            .filter(|user| known.contains(*user))
            .cloned()
            .collect();
        needs.members = MembersNeeded::Of(found.iter().chain([&me]).cloned().collect());
        needs.blocks = Some((me.clone(), found.clone()));
        needs.user_revs = found;
        let adding = Adding {
            actor: me,
            asked,
            known,
            line_id: MessageId::from_uuid(self.inner().ids.next()),
            config,
        };
        self.commit(needs, move |facts| adding.decide(facts)).await
    }

    /// Makes a member of a group an admin, or an admin a member.
    ///
    /// # Errors
    /// - `invalid_argument` (`role`): `owner`; ownership is handed over by [`transfer_ownership`].
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct and for the owner himself.
    /// - `forbidden`: the caller is not the owner.
    /// - `user_not_found`: no member.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    ///
    /// [`transfer_ownership`]: Actor::transfer_ownership
    pub async fn set_role(&self, id: ConversationId, user: &UserId, set: SetRole) -> ChatResult<MemberView> {
        let about = self.about(CommandName::SetRole).conversation(id).users([user]);
        self.command(about, self.set_role_past_hooks(id, user, set)).await
    }

    async fn set_role_past_hooks(
        &self,
        id: ConversationId,
        user: &UserId,
        set: SetRole,
    ) -> ChatResult<MemberView> {
        if set.role == Role::Owner {
            return Err(ChatError::invalid(
                "role",
                "admin or member; ownership is handed over by PUT …/owner",
            ));
        }
        let (me, target) = (self.user_id().clone(), user.clone());
        let mut needs = Needs::new(Target::Conversation(id));
        needs.members = MembersNeeded::Of(vec![me.clone(), target.clone()]);
        let line_id = MessageId::from_uuid(self.inner().ids.next());
        let policies = self.engine().config().policies.clone();
        let auditor = self.auditor();
        let decide = move |facts: &Facts| {
            let (conversation, _) = allowed(&standing(facts, &me, &policies), Action::SetRole)?;
            let member = active_member(facts, &target)?;
            if member.role == Role::Owner {
                return Err(ChatError::new(
                    ErrorCode::InvalidOperation,
                    "the owner keeps his role until he hands over",
                ));
            }
            if member.role == set.role {
                return Ok(Decision::nothing(member.clone()));
            }
            let mut change = ChangeSet::of(conversation, facts);
            let changed = change_roles(&mut change, [(member, set.role)]);
            let act =
                Act::new(AuditAction::RoleChanged, AuditTarget::User, &target).with("role", json!(set.role));
            change.audit(&auditor, act);
            let mut params = user_param(&target);
            params.insert("role".to_owned(), json!(set.role));
            change.append_system(line_id, &me, "admin_changed", params, &policies);
            Ok(change.done(changed.into_iter().next().unwrap_or_else(|| member.clone())))
        };
        let member = self.commit(needs, decide).await?;
        self.member_view_of(member).await
    }

    /// Hands a group over to another member; the former owner becomes an admin. To hand over to oneself changes
    /// nothing.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct.
    /// - `forbidden`: the caller is not the owner.
    /// - `user_not_found` (`user_id`): no member.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn transfer_ownership(
        &self,
        id: ConversationId,
        to: TransferOwnership,
    ) -> ChatResult<MemberView> {
        let about = self
            .about(CommandName::TransferOwnership)
            .conversation(id)
            .users([&to.user_id]);
        self.command(about, self.transfer_ownership_past_hooks(id, to))
            .await
    }

    async fn transfer_ownership_past_hooks(
        &self,
        id: ConversationId,
        to: TransferOwnership,
    ) -> ChatResult<MemberView> {
        let (me, target) = (self.user_id().clone(), to.user_id);
        let mut needs = Needs::new(Target::Conversation(id));
        let host = self.is_host();
        needs.members = if host {
            // The owner whose place is taken is looked for among all of them.
            MembersNeeded::All
        } else {
            MembersNeeded::Of(vec![me.clone(), target.clone()])
        };
        let line_id = MessageId::from_uuid(self.inner().ids.next());
        let policies = self.engine().config().policies.clone();
        let auditor = self.auditor();
        let decide = move |facts: &Facts| {
            let (conversation, _) = allowed(&standing(facts, &me, &policies), Action::TransferOwnership)?;
            let member = active_member(facts, &target).map_err(|error| error.with_field("user_id"))?;
            if member.role == Role::Owner {
                return Ok(Decision::nothing(member.clone()));
            }
            let former = (facts.members.values())
                .filter(|other| other.is_active() && other.role == Role::Owner)
                .map(|other| (other, Role::Admin));
            let mut change = ChangeSet::of(conversation, facts);
            let changed = change_roles(&mut change, [(member, Role::Owner)].into_iter().chain(former));
            change.audit(&auditor, handed_over(&target));
            change.append_system(line_id, &me, "owner_changed", user_param(&target), &policies);
            Ok(change.done(changed.into_iter().next().unwrap_or_else(|| member.clone())))
        };
        let member = self.commit(needs, decide).await?;
        self.member_view_of(member).await
    }

    pub(super) async fn member_view_of(&self, member: Member) -> ChatResult<MemberView> {
        let view = self.render_members(vec![member]).await?.pop();
        view.ok_or_else(|| ChatError::new(ErrorCode::UserNotFound, "no such member"))
    }
}

/// Members about to be added.
struct Adding {
    actor: UserId,
    asked: Vec<UserId>,
    known: HashSet<UserId>,
    line_id: MessageId,
    config: ChatConfig,
}

impl Adding {
    fn decide(&self, facts: &Facts) -> ChatResult<Decision<AddMembersAnswer>> {
        let policies = &self.config.policies;
        let standing = standing(facts, &self.actor, policies);
        let (conversation, actor) = allowed(&standing, Action::AddMembers)?;
        let mut answer = AddMembersAnswer {
            added: Vec::new(),
            already_members: Vec::new(),
            skipped: Vec::new(),
        };
        for user in &self.asked {
            let past = facts.members.get(user);
            if past.is_some_and(Member::is_active) {
                answer.already_members.push(user.clone());
            } else if self.known.contains(user)
                && !facts.is_blocked(&self.actor, user)
                && !facts.is_blocked(user, &self.actor)
                && may_rejoin(past, actor)
            {
                answer.added.push(user.clone());
            } else {
                answer.skipped.push(user.clone());
            }
        }
        if answer.added.is_empty() {
            return Ok(Decision::nothing(answer));
        }
        let count = count_of(conversation) + answer.added.len();
        if count > self.config.limits.members {
            return Err(ChatError::new(
                ErrorCode::MemberLimitExceeded,
                format!("at most {} members", self.config.limits.members),
            )
            .with_field("user_ids"));
        }
        let mut change = ChangeSet::of(conversation, facts);
        let created = change.next_rev();
        change.event(ChatEvent::ConversationCreated {
            conversation_id: conversation.id,
            rev: created,
            users: answer.added.clone(),
        });
        let rev = change.next_rev();
        change.conversation.members_rev = rev;
        change.conversation.member_count = u32::try_from(count).unwrap_or(u32::MAX);
        let line = count <= policies.large_group_threshold;
        for user in &answer.added {
            self.join(&mut change, facts.members.get(user), user, rev, line);
        }
        change.event(ChatEvent::MembersChanged {
            conversation_id: conversation.id,
            rev,
            added: answer.added.clone(),
            removed: Vec::new(),
            roles: BTreeMap::new(),
            muted: BTreeMap::new(),
        });
        if line {
            let mut params = Map::new();
            params.insert("user_ids".to_owned(), json!(answer.added));
            change.append_system(self.line_id, &self.actor, "member_added", params, policies);
        }
        Ok(change.done(answer))
    }

    /// Puts one user in. He sees the line that tells of his joining, and it is the last thing that is no news to him.
    fn join(&self, change: &mut ChangeSet, past: Option<&Member>, user: &UserId, rev: Rev, line: bool) {
        let next: Seq = change.conversation.last_seq + 1;
        let mut member = match past {
            None => {
                let from = match self.config.policies.history_for_new_members {
                    HistoryForNewMembers::FromJoin => next,
                    HistoryForNewMembers::All => 1,
                };
                first_membership(&change.conversation, user, change.at, from)
            }
            Some(past) => {
                let mut member = past.clone();
                member.state = MemberState::Active;
                member.role = Role::Member;
                member.joined_at = change.at;
                // Also where newcomers see everything: the time between stays closed to him.
                member.intervals.push(Interval { from: next, to: None });
                withdraw(&mut member);
                member.user_rev = change.next_user_rev(user);
                member.reset_user_rev = member.user_rev;
                member
            }
        };
        member.rev = rev;
        member.unread_floor = change.conversation.last_seq + Seq::from(line);
        change.put_member(member);
    }
}

/// How somebody stands to a group, or to a direct where blocks do not matter.
pub(super) fn standing<'a>(facts: &'a Facts, user: &UserId, policies: &'a Policies) -> Standing<'a> {
    Standing {
        conversation: facts.conversation.as_ref(),
        member: facts.acting(user),
        has_blocked: false,
        is_blocked: false,
        restrictions: facts.restrictions,
        now: facts.now,
        policies,
    }
}

/// The member, while he is one.
///
/// # Errors
/// `user_not_found`.
pub(super) fn active_member<'a>(facts: &'a Facts, user: &UserId) -> ChatResult<&'a Member> {
    facts
        .members
        .get(user)
        .filter(|member| member.is_active())
        .ok_or_else(|| ChatError::new(ErrorCode::UserNotFound, "no such member"))
}

/// The members of a conversation, as the limits count them.
pub(super) fn count_of(conversation: &Conversation) -> usize {
    usize::try_from(conversation.member_count).unwrap_or(usize::MAX)
}

/// A membership of somebody who was never a member before, with everything from `from` on in sight.
pub(super) fn first_membership(
    conversation: &Conversation,
    user: &UserId,
    at: Timestamp,
    from: Seq,
) -> Member {
    Member {
        rev: conversation.rev,
        ..Member::joined(conversation.id, user.clone(), at, from)
    }
}

/// Takes a conversation off all the places its member has put it.
pub(super) fn withdraw(member: &mut Member) {
    member.pinned_at = None;
    member.muted = None;
    member.archived_seq = None;
    member.hidden_seq = None;
    member.unread_from = None;
}

/// Members with new ranks.
pub(super) struct Ranked {
    /// Their new rows.
    members: Vec<Member>,
    /// Whose mute ended with it, as events tell it.
    pub(super) unmuted: BTreeMap<UserId, Option<Muted>>,
}

impl Ranked {
    /// The new ranks, as events tell them.
    pub(super) fn roles(&self) -> BTreeMap<UserId, Role> {
        (self.members.iter())
            .map(|member| (member.user_id.clone(), member.role))
            .collect()
    }
}

/// Gives members new ranks under `rev`. Nobody outranks an owner, so his mute ends.
pub(super) fn rank<'a>(
    change: &mut ChangeSet,
    rev: Rev,
    roles: impl IntoIterator<Item = (&'a Member, Role)>,
) -> Ranked {
    let mut unmuted = BTreeMap::new();
    let mut members = Vec::new();
    for (member, role) in roles {
        let mut member = Member {
            role,
            rev,
            ..member.clone()
        };
        if role == Role::Owner && member.silenced.take().is_some() {
            unmuted.insert(member.user_id.clone(), None);
        }
        change.put_member(member.clone());
        members.push(member);
    }
    Ranked { members, unmuted }
}

/// Gives members new ranks under one rev and tells of it; returns their new rows in the same order.
fn change_roles<'a>(
    change: &mut ChangeSet,
    roles: impl IntoIterator<Item = (&'a Member, Role)>,
) -> Vec<Member> {
    let rev = change.next_rev();
    let ranked = rank(change, rev, roles);
    change.event(ChatEvent::MembersChanged {
        conversation_id: change.conversation.id,
        rev,
        added: Vec::new(),
        removed: Vec::new(),
        roles: ranked.roles(),
        muted: ranked.unmuted,
    });
    ranked.members
}

/// What the audit log says of a new owner.
pub(super) fn handed_over(to: &UserId) -> Act {
    Act::new(AuditAction::OwnershipTransferred, AuditTarget::User, to)
}

/// Parameters of a system line about one user.
pub(super) fn user_param(user: &UserId) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("user_id".to_owned(), Value::String(user.to_string()));
    params
}
