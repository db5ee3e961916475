use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Conversation, Rev, Seq};
use crate::id::{ConversationId, UserId};
use crate::time::Timestamp;

/// What a member may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes part.
    Member,
    /// Manages members and information.
    Admin,
    /// One per group: also roles, transfer and deletion.
    Owner,
}

/// Whether somebody is a member now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Is a member.
    Active,
    /// Left by himself.
    Left,
    /// Was removed.
    Removed,
    /// Was a member when the group was deleted.
    Dissolved,
}

/// Messages between two joins and leaves: `from..=to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The first visible seq.
    pub from: Seq,
    /// The last visible seq; open while the membership lasts.
    pub to: Option<Seq>,
}

impl Interval {
    /// Whether `seq` lies inside.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        seq >= self.from && self.to.is_none_or(|to| seq <= to)
    }
}

/// Until when something or somebody is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Muted {
    /// Until that time.
    Until(Timestamp),
    /// Until it is lifted.
    Forever,
}

impl Muted {
    /// Whether it mutes at `now`.
    #[must_use]
    pub fn is_active(self, now: Timestamp) -> bool {
        match self {
            Self::Until(at) => at > now,
            Self::Forever => true,
        }
    }
}

impl Serialize for Muted {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Until(at) => at.serialize(s),
            Self::Forever => s.serialize_str("forever"),
        }
    }
}

impl<'de> Deserialize<'de> for Muted {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(d)?;
        if value == "forever" {
            return Ok(Self::Forever);
        }
        serde_json::from_value(value)
            .map(Self::Until)
            .map_err(|_| serde::de::Error::custom("a time or \"forever\""))
    }
}

/// Which messages of one conversation alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationLevel {
    /// Every message.
    #[default]
    All,
    /// Messages that mention him.
    Mentions,
    /// None.
    None,
}

/// One user's membership of one conversation: public role and marks, private settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// Who.
    pub user_id: UserId,
    /// Rank.
    pub role: Role,
    /// Whether he is a member now.
    pub state: MemberState,
    /// Start of the present (or last) membership.
    pub joined_at: Timestamp,
    /// Everything he may see by membership, oldest first.
    pub intervals: Vec<Interval>,
    /// Everything up to here has reached a device of his. Never below `read_seq`, never lower again.
    pub delivered_seq: Seq,
    /// Everything up to here was read by him. Never lower again.
    pub read_seq: Seq,
    /// The part of `read_seq` that contacts may see (moved while receipts were `everyone` or `contacts`).
    pub contacts_read_seq: Seq,
    /// The part of `read_seq` that everyone may see (moved while receipts were `everyone`).
    pub public_read_seq: Seq,
    /// Messages up to here never count as unread: where he joined.
    pub unread_floor: Seq,
    /// Messages below this were cleared by him; 1 at first.
    pub visible_from: Seq,
    /// "Mark unread": messages from here on count as unread. 0 marks a conversation without messages.
    pub unread_from: Option<Seq>,
    /// On top of his list since then.
    pub pinned_at: Option<Timestamp>,
    /// Silent until then.
    pub muted: Option<Muted>,
    /// The `last_seq` at which he archived it; a newer message of somebody else lifts it ([`Member::is_archived`]).
    pub archived_seq: Option<Seq>,
    /// The `last_seq` at which he hid it; a newer countable message lifts it.
    pub hidden_seq: Option<Seq>,
    /// Which messages alert.
    pub notification_level: NotificationLevel,
    /// An admin of the group has taken the right to write from him until then. It outlives leaving and coming back.
    pub silenced: Option<Muted>,
    /// When he last sent something here while the group was in slow mode; kept in such groups only.
    pub last_sent_at: Option<Timestamp>,
    /// Rev of the last public change: role, joining, leaving, marks.
    pub rev: Rev,
    /// Value of his `user_rev` at the last private change.
    pub user_rev: u64,
    /// Value of his `user_rev` when what he can see last shrank or grew as a whole (clear, hide, unblock, re-join).
    pub reset_user_rev: u64,
}

impl Member {
    /// A first membership: a plain member who has read nothing and sees everything from `from` on.
    #[must_use]
    pub fn joined(conversation_id: ConversationId, user_id: UserId, joined_at: Timestamp, from: Seq) -> Self {
        Self {
            conversation_id,
            user_id,
            role: Role::Member,
            state: MemberState::Active,
            joined_at,
            intervals: vec![Interval { from, to: None }],
            delivered_seq: 0,
            read_seq: 0,
            contacts_read_seq: 0,
            public_read_seq: 0,
            unread_floor: 0,
            visible_from: 1,
            unread_from: None,
            pinned_at: None,
            muted: None,
            archived_seq: None,
            hidden_seq: None,
            notification_level: NotificationLevel::All,
            silenced: None,
            last_sent_at: None,
            rev: 0,
            user_rev: 0,
            reset_user_rev: 0,
        }
    }

    /// Whether he is a member now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    /// Whether his memberships cover `seq` and he has not cleared it. Deletion, hiding, expiry and blocks are
    /// judged by [`visible`](crate::access::visible).
    #[must_use]
    pub fn covers(&self, seq: Seq) -> bool {
        seq >= self.visible_from && self.intervals.iter().any(|i| i.contains(seq))
    }

    /// Nothing below this can be visible to him: it is from before he joined, or he has cleared it.
    #[must_use]
    pub fn sees_from(&self) -> Seq {
        let seen = |interval: &&Interval| interval.to.is_none_or(|to| to >= self.visible_from);
        (self.intervals.iter().find(seen))
            .map_or(self.visible_from, |first| first.from.max(self.visible_from))
    }

    /// Whether he has the conversation in his archive: a newer countable message of somebody else takes it out, unless
    /// it came while he had the conversation muted. The end of a mute changes nothing by itself.
    #[must_use]
    pub fn is_archived(&self, conversation: &Conversation) -> bool {
        self.archived_seq.is_some_and(|archived| {
            conversation.last_countable.not_by(&self.user_id) <= archived
                || self
                    .muted
                    .is_some_and(|muted| muted.is_active(conversation.countable_not_by_at(&self.user_id)))
        })
    }

    /// Messages above this count as unread, where nothing else speaks against it.
    #[must_use]
    pub fn unread_after(&self) -> Seq {
        match self.unread_from {
            Some(from) => from.max(self.visible_from).saturating_sub(1),
            None => self
                .read_seq
                .max(self.unread_floor)
                .max(self.visible_from.saturating_sub(1)),
        }
    }
}
