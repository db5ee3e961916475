//! The reference model: what a chat is, in plain vectors. Nothing is cached, nothing is clever: flags change when
//! something happens, numbers are counted when somebody asks. Where this and the engine differ, one of them is wrong.

use chat_core::config::{BlockedInGroup, EditHistory};
use chat_core::error::ErrorCode;
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{NotificationLevel, Role};

use super::scheduled::Plan;

/// A user, as an index.
pub(super) type User = usize;
/// What a command answers.
pub(super) type Outcome<T> = Result<T, ErrorCode>;

/// The policies that a history runs under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) blocked: BlockedInGroup,
    pub(super) newcomers_see_all: bool,
    pub(super) any_reader_counts: bool,
    pub(super) sending_reads: bool,
    pub(super) edit_history: EditHistory,
}

/// Everything there is.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) rules: Rules,
    /// Milliseconds.
    pub(super) now: i64,
    pub(super) users: usize,
    /// Who blocks whom.
    pub(super) blocks: Vec<(User, User)>,
    /// When each of them began, in the same order.
    pub(super) blocked_at: Vec<i64>,
    pub(super) chats: Vec<Chat>,
    /// Who has starred what: chat and seq, in order of time.
    pub(super) stars: Vec<(User, usize, u64)>,
    /// What is to be sent later, and what became of it.
    pub(super) plans: Vec<Plan>,
}

#[derive(Debug, Clone)]
pub(super) struct Chat {
    pub(super) id: ConversationId,
    pub(super) pair: Option<(User, User)>,
    pub(super) people: Vec<Person>,
    /// The line with seq n stands at n-1.
    pub(super) lines: Vec<Line>,
    pub(super) frozen: bool,
    pub(super) only_admins_send: bool,
    pub(super) everyone_adds: bool,
    pub(super) everyone_edits: bool,
    pub(super) everyone_pins: bool,
    /// So many milliseconds members wait between two messages.
    pub(super) slow: Option<i64>,
    /// So many milliseconds after they were sent messages are purged.
    pub(super) retention: Option<i64>,
    /// So many milliseconds after they were sent messages disappear.
    pub(super) ttl: Option<i64>,
    pub(super) created_at: i64,
    pub(super) active_at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    Left,
    Removed,
    Dissolved,
}

/// Somebody who is or was a member.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) user: User,
    pub(super) state: Presence,
    pub(super) role: Role,
    pub(super) joined_at: i64,
    /// From and to which seq he was a member.
    pub(super) spans: Vec<(u64, Option<u64>)>,
    pub(super) delivered: u64,
    pub(super) read: u64,
    /// What others may know of `read`.
    pub(super) shown_read: u64,
    /// Nothing up to here is news to him.
    pub(super) floor: u64,
    /// Everything below was cleared.
    pub(super) visible_from: u64,
    /// "Mark unread" from here on.
    pub(super) marker: Option<u64>,
    pub(super) pinned_at: Option<i64>,
    pub(super) muted: Option<Mute>,
    pub(super) archived: bool,
    pub(super) hidden: bool,
    pub(super) level: NotificationLevel,
    /// He may not write here.
    pub(super) silenced: Option<Mute>,
    /// When he last sent something in slow mode.
    pub(super) slow_sent_at: Option<i64>,
    /// Every move of a mark.
    pub(super) moves: Vec<Move>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mute {
    Until(i64),
    Forever,
}

