//! Limits and policies, with their defaults. Everything here is listed by `GET /capabilities`.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// What becomes of messages in groups written by users the viewer has blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedInGroup {
    /// As any other message.
    Show,
    /// Delivered with `from_blocked`; not counted, no push, no mention.
    #[default]
    Collapse,
    /// Not in history, preview, search, sync or counts.
    Hide,
}

/// How a message's status for its sender follows from its recipients' marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RollUp {
    /// All recipients must have it.
    #[default]
    All,
    /// One is enough.
    Any,
}

/// When a message counts as delivered to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveredOn {
    /// When a client of his says so.
    #[default]
    ClientAck,
    /// When it was handed to a live connection of his.
    Emit,
}

/// What somebody who joins a group sees of its past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryForNewMembers {
    /// Nothing from before he joined.
    #[default]
    FromJoin,
    /// Everything.
    All,
}

/// Who reads what messages said before they were edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EditHistory {
    /// Nobody; it is not kept.
    Off,
    /// Owner and admins of a group, and the host.
    #[default]
    Moderators,
    /// Everybody who sees the message.
    Members,
}

/// What happens when the owner of a group leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerLeave {
    /// The oldest admin, else the oldest member, becomes owner.
    #[default]
    HandOver,
    /// Refused with `owner_cannot_leave` until he has handed over himself.
    Refuse,
}

fn seconds<S: Serializer>(value: &Duration, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u64(value.as_secs())
}

fn optional_seconds<S: Serializer>(value: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => s.serialize_some(&value.as_secs()),
        None => s.serialize_none(),
    }
}

/// Behaviour that hosts may want otherwise. Durations are listed in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Policies {
    /// Sending moves the sender's own read mark to his message. Default false.
    pub read_on_send: bool,
    /// When a message counts as delivered. Default: when the client says so.
    pub delivered_on: DeliveredOn,
    /// How recipients' marks make a status. Default: all.
    pub rollup: RollUp,
    /// Whether system lines count as unread. Default false.
    pub system_countable: bool,
    /// Smallest group at creation, with its creator. Default 3.
    pub group_min_members: usize,
    /// Deleting one's own message for everyone is possible so long after sending it. Default 1 h; `None`: always.
    #[serde(serialize_with = "optional_seconds")]
    pub delete_for_everyone_window: Option<Duration>,
    /// Editing is possible so long after sending. Default `None`: always.
    #[serde(serialize_with = "optional_seconds")]
    pub edit_window: Option<Duration>,
    /// Who reads former texts of edited messages. Default: moderators.
    pub edit_history: EditHistory,
    /// A forwarded message names who wrote its first original. Default true.
    pub forward_shows_sender: bool,
    /// Messages of blocked users in groups. Default: collapse.
    pub blocked_in_group: BlockedInGroup,
    /// What newcomers see. Default: from joining on.
    pub history_for_new_members: HistoryForNewMembers,
    /// What happens when the owner leaves. Default: hand over.
    pub owner_leave: OwnerLeave,
    /// A user who looks at another conversation or device gets silent pushes. Default false: none.
    pub push_when_online: bool,
    /// A user who is connected and looks away has so long to look before his devices alert. Default 3 s.
    #[serde(serialize_with = "seconds")]
    pub push_delay: Duration,
    /// A push about a direct conversation is worth sending for so long, by the engine and then by the provider. Default
    /// 28 days.
    #[serde(serialize_with = "seconds")]
    pub push_life_direct: Duration,
    /// The same for groups. Default 7 days.
    #[serde(serialize_with = "seconds")]
    pub push_life_group: Duration,
    /// Pushes of disappearing messages show their text, as far as the recipient's setting lets. Default false: the
    /// sender and the kind.
    pub push_disappearing_content: bool,
    /// A mention alerts in spite of a mute. Default false.
    pub mention_breaks_mute: bool,
    /// A valid token of an unknown user makes that user. Default true.
    pub create_users_from_tokens: bool,
    /// Messages of direct conversations are purged so long after they were sent, where the host has not
    /// [set another time](crate::ChatEngine::set_retention). Default `None`: kept.
    #[serde(serialize_with = "optional_seconds")]
    pub retention_direct: Option<Duration>,
    /// The same for groups.
    #[serde(serialize_with = "optional_seconds")]
    pub retention_group: Option<Duration>,
    /// When a message was delivered and read is forgotten so long after it happened; that it was stays known. Default
    /// `None`: kept.
    #[serde(serialize_with = "optional_seconds")]
    pub retention_receipt_times: Option<Duration>,
    /// Users may have everything that is kept of them (`GET /me/export`). Default false.
    pub self_export: bool,
    /// Users may erase themselves (`POST /me/erase`). Default false.
    pub self_erase: bool,
    /// Above so many members: no live receipts, typing or presence, no system lines for joining and leaving, no
    /// member list in conversations. Default 100.
    pub large_group_threshold: usize,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            read_on_send: false,
            delivered_on: DeliveredOn::default(),
            rollup: RollUp::default(),
            system_countable: false,
            group_min_members: 3,
            delete_for_everyone_window: Some(Duration::from_secs(3600)),
            edit_window: None,
            edit_history: EditHistory::default(),
            forward_shows_sender: true,
            blocked_in_group: BlockedInGroup::default(),
            history_for_new_members: HistoryForNewMembers::default(),
            owner_leave: OwnerLeave::default(),
            push_when_online: false,
            push_delay: Duration::from_secs(3),
            push_life_direct: Duration::from_secs(28 * 86_400),
            push_life_group: Duration::from_secs(7 * 86_400),
            push_disappearing_content: false,
            mention_breaks_mute: false,
            create_users_from_tokens: true,
            retention_direct: None,
            retention_group: None,
            retention_receipt_times: None,
            self_export: false,
            self_erase: false,
            large_group_threshold: 100,
        }
    }
}

