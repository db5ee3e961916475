use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Horizon, JsonObject, Member, Rev, Role, Seq};
use crate::id::{AttachmentId, ConversationId, UserId};
use crate::time::Timestamp;

/// Two people or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Exactly two members, one conversation per pair.
    Direct,
    /// Members with roles.
    Group,
}

/// The two users of a direct conversation in a fixed order, so either side names the same pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectPair {
    low: UserId,
    high: UserId,
}

impl DirectPair {
    /// The pair of two users; `None` when they are the same.
    #[must_use]
    pub fn new(a: &UserId, b: &UserId) -> Option<Self> {
        match a.cmp(b) {
            std::cmp::Ordering::Less => Some(Self {
                low: a.clone(),
                high: b.clone(),
            }),
            std::cmp::Ordering::Greater => Some(Self {
                low: b.clone(),
                high: a.clone(),
            }),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// The user whose id sorts first.
    #[must_use]
    pub const fn low(&self) -> &UserId {
        &self.low
    }

    /// The user whose id sorts last.
    #[must_use]
    pub const fn high(&self) -> &UserId {
        &self.high
    }

    /// The other one; `None` when `user` is not of the pair.
    #[must_use]
    pub fn other(&self, user: &UserId) -> Option<&UserId> {
        if *user == self.low {
            Some(&self.high)
        } else if *user == self.high {
            Some(&self.low)
        } else {
            None
        }
    }
}

/// Which members may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Every member.
    Everyone,
    /// Owner and admins.
    Admins,
}

/// What members of a group may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Permissions {
    /// Who sends; `admins` makes it an announcement group.
    pub send: Permission,
    /// Who adds members.
    pub add_members: Permission,
    /// Who edits name, description and picture.
    pub edit_info: Permission,
    /// Who pins messages.
    pub pin_messages: Permission,
}

impl Default for Permissions {
    /// Everyone sends; owner and admins add, edit and pin.
    fn default() -> Self {
        Self {
            send: Permission::Everyone,
            add_members: Permission::Admins,
            edit_info: Permission::Admins,
            pin_messages: Permission::Admins,
        }
    }
}

/// The newest countable messages, kept so that "is there anything new for u" costs no query: the newest one, and the
/// newest one of another sender than that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastCountable {
    /// Seq of the newest countable message; 0 when there is none.
    pub seq: Seq,
    /// Its sender.
    pub sender: Option<UserId>,
    /// Seq of the newest countable message of anybody else; 0 when there is none.
    pub other_seq: Seq,
    /// Its time; that of the newest one is the conversation's `last_activity_at`.
    pub other_at: Timestamp,
}

impl LastCountable {
    /// Takes note of a new countable message; `before` is the time of the newest one until now.
    fn push(&mut self, seq: Seq, sender: &UserId, before: Timestamp) {
        if self.sender.as_ref() != Some(sender) {
            self.other_seq = self.seq;
            self.other_at = before;
            self.sender = Some(sender.clone());
        }
        self.seq = seq;
    }

    /// The newest countable message that `user` did not send. Deletions do not lower it.
    #[must_use]
    pub fn not_by(&self, user: &UserId) -> Seq {
        if self.sender.as_ref() == Some(user) {
            self.other_seq
        } else {
            self.seq
        }
    }
}

/// A conversation as it is kept; what one member sees of it is a `ConversationView`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Direct or group.
    pub kind: ConversationKind,
    /// The two users of a direct; unique.
    pub pair: Option<DirectPair>,
    /// Name of a group, at most 120 characters.
    pub name: Option<String>,
    /// Description of a group, at most 500 characters.
    pub description: Option<String>,
    /// Picture of a group.
    pub avatar: Option<AttachmentId>,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Time of the newest countable message; the list sorts by it.
    pub last_activity_at: Timestamp,
    /// Time of the newest change. Never decreases, whatever the clock does.
    pub changed_at: Timestamp,
    /// Count of persistent changes.
    pub rev: Rev,
    /// The newest message's seq; never decreases.
    pub last_seq: Seq,
    /// The newest countable messages.
    pub last_countable: LastCountable,
    /// The rev at which membership last changed; live delivery caches member lists by it.
    pub members_rev: Rev,
    /// How many active members.
    pub member_count: u32,
    /// Who may do what.
    pub permissions: Permissions,
    /// A frozen conversation takes no messages.
    pub frozen: bool,
    /// Messages sent from now on disappear so many milliseconds after they were sent; `None`: they stay.
    pub message_ttl_ms: Option<u64>,
    /// Members who are no admins wait so long between two messages; whole milliseconds.
    pub slow_mode: Option<Duration>,
    /// Until when the room for messages of all senders together is spoken for, by the rate
    /// [`sends_per_conversation`](crate::config::Limits::sends_per_conversation).
    pub sends_until: Timestamp,
    /// The host's own data, at most 8 KiB.
    pub custom: JsonObject,
    /// Set when a group was deleted.
    pub dissolved_at: Option<Timestamp>,
    /// Where its messages begin.
    pub horizon: Horizon,
}

impl Conversation {
    /// When this member may send again, if slow mode makes him wait: not owner and admins.
    #[must_use]
    pub fn next_send_at(&self, member: &Member) -> Option<Timestamp> {
        let pause = self.slow_mode.filter(|_| member.role < Role::Admin)?;
        Some(member.last_sent_at?.after(pause))
    }

    /// Takes note of a new countable message: the list sorts by it, and it is news to all but its sender.
    pub fn note_countable(&mut self, seq: Seq, sender: &UserId, at: Timestamp) {
        self.last_countable.push(seq, sender, self.last_activity_at);
        self.last_activity_at = at;
    }

    /// When the newest countable message that `user` did not send came, if there is one.
    #[must_use]
    pub fn countable_not_by_at(&self, user: &UserId) -> Timestamp {
        if self.last_countable.sender.as_ref() == Some(user) {
            self.last_countable.other_at
        } else {
            self.last_activity_at
        }
    }
}