#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) read: bool,
    /// Whether others may know.
    pub(super) shown: bool,
    pub(super) to: u64,
    pub(super) at: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Known from the engine's answers.
    pub(super) id: Option<MessageId>,
    pub(super) seq: u64,
    pub(super) sender: User,
    /// The code of a line of the engine.
    pub(super) code: Option<&'static str>,
    pub(super) words: Words,
    pub(super) key: Option<String>,
    /// As it was sent, for retries.
    pub(super) payload: Payload,
    pub(super) mentions: Vec<User>,
    pub(super) mentions_all: bool,
    pub(super) reply: Option<u64>,
    pub(super) silent: bool,
    pub(super) at: i64,
    pub(super) edited_at: Option<i64>,
    pub(super) version: u32,
    pub(super) deleted: Option<(i64, &'static str)>,
    /// It disappears then, unless it is kept.
    pub(super) expires_at: Option<i64>,
    pub(super) kept: Option<(i64, User)>,
    /// Who wrote the first original.
    pub(super) forwarded: Option<User>,
    pub(super) pinned: Option<(i64, User)>,
    /// In order of time.
    pub(super) reactions: Vec<(User, &'static str)>,
    pub(super) hidden_by: Vec<User>,
    /// What it said before: version, text, and when that was replaced.
    pub(super) former: Vec<(u32, Words, i64)>,
    /// It was kept too long, and there is no such line any more.
    pub(super) purged: bool,
}

pub(super) type Words = String;

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) text: String,
    pub(super) silent: bool,
    pub(super) mentions: Vec<Mention>,
    /// The seq of the message answered; chat and seq when it lies elsewhere.
    pub(super) reply: Option<(usize, u64)>,
    /// Chat and seq of a message that is sent on.
    pub(super) forward: Option<(usize, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mention {
    One(User),
    All,
}

impl Payload {
    pub(super) fn nothing() -> Self {
        Self {
            text: String::new(),
            silent: false,
            mentions: Vec::new(),
            reply: None,
            forward: None,
        }
    }
}

impl Person {
    pub(super) fn new(user: User, from: u64, at: i64) -> Self {
        Self {
            user,
            state: Presence::Here,
            role: Role::Member,
            joined_at: at,
            spans: vec![(from, None)],
            delivered: 0,
            read: 0,
            shown_read: 0,
            floor: 0,
            visible_from: 1,
            marker: None,
            pinned_at: None,
            muted: None,
            archived: false,
            hidden: false,
            level: NotificationLevel::All,
            silenced: None,
            slow_sent_at: None,
            moves: Vec::new(),
        }
    }

    pub(super) fn is_here(&self) -> bool {
        self.state == Presence::Here
    }

    pub(super) fn was_here(&self, seq: u64) -> bool {
        self.spans
            .iter()
            .any(|(from, to)| seq >= *from && to.is_none_or(|to| seq <= to))
    }

    pub(super) fn is_muted(&self, now: i64) -> bool {
        self.muted.is_some_and(|mute| mute.holds(now))
    }

    /// What is left of an admin's mute.
    pub(super) fn silenced(&self, now: i64) -> Option<Mute> {
        self.silenced.filter(|mute| mute.holds(now))
    }
}

impl Mute {
    pub(super) fn holds(self, now: i64) -> bool {
        match self {
            Self::Until(at) => at > now,
            Self::Forever => true,
        }
    }
}

impl Chat {
    pub(super) fn last_seq(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Where its lines begin: below is nothing any more.
    pub(super) fn first_seq(&self) -> u64 {
        let first = self.lines.iter().find(|line| !line.purged);
        first.map_or(self.last_seq() + 1, |line| line.seq)
    }

    pub(super) fn person(&self, user: User) -> Option<&Person> {
        self.people.iter().find(|person| person.user == user)
    }

    pub(super) fn person_mut(&mut self, user: User) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.user == user)
    }

    /// Members, in order of their ids (which is the order of users).
    pub(super) fn members(&self) -> Vec<&Person> {
        let mut members: Vec<&Person> = self.people.iter().filter(|person| person.is_here()).collect();
        members.sort_by_key(|person| person.user);
        members
    }

    /// The right to look at all.
    pub(super) fn member(&self, user: User) -> Outcome<&Person> {
        match self.person(user) {
            Some(person) if person.is_here() => Ok(person),
            Some(person) if person.state == Presence::Dissolved => Err(ErrorCode::ConversationGone),
            _ => Err(ErrorCode::ConversationNotFound),
        }
    }

    pub(super) fn peer(&self, user: User) -> Option<User> {
        let (a, b) = self.pair?;
        Some(if a == user { b } else { a })
    }

    pub(super) fn line(&self, seq: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.seq == seq)
    }
}

impl Model {
    pub(super) fn blocks(&self, who: User, whom: User) -> bool {
        self.blocks.contains(&(who, whom))
    }

