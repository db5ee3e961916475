//! The model's groups: who is in them, and the members' own sides.

use chat_core::error::ErrorCode;
use chat_core::model::{NotificationLevel, Role};

use super::reference::{Chat, Model, Move, Mute, Outcome, Person, Presence, User};

/// What adding comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) added: Vec<User>,
    pub(super) already: Vec<User>,
    pub(super) skipped: Vec<User>,
}

/// A change of one's own side.
#[derive(Debug, Clone, Copy)]
pub(super) enum Own {
    Pin(bool),
    Mute(Option<Mute>),
    Archive(bool),
    Level(NotificationLevel),
    Clear,
    Hide,
}

/// What members who are no admins may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permits {
    pub(super) only_admins_send: bool,
    pub(super) everyone_adds: bool,
    pub(super) everyone_edits: bool,
    pub(super) everyone_pins: bool,
}

impl Person {
    pub(super) fn note(&mut self, read: bool, shown: bool, to: u64, at: i64) {
        self.moves.push(Move { read, shown, to, at });
    }

    fn depart(&mut self, state: Presence, last_seq: u64) {
        self.state = state;
        for (_, to) in &mut self.spans {
            *to = to.or(Some(last_seq));
        }
        self.withdraw();
    }

    fn withdraw(&mut self) {
        self.pinned_at = None;
        self.muted = None;
        self.archived = false;
        self.hidden = false;
        self.marker = None;
    }
}

impl Chat {
    /// A member of a group; directs have no such thing.
    pub(super) fn group_member(&self, user: User) -> Outcome<&Person> {
        let person = self.member(user)?;
        if self.pair.is_some() {
            return Err(ErrorCode::InvalidOperation);
        }
        Ok(person)
    }

    pub(super) fn group_member_with(&self, user: User, least: Role) -> Outcome<&Person> {
        let person = self.group_member(user)?;
        if person.role < least {
            return Err(ErrorCode::Forbidden);
        }
        Ok(person)
    }

    pub(super) fn target(&self, user: User) -> Outcome<&Person> {
        self.person(user)
            .filter(|person| person.is_here())
            .ok_or(ErrorCode::UserNotFound)
    }

    fn set_role_of(&mut self, user: User, role: Role) {
        if let Some(person) = self.person_mut(user) {
            person.role = role;
            if role == Role::Owner {
                // Nobody outranks him who could have muted him.
                person.silenced = None;
            }
        }
    }
}

impl Model {
    /// Who would be in a new group, and who is left out.
    pub(super) fn plan_group(&self, user: User, asked: &[User]) -> Outcome<(Vec<User>, Vec<User>)> {
        let mut others: Vec<User> = Vec::new();
        for other in asked {
            if *other != user && !others.contains(other) {
                others.push(*other);
            }
        }
        let (skipped, kept): (Vec<User>, Vec<User>) = others
            .into_iter()
            .partition(|other| self.blocks(user, *other) || self.blocks(*other, user));
        if kept.len() < 2 {
            return Err(ErrorCode::GroupTooSmall);
        }
        Ok((kept, skipped))
    }

    pub(super) fn add(&mut self, user: User, c: usize, asked: &[User]) -> Outcome<Added> {
        let chat = &self.chats[c];
        if asked.is_empty() {
            return Err(ErrorCode::InvalidArgument);
        }
        let actor = chat.group_member(user)?;
        if !chat.everyone_adds && actor.role < Role::Admin {
            return Err(ErrorCode::Forbidden);
        }
        let admin = actor.role >= Role::Admin;
        let mut answer = Added {
            added: Vec::new(),
            already: Vec::new(),
            skipped: Vec::new(),
        };
        for other in asked {
            let past = chat.person(*other);
            if past.is_some_and(Person::is_here) {
                answer.already.push(*other);
            } else if self.blocks(user, *other) || self.blocks(*other, user) || (past.is_some() && !admin) {
                answer.skipped.push(*other);
            } else {
                answer.added.push(*other);
            }
        }
        if answer.added.is_empty() {
            return Ok(answer);
        }
        let (next, now) = (chat.last_seq() + 1, self.now);
        let first = if self.rules.newcomers_see_all { 1 } else { next };
        let chat = &mut self.chats[c];
        for other in &answer.added {
            if chat.person(*other).is_none() {
                chat.people.push(Person::new(*other, first, now));
            } else if let Some(person) = chat.person_mut(*other) {
                person.state = Presence::Here;
                person.role = Role::Member;
                person.joined_at = now;
                // The time between stays closed to him, whatever newcomers see.
                person.spans.push((next, None));
                person.withdraw();
            }
            if let Some(person) = chat.person_mut(*other) {
                // The line that tells of his joining is no news to him.
                person.floor = next;
            }
        }
        self.say(c, user, "member_added");
        Ok(answer)
    }

