//! What admins do against too many words: muting a member, slow mode.

use chat_core::error::ErrorCode;
use chat_core::model::Role;

use super::reference::{Chat, Model, Mute, Outcome, User};

impl Model {
    /// Takes the right to write from a member, or gives it back.
    pub(super) fn silence(&mut self, user: User, c: usize, other: User, until: Option<Mute>) -> Outcome<()> {
        let chat = &self.chats[c];
        let rank = chat.group_member_with(user, Role::Admin)?.role;
        let target = chat.target(other)?;
        if user == other || (rank == Role::Admin && target.role >= Role::Admin) {
            return Err(ErrorCode::Forbidden);
        }
        let now = self.now;
        if let Some(person) = self.chats[c].person_mut(other) {
            person.silenced = until.filter(|mute| mute.holds(now));
        }
        Ok(())
    }

    pub(super) fn set_slow(&mut self, user: User, c: usize, pause: Option<i64>) -> Outcome<()> {
        self.chats[c].group_member_with(user, Role::Admin)?;
        self.chats[c].slow = pause;
        Ok(())
    }

    /// When slow mode lets a member send again; admins do not wait.
    pub(super) fn next_send_at(&self, chat: &Chat, user: User) -> Option<i64> {
        let person = chat
            .member(user)
            .ok()
            .filter(|person| person.role < Role::Admin)?;
        let next = person.slow_sent_at? + chat.slow?;
        (next > self.now).then_some(next)
    }

    /// Takes note of a message in slow mode.
    pub(super) fn note_slow(&mut self, user: User, c: usize) {
        let now = self.now;
        let chat = &mut self.chats[c];
        if chat.slow.is_some()
            && let Some(person) = chat.person_mut(user)
            && person.role < Role::Admin
        {
            person.slow_sent_at = Some(now);
        }
    }

    /// What a member may do, by the names of the contract.
    pub(super) fn can(&self, chat: &Chat, user: User) -> Vec<&'static str> {
        let Ok(me) = chat.member(user) else {
            return Vec::new();
        };
        let group = chat.pair.is_none();
        let admin = group && me.role >= Role::Admin;
        let owner = group && me.role == Role::Owner;
        let apart = chat
            .peer(user)
            .is_some_and(|peer| self.blocks(user, peer) || self.blocks(peer, user));
        let writes = !apart && !chat.frozen && me.silenced(self.now).is_none();
        let together = chat.pair.is_some() && !apart;
        let all = [
            ("send", writes && (admin || !chat.only_admins_send)),
            ("react", writes),
            ("mention_all", writes && admin),
            ("moderate", admin),
            ("pin_messages", writes && (!group || admin || chat.everyone_pins)),
            ("add_members", group && (admin || chat.everyone_adds)),
            ("edit_info", group && (admin || chat.everyone_edits)),
            ("set_timer", together || admin || (group && chat.everyone_edits)),
            ("keep", together || admin),
            ("configure", admin),
            ("set_role", owner),
            ("transfer_ownership", owner),
            ("delete", owner),
            ("leave", group),
        ];
        all.into_iter()
            .filter(|(_, may)| *may)
            .map(|(name, _)| name)
            .collect()
    }
}