    /// Since when one of two blocks the other.
    pub(super) fn apart_since(&self, a: User, b: User) -> Option<i64> {
        let pairs = self.blocks.iter().zip(&self.blocked_at);
        pairs
            .filter(|(pair, _)| **pair == (a, b) || **pair == (b, a))
            .map(|(_, at)| *at)
            .min()
    }

    /// The marks of a member as another may know them: while one of the two blocks the other, as they were then.
    pub(super) fn known_marks(&self, viewer: User, person: &Person) -> (u64, u64) {
        let Some(since) = self.apart_since(viewer, person.user) else {
            return (person.delivered, person.shown_read);
        };
        let before = |read: bool| {
            let steps = person
                .moves
                .iter()
                .filter(|step| step.read == read && step.at <= since);
            steps
                .filter(|step| !step.read || step.shown)
                .map(|step| step.to)
                .max()
                .unwrap_or(0)
        };
        (before(false), before(true))
    }

    /// Whether a disappearing message has disappeared.
    pub(super) fn is_over(&self, line: &Line) -> bool {
        line.kept.is_none() && line.expires_at.is_some_and(|at| at <= self.now)
    }

    /// Whether a message exists for a viewer; a tombstone does.
    pub(super) fn sees(&self, viewer: User, chat: &Chat, line: &Line) -> bool {
        let Ok(person) = chat.member(viewer) else {
            return false;
        };
        !line.purged
            && line.seq >= person.visible_from
            && person.was_here(line.seq)
            && !line.hidden_by.contains(&viewer)
            && !self.is_over(line)
            && !(self.rules.blocked == BlockedInGroup::Hide
                && chat.pair.is_none()
                && self.blocks(viewer, line.sender))
    }

    pub(super) fn seen_lines<'a>(&self, viewer: User, chat: &'a Chat) -> Vec<&'a Line> {
        let all = chat.lines.iter();
        all.filter(|line| self.sees(viewer, chat, line)).collect()
    }

    /// Whether it stands folded up, because its sender is blocked.
    pub(super) fn is_folded(&self, viewer: User, chat: &Chat, line: &Line) -> bool {
        self.rules.blocked == BlockedInGroup::Collapse
            && chat.pair.is_none()
            && self.blocks(viewer, line.sender)
    }

    /// The unread messages of a member.
    pub(super) fn unread<'a>(&self, viewer: User, chat: &'a Chat) -> Vec<&'a Line> {
        let Ok(person) = chat.member(viewer) else {
            return Vec::new();
        };
        let is_new = |seq: u64| match person.marker {
            Some(from) => seq >= from,
            None => seq > person.read && seq > person.floor,
        };
        let mut unread = self.seen_lines(viewer, chat);
        unread.retain(|line| {
            is_new(line.seq)
                && line.counts()
                && line.deleted.is_none()
                && line.sender != viewer
                && !self.is_folded(viewer, chat, line)
        });
        unread
    }

    /// What the list shows of a conversation.
    pub(super) fn preview<'a>(&self, viewer: User, chat: &'a Chat) -> Option<&'a Line> {
        self.seen_lines(viewer, chat).into_iter().rfind(|line| {
            line.deleted.is_none() && line.code.is_none_or(|code| code == "conversation_created")
        })
    }

    /// How many have a message of theirs to receive, have received it, have read it.
    pub(super) fn receipts(&self, chat: &Chat, line: &Line) -> (u64, u64, u64) {
        let recipients: Vec<&Person> = chat
            .members()
            .into_iter()
            .filter(|person| person.user != line.sender && person.was_here(line.seq))
            .collect();
        let count = |has: &dyn Fn(&Person) -> bool| recipients.iter().filter(|person| has(person)).count();
        (
            recipients.len() as u64,
            count(&|person| self.known_marks(line.sender, person).0 >= line.seq) as u64,
            count(&|person| self.known_marks(line.sender, person).1 >= line.seq) as u64,
        )
    }
}

impl Line {
    /// Whether it can be news at all.
    pub(super) fn counts(&self) -> bool {
        self.code.is_none() && !self.silent
    }

    pub(super) fn mentions(&self, user: User) -> bool {
        self.mentions_all || self.mentions.contains(&user)
    }
}