    pub(super) fn leave(&mut self, user: User, c: usize) -> Outcome<()> {
        let chat = &mut self.chats[c];
        let was_owner = chat.group_member(user)?.role == Role::Owner;
        let last = chat.last_seq();
        if let Some(person) = chat.person_mut(user) {
            person.depart(Presence::Left, last);
            person.role = Role::Member;
        }
        // The admin of longest standing, else the member of longest standing.
        let mut others = chat.members();
        others.sort_by_key(|person| (std::cmp::Reverse(person.role), person.joined_at, person.user));
        let heir = others.first().map(|person| person.user);
        if heir.is_some() {
            self.say(c, user, "member_left");
        }
        if let Some(heir) = heir.filter(|_| was_owner) {
            self.chats[c].set_role_of(heir, Role::Owner);
            self.say(c, user, "owner_changed");
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, user: User, c: usize, other: User) -> Outcome<()> {
        if user == other {
            return self.leave(user, c);
        }
        let chat = &mut self.chats[c];
        let role = chat.group_member_with(user, Role::Admin)?.role;
        let target = chat.target(other)?;
        if role == Role::Admin && target.role >= Role::Admin {
            return Err(ErrorCode::Forbidden);
        }
        let last = chat.last_seq();
        if let Some(person) = chat.person_mut(other) {
            person.depart(Presence::Removed, last);
            person.role = Role::Member;
        }
        self.say(c, user, "member_removed");
        Ok(())
    }

    pub(super) fn set_role(&mut self, user: User, c: usize, other: User, role: Role) -> Outcome<()> {
        self.chats[c].group_member_with(user, Role::Owner)?;
        let present = self.chats[c].target(other)?.role;
        if present == Role::Owner {
            return Err(ErrorCode::InvalidOperation);
        }
        if present != role {
            self.chats[c].set_role_of(other, role);
            self.say(c, user, "admin_changed");
        }
        Ok(())
    }

    pub(super) fn transfer(&mut self, user: User, c: usize, other: User) -> Outcome<()> {
        self.chats[c].group_member_with(user, Role::Owner)?;
        if self.chats[c].target(other)?.role != Role::Owner {
            self.chats[c].set_role_of(user, Role::Admin);
            self.chats[c].set_role_of(other, Role::Owner);
            self.say(c, user, "owner_changed");
        }
        Ok(())
    }

    pub(super) fn freeze(&mut self, user: User, c: usize, on: bool) -> Outcome<()> {
        self.chats[c].group_member_with(user, Role::Admin)?;
        if self.chats[c].frozen != on {
            self.chats[c].frozen = on;
            self.say(c, user, if on { "frozen" } else { "unfrozen" });
        }
        Ok(())
    }

    pub(super) fn permit(&mut self, user: User, c: usize, wanted: Permits) -> Outcome<()> {
        let chat = &mut self.chats[c];
        chat.group_member_with(user, Role::Admin)?;
        let present = Permits {
            only_admins_send: chat.only_admins_send,
            everyone_adds: chat.everyone_adds,
            everyone_edits: chat.everyone_edits,
            everyone_pins: chat.everyone_pins,
        };
        if present != wanted {
            chat.only_admins_send = wanted.only_admins_send;
            chat.everyone_adds = wanted.everyone_adds;
            chat.everyone_edits = wanted.everyone_edits;
            chat.everyone_pins = wanted.everyone_pins;
            self.say(c, user, "permissions_changed");
        }
        Ok(())
    }

    pub(super) fn dissolve(&mut self, user: User, c: usize) -> Outcome<()> {
        let chat = &mut self.chats[c];
        chat.group_member_with(user, Role::Owner)?;
        let last = chat.last_seq();
        for person in chat.people.iter_mut().filter(|person| person.is_here()) {
            person.depart(Presence::Dissolved, last);
        }
        Ok(())
    }

    pub(super) fn change_own_side(&mut self, user: User, c: usize, own: Own) -> Outcome<()> {
        let (now, last) = (self.now, self.chats[c].last_seq());
        self.chats[c].member(user)?;
        let Some(person) = self.chats[c].person_mut(user) else {
            return Ok(());
        };
        match own {
            Own::Pin(true) => {
                person.pinned_at = person.pinned_at.or(Some(now));
                person.archived = false;
            }
            Own::Pin(false) => person.pinned_at = None,
            Own::Mute(mute) => {
                person.muted = mute;
                if !person.is_muted(now) {
                    person.muted = None;
                }
            }
            Own::Archive(true) => {
                person.archived = true;
                person.pinned_at = None;
            }
            Own::Archive(false) => person.archived = false,
            Own::Level(level) => person.level = level,
            Own::Clear => {
                person.visible_from = last + 1;
                person.marker = None;
            }
            Own::Hide => {
                person.visible_from = last + 1;
                person.marker = None;
                person.hidden = true;
                person.pinned_at = None;
            }
        }
        Ok(())
    }
}
