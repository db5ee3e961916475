//! Taking the right to write from one member of a group, and giving it back.

use std::collections::BTreeMap;

use serde_json::json;

use super::audit::Act;
use super::changeset::ChangeSet;
use super::members::{active_member, standing};
use super::{Actor, Decision};
use crate::access::{Action, allowed};
use crate::command::CommandName;
use crate::error::ChatResult;
use crate::event::ChatEvent;
use crate::id::{ConversationId, UserId};
use crate::model::{AuditAction, AuditTarget, Member, Muted};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::view::MemberView;

impl Actor {
    /// Takes the right to write from a member of a group until a time, or for good: he reads and moves his marks, but
    /// does not send, edit, react or type. It ends by the clock, when it is lifted, or when he becomes owner. A new
    /// mute replaces the old one; one that ends in the past is none. He and the admins hear of it, nobody else.
    ///
    /// # Errors
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct.
    /// - `user_not_found`: no member.
    /// - `forbidden`: admins mute members, the owner also admins, nobody himself or the owner.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn mute_member(
        &self,
        id: ConversationId,
        user: &UserId,
        until: Muted,
    ) -> ChatResult<MemberView> {
        let about = self.about(CommandName::MuteMember).conversation(id).users([user]);
        self.command(about, self.set_member_mute(id, user, Some(until)))
            .await
    }

    /// Gives a member the right to write back. Who has it keeps it.
    ///
    /// # Errors
    /// Those of [`mute_member`](Actor::mute_member).
    pub async fn unmute_member(&self, id: ConversationId, user: &UserId) -> ChatResult<MemberView> {
        let about = self
            .about(CommandName::UnmuteMember)
            .conversation(id)
            .users([user]);
        self.command(about, self.set_member_mute(id, user, None)).await
    }

    async fn set_member_mute(
        &self,
        id: ConversationId,
        user: &UserId,
        until: Option<Muted>,
    ) -> ChatResult<MemberView> {
        let (me, target) = (self.user_id().clone(), user.clone());
        let mut needs = Needs::new(Target::Conversation(id));
        needs.members = MembersNeeded::Of(vec![me.clone(), target.clone()]);
        let policies = self.engine().config().policies.clone();
        let auditor = self.auditor();
        let decide = move |facts: &Facts| {
            let standing = standing(facts, &me, &policies);
            // Everybody who may leave a conversation knows its members; who may not gets the same answer here.
            allowed(&standing, Action::Leave)?;
            // His rank first: who mutes nobody is told so, whoever it is about.
            allowed(&standing, Action::MuteMember(None))?;
            let member = active_member(facts, &target)?;
            let (conversation, _) = allowed(&standing, Action::MuteMember(Some(member)))?;
            let now = facts.now;
            let until = until.filter(|until| until.is_active(now));
            if until == member.silenced.filter(|until| until.is_active(now)) {
                return Ok(Decision::nothing(member.clone()));
            }
            let mut change = ChangeSet::of(conversation, facts);
            let rev = change.next_rev();
            let member = Member {
                silenced: until,
                rev,
                ..member.clone()
            };
            change.put_member(member.clone());
            let act = match until {
                Some(until) => {
                    Act::new(AuditAction::MemberMuted, AuditTarget::User, &target).with("until", json!(until))
                }
                None => Act::new(AuditAction::MemberUnmuted, AuditTarget::User, &target),
            };
            change.audit(&auditor, act);
            change.event(ChatEvent::MembersChanged {
                conversation_id: id,
                rev,
                added: Vec::new(),
                removed: Vec::new(),
                roles: BTreeMap::new(),
                muted: BTreeMap::from([(target.clone(), until)]),
            });
            Ok(change.done(member))
        };
        let member = self.commit(needs, decide).await?;
        if member.silenced.is_some() {
            self.inner().typing.clear(id, user);
        }
        self.member_view_of(member).await
    }
}
