//! A member's own side of a conversation: what others neither see nor hear of.

use super::changeset::ChangeSet;
use super::members::standing;
use super::{Actor, Decision};
use crate::access::{Action, allowed};
use crate::command::{CommandName, ConversationSettings};
use crate::error::{ChatError, ChatResult};
use crate::event::ChatEvent;
use crate::id::ConversationId;
use crate::model::{Conversation, Member, Muted};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::time::Timestamp;
use crate::view::ConversationView;

impl Actor {
    /// Pins, mutes or archives a conversation for the caller, or sets which of its messages alert him.
    ///
    /// - Pinned and archived exclude each other: archiving unpins, pinning takes out of the archive.
    /// - `muted_until` in the past is no mute. A new mute replaces the old one.
    /// - An archived conversation comes back with a newer message of somebody else, unless that came
    ///   while it was muted.
    /// - What is set already is no change, and nothing happens then.
    ///
    /// # Errors
    /// - `invalid_argument` (`archived`): pinned and archived at once.
    /// - `conversation_not_found`, `conversation_gone`.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn update_conversation_settings(
        &self,
        id: ConversationId,
        patch: ConversationSettings,
    ) -> ChatResult<ConversationView> {
        let about = self
            .about(CommandName::UpdateConversationSettings)
            .conversation(id);
        self.command(about, self.update_conversation_settings_past_hooks(id, patch))
            .await
    }

    async fn update_conversation_settings_past_hooks(
        &self,
        id: ConversationId,
        patch: ConversationSettings,
    ) -> ChatResult<ConversationView> {
        if patch.pinned == Some(true) && patch.archived == Some(true) {
            return Err(ChatError::invalid("archived", "not together with pinned"));
        }
        self.change_own_side(id, false, move |member, conversation, at| {
            apply(&patch, member, conversation, at);
        })
        .await?;
        self.render_conversation(id).await
    }

    /// Clears the history of a conversation for the caller: he sees only what comes from now on, and nothing of it
    /// is unread. Others see what they saw, and their receipts stay.
    ///
    /// # Errors
    /// `conversation_not_found`, `conversation_gone`; `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn clear(&self, id: ConversationId) -> ChatResult<()> {
        let about = self.about(CommandName::ClearConversation).conversation(id);
        self.command(about, self.clear_past_hooks(id)).await
    }

    async fn clear_past_hooks(&self, id: ConversationId) -> ChatResult<()> {
        self.change_own_side(id, true, |member, conversation, _| clear(member, conversation))
            .await
    }

    /// Clears a conversation and takes it out of the caller's list until a new message comes.
    ///
    /// # Errors
    /// Those of [`clear`](Actor::clear).
    pub async fn hide(&self, id: ConversationId) -> ChatResult<()> {
        let about = self.about(CommandName::HideConversation).conversation(id);
        self.command(about, self.hide_past_hooks(id)).await
    }

    async fn hide_past_hooks(&self, id: ConversationId) -> ChatResult<()> {
        self.change_own_side(id, true, |member, conversation, _| {
            clear(member, conversation);
            member.hidden_seq = Some(conversation.last_seq);
            member.pinned_at = None;
        })
        .await
    }

    /// Changes the caller's own row, under a new `user_rev`; with `resets` what he can see changed as a whole.
    async fn change_own_side(
        &self,
        id: ConversationId,
        resets: bool,
        edit: impl Fn(&mut Member, &Conversation, Timestamp) + Send + Sync + 'static,
    ) -> ChatResult<()> {
        if self.is_host() {
            // It has no side of its own to change.
            return self.check_readable(id).await;
        }
        let me = self.user_id().clone();
        let mut needs = Needs::new(Target::Conversation(id));
        needs.members = MembersNeeded::Of(vec![me.clone()]);
        needs.user_revs = vec![me.clone()];
        let policies = self.engine().config().policies.clone();
        self.commit(needs, move |facts: &Facts| {
            let (conversation, member) = allowed(&standing(facts, &me, &policies), Action::Read)?;
            let mut change = ChangeSet::of(conversation, facts);
            let mut edited = member.clone();
            edit(&mut edited, conversation, change.at);
            if edited == *member {
                return Ok(Decision::nothing(()));
            }
            put_own_side(&mut change, edited, resets);
            Ok(change.done_private(()))
        })
        .await
    }
}

/// Writes a member's private change under his next `user_rev` and tells his sessions.
pub(super) fn put_own_side(change: &mut ChangeSet, mut member: Member, resets: bool) {
    let user_rev = change.next_user_rev(&member.user_id);
    member.user_rev = user_rev;
    if resets {
        member.reset_user_rev = user_rev;
    }
    change.event(ChatEvent::InboxUpdated {
        user_id: member.user_id.clone(),
        conversation_id: change.conversation.id,
        user_rev,
    });
    change.put_member(member);
}

