//! What happened: the typed events behind every live event, push and hook.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Hide, Message, Muted, Rev, Role, Scheduled, Seq};
use crate::time::Timestamp;
use crate::view::{PresenceStatus, RemovalReason};

/// Something that happened, after it was committed. Hosts get the stream of these from
/// [`ChatEngine::events`](crate::ChatEngine::events); clients get each as they may see it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChatEvent {
    /// A message was sent.
    MessageCreated {
        /// The message.
        message: Arc<Message>,
    },
    /// A message was edited, reacted to, moved or stepped.
    MessageUpdated {
        /// The message after it.
        message: Arc<Message>,
    },
    /// A message was deleted for everyone.
    MessageDeleted {
        /// What is left of it.
        message: Arc<Message>,
    },
    /// The time of a disappearing message is over; nobody sees it any more.
    MessageExpired {
        /// What is left of its row.
        message: Arc<Message>,
    },
    /// A user deleted a message for himself.
    MessageHidden {
        /// Which, whose.
        hide: Hide,
    },
    /// A member's marks moved.
    ReceiptUpdated {
        /// Where.
        conversation_id: ConversationId,
        /// Rev of the move; of the conversation as it was, when nothing moved that others may see.
        rev: Rev,
        /// Whose.
        user_id: UserId,
        /// Delivered up to here.
        delivered_seq: Seq,
        /// Read up to here; for himself.
        read_seq: Seq,
        /// The part of it for his contacts.
        contacts_read_seq: Seq,
        /// The part of it for everyone.
        public_read_seq: Seq,
        /// Whether others hear of it: not while the two block each other, and not when nothing they may see moved.
        public: bool,
        /// When.
        at: Timestamp,
    },
    /// A conversation came to be, for some or all of its members.
    ConversationCreated {
        /// Which.
        conversation_id: ConversationId,
        /// Rev of it.
        rev: Rev,
        /// For whom it is new.
        users: Vec<UserId>,
    },
    /// Name, picture, permissions … changed.
    ConversationUpdated {
        /// Which.
        conversation_id: ConversationId,
        /// Rev of it.
        rev: Rev,
        /// The new values; `null` where one was cleared.
        changed: Map<String, Value>,
    },
    /// A conversation is gone, for some of its members.
    ConversationRemoved {
        /// Which.
        conversation_id: ConversationId,
        /// Rev of it.
        rev: Rev,
        /// Why.
        reason: RemovalReason,
        /// For whom.
        users: Vec<UserId>,
    },
    /// Who is in a conversation, or what rank members have, changed.
    MembersChanged {
        /// Which.
        conversation_id: ConversationId,
        /// Rev of it.
        rev: Rev,
        /// Members now.
        added: Vec<UserId>,
        /// Members no more.
        removed: Vec<UserId>,
        /// New ranks.
        roles: BTreeMap<UserId, Role>,
        /// Who may not write until when; `None`: may again.
        muted: BTreeMap<UserId, Option<Muted>>,
    },
    /// A user starred a message, or took his star off.
    StarChanged {
        /// Whose star.
        user_id: UserId,
        /// Where the message is.
        conversation_id: ConversationId,
        /// Which message.
        message_id: MessageId,
        /// His `user_rev` of it.
        user_rev: u64,
        /// Whether it is starred now.
        starred: bool,
    },
    /// A user's own side of a conversation changed.
    InboxUpdated {
        /// Whose.
        user_id: UserId,
        /// Which.
        conversation_id: ConversationId,
        /// His `user_rev`.
        user_rev: u64,
    },
    /// Who types in a conversation changed. Ephemeral.
    TypingChanged {
        /// Where.
        conversation_id: ConversationId,
        /// Everybody who types.
        user_ids: Vec<UserId>,
        /// Who started or stopped; he is not told of himself.
        by: UserId,
    },
    /// A user came or went. Ephemeral.
    PresenceChanged {
        /// Who.
        user_id: UserId,
        /// What he is now.
        status: PresenceStatus,
        /// End of his last session, when he went.
        last_seen_at: Option<Timestamp>,
    },
    /// One of somebody's scheduled messages came to be or changed; nobody else knows of it.
    ScheduledChanged {
        /// The scheduled message after it, with the owner's `user_rev`.
        scheduled: Arc<Scheduled>,
    },
    /// A user blocked or unblocked somebody.
    BlockChanged {
        /// Whose list.
        blocker: UserId,
        /// Who was blocked or unblocked.
        blocked: UserId,
        /// Whether he is blocked now.
        on: bool,
        /// The blocker's `user_rev`.
        user_rev: u64,
    },
    /// A user muted or unmuted somebody for himself.
    MuteChanged {
        /// Whose list.
        user_id: UserId,
        /// Who was muted or unmuted.
        muted: UserId,
        /// Until when he is muted now.
        until: Option<Muted>,
        /// The `user_rev` of the one who mutes.
        user_rev: u64,
    },
}

impl ChatEvent {
    /// Names of all live events on the wire, in the order of the contract.
    pub const NAMES: &'static [&'static str] = &[
        "ready",
        "lagged",
        "message_created",
        "message_updated",
        "message_deleted",
        "receipt_updated",
        "conversation_created",
        "conversation_updated",
        "conversation_removed",
        "members_changed",
        "inbox_updated",
        "star_changed",
        "typing_changed",
        "presence_changed",
        "block_changed",
        "mute_changed",
        "scheduled_changed",
        "session_ending",
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MessageCreated { .. } => "message_created",
            Self::MessageUpdated { .. } => "message_updated",
            Self::MessageDeleted { .. } | Self::MessageExpired { .. } | Self::MessageHidden { .. } => {
                "message_deleted"
            }
            Self::ReceiptUpdated { .. } => "receipt_updated",
            Self::ConversationCreated { .. } => "conversation_created",
            Self::ConversationUpdated { .. } => "conversation_updated",
            Self::ConversationRemoved { .. } => "conversation_removed",
            Self::MembersChanged { .. } => "members_changed",
            Self::InboxUpdated { .. } => "inbox_updated",
            Self::StarChanged { .. } => "star_changed",
            Self::TypingChanged { .. } => "typing_changed",
            Self::PresenceChanged { .. } => "presence_changed",
            Self::BlockChanged { .. } => "block_changed",
            Self::MuteChanged { .. } => "mute_changed",
            Self::ScheduledChanged { .. } => "scheduled_changed",
        }
    }

    /// Where it happened; `None` for what belongs to a user.
    #[must_use]
    pub fn conversation_id(&self) -> Option<ConversationId> {
        match self {
            Self::MessageCreated { message }
            | Self::MessageUpdated { message }
            | Self::MessageDeleted { message }
            | Self::MessageExpired { message } => Some(message.conversation_id),
            Self::MessageHidden { hide } => Some(hide.conversation_id),
            Self::ReceiptUpdated { conversation_id, .. }
            | Self::ConversationCreated { conversation_id, .. }
            | Self::ConversationUpdated { conversation_id, .. }
            | Self::ConversationRemoved { conversation_id, .. }
            | Self::MembersChanged { conversation_id, .. }
            | Self::InboxUpdated { conversation_id, .. }
            | Self::StarChanged { conversation_id, .. }
            | Self::TypingChanged { conversation_id, .. } => Some(*conversation_id),
            Self::PresenceChanged { .. }
            | Self::BlockChanged { .. }
            | Self::MuteChanged { .. }
            | Self::ScheduledChanged { .. } => None,
        }
    }
}
