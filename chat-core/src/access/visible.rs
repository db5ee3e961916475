use crate::config::BlockedInGroup;
use crate::model::{Member, Message, MessageKind};
use crate::time::Timestamp;

/// What one viewer gets of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// The message.
    Visible,
    /// That there was one: it was deleted for everyone.
    Tombstone,
    /// Nothing: it does not exist for him.
    Gone,
}

/// Through whose eyes a message is judged, and what is known about the two.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// His membership of the message's conversation.
    pub member: &'a Member,
    /// The time expiry is judged by.
    pub now: Timestamp,
    /// Whether he deleted this message for himself.
    pub hidden: bool,
    /// Whether he has blocked its sender.
    pub sender_blocked: bool,
    /// Whether the conversation is a group; in a direct, history stays readable after a block.
    pub group: bool,
    /// What becomes of messages of blocked users in groups.
    pub blocked_in_group: BlockedInGroup,
}

impl Sight<'_> {
    const fn blocked_as(&self, policy: BlockedInGroup) -> bool {
        self.group && self.sender_blocked && self.blocked_in_group as u8 == policy as u8
    }
}

/// Whether, and as what, a viewer sees a message. First match wins: not covered by his memberships or cleared by
/// him, hidden by him, expired, written by a user he blocked (policy `Hide`, groups): gone; deleted: a tombstone.
#[must_use]
pub fn visible(sight: &Sight<'_>, message: &Message) -> Visibility {
    if !sight.member.is_active()
        || !sight.member.covers(message.seq)
        || sight.hidden
        || message.is_expired(sight.now)
        || sight.blocked_as(BlockedInGroup::Hide)
    {
        Visibility::Gone
    } else if message.is_deleted() {
        Visibility::Tombstone
    } else {
        Visibility::Visible
    }
}

/// Whether a message is gone for a viewer for no other reason than that its time is over: he may have seen it, and is
/// told that it is gone.
#[must_use]
pub fn has_expired(sight: &Sight<'_>, message: &Message) -> bool {
    let just_sent = Sight {
        now: Timestamp::from_millis(i64::MIN),
        ..*sight
    };
    message.is_expired(sight.now) && visible(&just_sent, message) != Visibility::Gone
}

/// Whether a message is shown folded up, because its viewer blocked its sender (`from_blocked`).
#[must_use]
pub const fn is_collapsed(sight: &Sight<'_>) -> bool {
    sight.blocked_as(BlockedInGroup::Collapse)
}

/// Whether a message counts as unread for the viewer.
#[must_use]
pub fn counts_as_unread(sight: &Sight<'_>, message: &Message) -> bool {
    visible(sight, message) == Visibility::Visible
        && !is_collapsed(sight)
        && message.countable
        && message.sender_id != sight.member.user_id
        && message.seq > sight.member.unread_after()
}

/// Whether a message mentions the viewer, by name or with everybody: one of somebody else that he sees, and not folded
/// up. Unread or not.
#[must_use]
pub fn is_mention(sight: &Sight<'_>, message: &Message) -> bool {
    visible(sight, message) == Visibility::Visible
        && !is_collapsed(sight)
        && message.sender_id != sight.member.user_id
        && message.mentions_user(&sight.member.user_id)
}

/// Whether a message that is visible may stand in the list as the last one: system lines do not, but for the one
/// that tells of the beginning.
#[must_use]
pub fn is_previewable(message: &Message) -> bool {
    message.kind != MessageKind::System
        || message
            .content
            .system
            .as_ref()
            .is_some_and(|s| s.code == "conversation_created")
}