/// So many in a burst, refilled at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// So many at once.
    pub burst: u32,
    /// Refilled so many per minute.
    pub per_minute: u32,
}

impl Rate {
    /// `burst` at once, `per_minute` in the long run.
    #[must_use]
    pub const fn new(burst: u32, per_minute: u32) -> Self {
        Self { burst, per_minute }
    }
}

/// How much is taken. Bytes unless the name says otherwise; durations are listed in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// WebSocket frame, WebSocket message and Socket.IO payload. Default 128 KiB.
    pub frame_bytes: usize,
    /// HTTP body that is no upload. Default 1 MiB.
    pub body_bytes: usize,
    /// Text of a message. Default 16,384.
    pub text_bytes: usize,
    /// Text of a message in characters (Unicode scalar values). Default 10,000.
    pub text_chars: usize,
    /// Depth of nested JSON in a request. Default 16.
    pub json_depth: usize,
    /// Keys in all objects of a request. Default 256.
    pub json_keys: usize,
    /// Conversations whose revs a sync without a token names; they do not count as keys. Default 1,000.
    pub sync_known: usize,
    /// Custom data of a message, conversation or user as JSON text. Default 8 KiB.
    pub custom_bytes: usize,
    /// Users mentioned by one message. Default 50.
    pub mentions: usize,
    /// Files of one message. Default 10.
    pub attachments: usize,
    /// Different emoji on one message. Default 50.
    pub reactions: usize,
    /// Different emoji of one user on one message. Default 50.
    pub reactions_per_user: usize,
    /// Messages one user has starred. Default 1,000.
    pub stars_per_user: usize,
    /// Pinned messages of a conversation. Default 50.
    pub pins_per_conversation: usize,
    /// One emoji. Default 64.
    pub emoji_bytes: usize,
    /// Members of a group. Default 1,000.
    pub members: usize,
    /// Users added by one call. Default 1,000.
    pub add_members: usize,
    /// Largest group in which everybody can be mentioned at once. Default 100.
    pub mention_all_members: usize,
    /// Default page. Default 50.
    pub page_default: usize,
    /// Largest page. Default 100.
    pub page_max: usize,
    /// Marks in one batch. Default 100.
    pub marks: usize,
    /// What a user says of his presence, in characters. Default 100.
    pub status_chars: usize,
    /// User ids in one presence question, and presence subscriptions of one session. Default 500.
    pub presence_ids: usize,
    /// Changed messages per conversation in a sync answer. Default 50.
    pub sync_messages: usize,
    /// Conversations in a sync answer. Default 50.
    pub sync_conversations: usize,
    /// A sync token is good so long; afterwards `reset_required`. Default 30 days.
    #[serde(serialize_with = "seconds")]
    pub sync_token_life: Duration,
    /// Names of users and groups, in characters. Default 120.
    pub name_chars: usize,
    /// Description of a group, in characters. Default 500.
    pub description_chars: usize,
    /// Place and note of a meeting, in characters. Default 500.
    pub place_chars: usize,
    /// Label of a location, in characters. Default 200.
    pub label_chars: usize,
    /// Query of a search. Default 500.
    pub query_bytes: usize,
    /// Push token. Default 4,096.
    pub device_token_bytes: usize,
    /// Devices per user; the longest unused goes. Default 25.
    pub devices: usize,
    /// A device that was not registered again for so long is removed. Default 60 days.
    #[serde(serialize_with = "seconds")]
    pub device_life: Duration,
    /// One uploaded file. Default 25 MiB.
    pub upload_bytes: usize,
    /// An uploaded file that nothing uses lives so long. Default 24 h.
    #[serde(serialize_with = "seconds")]
    pub upload_pending_life: Duration,
    /// An upload without a byte for so long is cut. Default 30 s.
    #[serde(serialize_with = "seconds")]
    pub upload_idle: Duration,
    /// Live connections per user. Default 20.
    pub connections_per_user: usize,
    /// Live connections per remote address. Default 100.
    pub connections_per_address: usize,
    /// Live connections per node. Default 50,000.
    pub connections: usize,
    /// Events waiting for one connection. Default 256.
    pub outbound_events: usize,
    /// Bytes waiting for one connection. Default 1 MiB.
    pub outbound_bytes: usize,
    /// Sends waiting for the store. Default 4,096.
    pub queued_sends: usize,
    /// Socket commands and writing requests per user over all devices. Default 20 per second, burst 40.
    pub commands: Rate,
    /// Searches per user. Default 2 per second.
    pub searches: Rate,
    /// New conversations per user. Default 30 per minute.
    pub creates: Rate,
    /// Logins per account and address. Default 5 per minute.
    pub logins: Rate,
    /// Sign-ups and logins per address, of all accounts together; an IPv6 address counts with its /64. Default 30 per
    /// minute.
    pub logins_per_address: Rate,
    /// Messages to one conversation, of all senders together; judged in the commit, to the millisecond, so at most
    /// 60,000 per minute. Default 6,000 per minute, all at once if need be.
    pub sends_per_conversation: Rate,
    /// Reports per user. Default 10 per minute.
    pub reports: Rate,
    /// Note of a report or its resolution, and reason of a suspension or mute, in characters. Default 1,000.
    pub report_note_chars: usize,
    /// Longest slow mode of a group. Default 1 h.
    #[serde(serialize_with = "seconds")]
    pub slow_mode_max: Duration,
    /// A typing repeat sooner than this is acknowledged but not fanned out. Default 2 s.
    #[serde(serialize_with = "seconds")]
    pub typing_interval: Duration,
    /// Typing ends by itself after so long. Default 6 s.
    #[serde(serialize_with = "seconds")]
    pub typing_expiry: Duration,
    /// A user whose sessions are all in the background is away after so long. Default 0: at once.
    #[serde(serialize_with = "seconds")]
    pub away_after: Duration,
    /// A user goes offline so long after his last session. Default 8 s.
    #[serde(serialize_with = "seconds")]
    pub offline_grace: Duration,
    /// How far a token's `exp` may lie in the past. Default 60 s.
    #[serde(serialize_with = "seconds")]
    pub token_leeway: Duration,
    /// How often live sessions are checked for expiry. Default 5 s.
    #[serde(serialize_with = "seconds")]
    pub token_check: Duration,
    /// A command has to be answered within. Default 5 s.
    #[serde(serialize_with = "seconds")]
    pub command_deadline: Duration,
    /// A message is scheduled at least so long ahead. Default 5 s.
    #[serde(serialize_with = "seconds")]
    pub scheduled_min_lead: Duration,
    /// A message is scheduled at most so far ahead. Default 365 days.
    #[serde(serialize_with = "seconds")]
    pub scheduled_max_horizon: Duration,
    /// Pending scheduled messages of one user. Default 100.
    pub scheduled_pending: usize,
    /// A scheduled message that cannot be sent for the moment is tried again for so long; then it has failed. Default
    /// 1 h.
    #[serde(serialize_with = "seconds")]
    pub scheduled_retry: Duration,
    /// Shortest time after which messages of a conversation may be made to disappear. Default 1 min.
    #[serde(serialize_with = "seconds")]
    pub message_ttl_min: Duration,
    /// Longest such time. Default 365 days.
    #[serde(serialize_with = "seconds")]
    pub message_ttl_max: Duration,
    /// A live location moves at most so long. Default 8 h.
    #[serde(serialize_with = "seconds")]
    pub live_location: Duration,
    /// The whole of a graceful stop. Default 15 s.
    #[serde(serialize_with = "seconds")]
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 128 * 1024,
            body_bytes: 1024 * 1024,
            text_bytes: 16_384,
            text_chars: 10_000,
            json_depth: 16,
            json_keys: 256,
            sync_known: 1_000,
            custom_bytes: 8 * 1024,
            mentions: 50,
            attachments: 10,
            reactions: 50,
            reactions_per_user: 50,
            stars_per_user: 1_000,
            pins_per_conversation: 50,
            emoji_bytes: 64,
            members: 1_000,
            add_members: 1000,
            mention_all_members: 100,
            page_default: 50,
            page_max: 100,
            marks: 100,
            status_chars: 100,
            presence_ids: 500,
            sync_messages: 50,
            sync_conversations: 50,
            sync_token_life: Duration::from_secs(30 * 86_400),
            name_chars: 120,
            description_chars: 500,
            place_chars: 500,
            label_chars: 200,
            query_bytes: 500,
            device_token_bytes: 4_096,
            devices: 25,
            device_life: Duration::from_secs(60 * 86_400),
            upload_bytes: 25 * 1024 * 1024,
            upload_pending_life: Duration::from_secs(86_400),
            upload_idle: Duration::from_secs(30),
            connections_per_user: 20,
            connections_per_address: 100,
            connections: 50_000,
            outbound_events: 256,
            outbound_bytes: 1024 * 1024,
            queued_sends: 4_096,
            commands: Rate::new(40, 1_200),
            searches: Rate::new(2, 120),
            creates: Rate::new(30, 30),
            logins: Rate::new(5, 5),
            logins_per_address: Rate::new(30, 30),
            sends_per_conversation: Rate::new(6_000, 6_000),
            reports: Rate::new(10, 10),
            report_note_chars: 1_000,
            slow_mode_max: Duration::from_secs(3600),
            typing_interval: Duration::from_secs(2),
            typing_expiry: Duration::from_secs(6),
            away_after: Duration::ZERO,
            offline_grace: Duration::from_secs(8),
            token_leeway: Duration::from_secs(60),
            token_check: Duration::from_secs(5),
            command_deadline: Duration::from_secs(5),
            scheduled_min_lead: Duration::from_secs(5),
            scheduled_max_horizon: Duration::from_secs(365 * 86_400),
            scheduled_pending: 100,
            scheduled_retry: Duration::from_secs(3600),
            message_ttl_min: Duration::from_secs(60),
            message_ttl_max: Duration::from_secs(365 * 86_400),
            live_location: Duration::from_secs(8 * 3600),
            drain: Duration::from_secs(15),
        }
    }
}

/// Everything that can be set. `ChatConfig::default()` is a complete, sensible configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ChatConfig {
    /// Behaviour.
    pub policies: Policies,
    /// Sizes and rates.
    pub limits: Limits,
}