fn apply(patch: &ConversationSettings, member: &mut Member, conversation: &Conversation, at: Timestamp) {
    let archived = member.is_archived(conversation);
    if let Some(muted) = patch.muted_until {
        member.muted = muted.filter(|muted: &Muted| muted.is_active(at));
        // Whether it is archived hangs on the mute; a new mute must neither archive what has come back nor bring
        // back what lies in the archive.
        member.archived_seq = match (archived, member.muted) {
            (false, _) => None,
            (true, None) if !member.is_archived(conversation) => Some(conversation.last_seq),
            (true, _) => member.archived_seq,
        };
    }
    match patch.pinned {
        Some(true) => {
            member.pinned_at = member.pinned_at.or(Some(at));
            member.archived_seq = None;
        }
        Some(false) => member.pinned_at = None,
        None => {}
    }
    match patch.archived {
        Some(true) => {
            if !archived {
                member.archived_seq = Some(conversation.last_seq);
            }
            member.pinned_at = None;
        }
        Some(false) => member.archived_seq = None,
        None => {}
    }
    if let Some(level) = patch.notification_level {
        member.notification_level = level;
    }
}

fn clear(member: &mut Member, conversation: &Conversation) {
    member.visible_from = conversation.last_seq + 1;
    member.unread_from = None;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::directs::new_direct;
    use crate::engine::members::first_membership;
    use crate::id::UserId;
    use crate::model::{DirectPair, NotificationLevel};

    const HOUR: Duration = Duration::from_secs(3600);

    fn room(newest_of_other: u64) -> (Conversation, Member, Timestamp) {
        let (a, b) = (UserId::new("a").unwrap(), UserId::new("b").unwrap());
        let at = Timestamp::from_millis(1_000_000);
        let pair = DirectPair::new(&a, &b).unwrap();
        let id = ConversationId::from_uuid(uuid::Uuid::nil());
        let mut conversation = new_direct(id, &pair, &a, at);
        conversation.last_seq = newest_of_other;
        conversation.note_countable(newest_of_other, &b, at);
        let member = first_membership(&conversation, &a, at, 1);
        (conversation, member, at)
    }

    fn patch(edit: impl FnOnce(&mut ConversationSettings)) -> ConversationSettings {
        let mut patch = ConversationSettings::default();
        edit(&mut patch);
        patch
    }

    #[test]
    fn archiving_unpins_and_pinning_takes_out_of_the_archive() {
        let (conversation, mut member, at) = room(5);
        let pin = patch(|p| p.pinned = Some(true));
        apply(&pin, &mut member, &conversation, at);
        apply(&pin, &mut member, &conversation, at.after(HOUR));
        assert_eq!(member.pinned_at, Some(at));
        apply(
            &patch(|p| p.archived = Some(true)),
            &mut member,
            &conversation,
            at,
        );
        assert_eq!((member.pinned_at, member.archived_seq), (None, Some(5)));
        apply(&pin, &mut member, &conversation, at);
        assert_eq!((member.pinned_at, member.archived_seq), (Some(at), None));
    }

    #[test]
    fn a_mute_in_the_past_is_none() {
        let (conversation, mut member, at) = room(5);
        let until = |t: Muted| patch(|p| p.muted_until = Some(Some(t)));
        apply(&until(Muted::Forever), &mut member, &conversation, at);
        assert_eq!(member.muted, Some(Muted::Forever));
        apply(&until(Muted::Until(at)), &mut member, &conversation, at);
        assert_eq!(member.muted, None);
        apply(
            &until(Muted::Until(at.after(HOUR))),
            &mut member,
            &conversation,
            at,
        );
        assert!(member.muted.is_some());
        apply(
            &patch(|p| p.muted_until = Some(None)),
            &mut member,
            &conversation,
            at,
        );
        assert_eq!(member.muted, None);
    }

    #[test]
    fn a_mute_neither_archives_nor_brings_back() {
        let (mut conversation, mut member, at) = room(5);
        let mute = patch(|p| p.muted_until = Some(Some(Muted::Forever)));
        let unmute = patch(|p| p.muted_until = Some(None));
        apply(
            &patch(|p| p.archived = Some(true)),
            &mut member,
            &conversation,
            at,
        );
        let other = UserId::new("b").unwrap();
        conversation.last_seq = 6;
        conversation.note_countable(6, &other, at);
        assert!(!member.is_archived(&conversation));
        apply(&mute, &mut member, &conversation, at);
        assert!(!member.is_archived(&conversation));
        apply(
            &patch(|p| p.archived = Some(true)),
            &mut member,
            &conversation,
            at,
        );
        conversation.last_seq = 7;
        conversation.note_countable(7, &other, at);
        assert!(member.is_archived(&conversation));
        apply(&unmute, &mut member, &conversation, at);
        assert!(member.is_archived(&conversation));
    }

    #[test]
    fn what_is_set_already_is_no_change() {
        let (conversation, member, at) = room(5);
        let mut edited = member.clone();
        let same = patch(|p| {
            p.pinned = Some(false);
            p.muted_until = Some(None);
            p.archived = Some(false);
            p.notification_level = Some(NotificationLevel::All);
        });
        apply(&same, &mut edited, &conversation, at);
        assert_eq!(edited, member);
    }
}
