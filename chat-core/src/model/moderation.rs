use serde::{Deserialize, Serialize};

use super::{Content, JsonObject, Message, MessageKind, Seq, TextFormat};
use crate::id::{AuditId, ConversationId, MessageId, ReportId, UserId};
use crate::time::Timestamp;

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident { $($(#[$of:meta])* $variant:ident = $name:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $type { $($(#[$of])* $variant,)* }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, on the wire and in stores.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    )*};
}

names! {
    /// Why something was reported.
    ReportReason {
        /// Unwanted advertising.
        Spam = "spam";
        /// Insults, threats, harassment.
        Abuse = "abuse";
        /// Against the law.
        Illegal = "illegal";
        /// Somebody may harm himself.
        SelfHarm = "self_harm";
        /// Anything else; the note says what.
        Other = "other";
    }
    /// What a moderator did about a report.
    ReportAction {
        /// Nothing: there was no reason to.
        Dismissed = "dismissed";
        /// Deleted the message.
        MessageDeleted = "message_deleted";
        /// Suspended the user.
        UserSuspended = "user_suspended";
        /// Warned the user.
        UserWarned = "user_warned";
        /// Anything else; the note says what.
        Other = "other";
    }
    /// What an entry of the audit log tells.
    AuditAction {
        /// A message was deleted by somebody else than its author, or by its author as an admin.
        MessageDeleted = "message_deleted";
        /// A member was removed from a group.
        MemberRemoved = "member_removed";
        /// A member became admin, or an admin member.
        RoleChanged = "role_changed";
        /// A group got another owner.
        OwnershipTransferred = "ownership_transferred";
        /// A group was frozen.
        ConversationFrozen = "conversation_frozen";
        /// A group was unfrozen.
        ConversationUnfrozen = "conversation_unfrozen";
        /// Who may do what in a group changed.
        PermissionsChanged = "permissions_changed";
        /// Slow mode of a group was set or ended.
        SlowModeChanged = "slow_mode_changed";
        /// A group was deleted.
        ConversationDeleted = "conversation_deleted";
        /// A member of a group was muted there.
        MemberMuted = "member_muted";
        /// Such a mute was lifted.
        MemberUnmuted = "member_unmuted";
        /// A user was suspended.
        UserSuspended = "user_suspended";
        /// A suspension was lifted.
        SuspensionLifted = "suspension_lifted";
        /// A user was muted everywhere.
        UserMuted = "user_muted";
        /// Such a mute was lifted.
        UserUnmuted = "user_unmuted";
        /// A report was resolved.
        ReportResolved = "report_resolved";
    }
    /// What sort of thing an entry of the audit log is about.
    AuditTarget {
        /// A message.
        Message = "message";
        /// A user.
        User = "user";
        /// A conversation.
        Conversation = "conversation";
        /// A report.
        Report = "report";
    }
}

/// What was reported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReportTarget {
    /// A message.
    Message(MessageId),
    /// A user.
    User(UserId),
}

impl ReportTarget {
    /// `message` or `user`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::User(_) => "user",
        }
    }

    /// Its id as text.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Message(id) => id.to_string(),
            Self::User(id) => id.to_string(),
        }
    }

    /// The target of this kind and id.
    #[must_use]
    pub fn parse(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "message" => id.parse().ok().map(Self::Message),
            "user" => id.parse().ok().map(Self::User),
            _ => None,
        }
    }
}

/// A reported message as it was when it was reported. Stores keep it as one JSON value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportedMessage {
    /// Its id.
    pub id: MessageId,
    /// Where it is.
    pub conversation_id: ConversationId,
    /// Its place there.
    pub seq: Seq,
    /// Who wrote it.
    pub sender_id: UserId,
    /// What it is.
    pub kind: MessageKind,
    /// Its text.
    pub text: String,
    /// How to show the text.
    pub format: TextFormat,
    /// What it carried beside its text; `attachments` are ids of files.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub content: Content,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// 1, and one more for every edit.
    pub version: u32,
}

impl From<&Message> for ReportedMessage {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            seq: message.seq,
            sender_id: message.sender_id.clone(),
            kind: message.kind,
            text: message.text.clone(),
            format: message.format,
            content: message.content.clone(),
            created_at: message.created_at,
            edited_at: message.edited_at,
            version: message.version,
        }
    }
}

/// How a report ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// By which moderator.
    pub by: UserId,
    /// What he did.
    pub action: ReportAction,
    /// A word on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something a user reported to moderators.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who reported.
    pub reporter: UserId,
    /// What.
    pub target: ReportTarget,
    /// Whom it is about: the reported user, or who wrote the reported message.
    pub user_id: UserId,
    /// Where it happened, when that is known.
    pub conversation_id: Option<ConversationId>,
    /// Why.
    pub reason: ReportReason,
    /// A word on it, at most 1,000 characters.
    pub note: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// The reported message as it was then, whatever has become of it since.
    pub message: Option<ReportedMessage>,
    /// How it ended; `None` while it is open.
    pub resolution: Option<Resolution>,
}

impl Report {
    /// The files it is about.
    #[must_use]
    pub fn files(&self) -> &[crate::id::AttachmentId] {
        self.message
            .as_ref()
            .map_or(&[], |message| &message.content.attachments)
    }
}

/// One act of somebody with power over others. Entries are added and never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who acted; `None`: the host itself, under nobody's name.
    pub actor: Option<UserId>,
    /// What he did.
    pub action: AuditAction,
    /// To what sort of thing.
    pub target: AuditTarget,
    /// Its id as text.
    pub target_id: String,
    /// Where, for what happened in a conversation.
    pub conversation_id: Option<ConversationId>,
    /// More of it: new values, reasons.
    pub details: JsonObject,
}
