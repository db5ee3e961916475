use serde::Serialize;
use serde_json::Value;

use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, UserId};
use crate::model::{
    Attachment, AttachmentKind, AttachmentState, Block, Content, Conversation, ConversationKind, Deletion,
    Device, FormerText, Hide, Interval, JsonObject, Member, MemberState, Message, MessageKind, Muted,
    NotificationLevel, OwnPresence, Platform, Provider, Reaction, ReadAudience, ReplyTarget, Report,
    ReportReason, Role, Scheduled, Seq, TextFormat, User, UserKind, UserSettings,
};
use crate::store::MarkStep;
use crate::time::Timestamp;
use crate::view::ScheduledView;

/// One line of an export: what is kept of one user. Of others it names ids only.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportRecord {
    /// His profile; the first line.
    User(ExportedUser),
    /// His settings.
    Settings(UserSettings),
    /// How he wants to be seen, where he has said so.
    Presence(OwnPresence),
    /// A device of his.
    Device {
        /// The provider's address of it.
        token: String,
        /// What it runs.
        platform: Platform,
        /// Who carries pushes to it.
        provider: Provider,
        /// When it was last registered.
        refreshed_at: Timestamp,
    },
    /// Somebody he has blocked.
    Block {
        /// Whom.
        user_id: UserId,
        /// Since when.
        at: Timestamp,
    },
    /// A user he has muted.
    Mute {
        /// Whom.
        user_id: UserId,
        /// Until when.
        until: Muted,
    },
    /// A report he made; what it shows of somebody else's message is left out.
    Report {
        /// `message` or `user`.
        target_kind: &'static str,
        /// Its id.
        target_id: String,
        /// Why.
        reason: ReportReason,
        /// His word on it.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// When.
        created_at: Timestamp,
        /// When it was closed.
        #[serde(skip_serializing_if = "Option::is_none")]
        closed_at: Option<Timestamp>,
    },
    /// A conversation he is or was in, with his marks and settings there.
    Membership(ExportedMembership),
    /// A message he sent, or a line of the engine he caused.
    Message(Box<ExportedMessage>),
    /// A message he has scheduled; once it was sent or cancelled without its words.
    Scheduled(Box<ScheduledView>),
    /// A reaction of his.
    Reaction {
        /// To which message.
        message_id: MessageId,
        /// Where.
        conversation_id: ConversationId,
        /// Which.
        emoji: String,
        /// When.
        at: Timestamp,
    },
    /// A message he deleted for himself.
    Hide {
        /// Which.
        message_id: MessageId,
        /// Where.
        conversation_id: ConversationId,
    },
    /// A message he has starred.
    Star {
        /// Which.
        message_id: MessageId,
        /// Where.
        conversation_id: ConversationId,
    },
    /// What a message of his said before an edit.
    FormerText {
        /// Which message.
        message_id: MessageId,
        /// Where.
        conversation_id: ConversationId,
        /// The version that said it.
        version: u32,
        /// Its words.
        text: String,
        /// When an edit replaced them.
        edited_at: Timestamp,
    },
    /// A step of his marks.
    Mark {
        /// Where.
        conversation_id: ConversationId,
        /// Absent: delivered. Else: read, told to these.
        #[serde(skip_serializing_if = "Option::is_none")]
        read: Option<ReadAudience>,
        /// The mark before.
        from: Seq,
        /// The mark after.
        to: Seq,
        /// When; absent when it was forgotten.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// What is known of a file he uploaded; its bytes are at `GET /attachments/{id}/content`.
    Attachment(ExportedFile),
    /// What another part keeps of him, such as `account`.
    Other {
        /// Which part.
        source: &'static str,
        /// What it keeps.
        data: Value,
    },
    /// The last line: the export is complete.
    End {
        /// How many lines came before it.
        records: u64,
    },
}

/// A user's profile as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedUser {
    /// The host's id.
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// Where a picture of the host's own lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// A picture uploaded here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_attachment_id: Option<AttachmentId>,
    /// What sort of account.
    pub kind: UserKind,
    /// For search by e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// For search by phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The host's own data.
    pub custom: JsonObject,
    /// Whether he is suspended.
    pub suspended: bool,
    /// When the suspension ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<Timestamp>,
    /// Until when a moderator has taken the right to write from him.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Muted>,
    /// When the engine met him.
    pub created_at: Timestamp,
    /// End of his last session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
}

/// A membership with everything private in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedMembership {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// Direct or group.
    pub kind: ConversationKind,
    /// Name of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The other user of a direct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<UserId>,
    /// Rank.
    pub role: Role,
    /// Whether he is a member now.
    pub state: MemberState,
    /// Start of the present (or last) membership.
    pub joined_at: Timestamp,
    /// Seqs his memberships cover.
    pub intervals: Vec<Interval>,
    /// Delivered up to here.
    pub delivered_seq: Seq,
    /// Read up to here.
    pub read_seq: Seq,
    /// The part of it that contacts may see.
    pub contacts_read_seq: Seq,
    /// The part of it that everyone may see.
    pub public_read_seq: Seq,
    /// Messages below this were cleared by him.
    pub visible_from_seq: Seq,
    /// Marked unread from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_from_seq: Option<Seq>,
    /// On top of his list since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// Silent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Muted>,
    /// Archived at this message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_seq: Option<Seq>,
    /// Hidden at this message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_seq: Option<Seq>,
    /// Which messages alert.
    pub notification_level: NotificationLevel,
    /// Until when an admin has taken the right to write from him.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silenced_until: Option<Muted>,
}

/// A message as its author wrote it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedMessage {
    /// Its id.
    pub id: MessageId,
    /// Where it is.
    pub conversation_id: ConversationId,
    /// Its place there.
    pub seq: Seq,
    /// His own key of the send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What it is.
    pub kind: MessageKind,
    /// The text.
    pub text: String,
    /// How to show it.
    pub format: TextFormat,
    /// What it carries beside the text.
    #[serde(flatten)]
    pub content: Content,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTarget>,
    /// Whom it mentions.
    pub mentions: Vec<UserId>,
    /// Whether it mentions everyone.
    pub mentions_all: bool,
    /// Whether it was sent silently.
    pub silent: bool,
    /// The client's own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_time: Option<Timestamp>,
    /// When the store took it.
    pub created_at: Timestamp,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Set when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// Invisible from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedFile {
    /// Its id.
    pub id: AttachmentId,
    /// What it is.
    pub kind: AttachmentKind,
    /// His name for it.
    pub filename: String,
    /// Its type by content.
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Where it is in its life.
    pub state: AttachmentState,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

impl ExportRecord {
    pub(crate) fn user(user: &User) -> Self {
        Self::User(ExportedUser {
            id: user.id.clone(),
            name: user.name.clone(),
            avatar_url: user.avatar_url.clone(),
            avatar_attachment_id: user.avatar,
            kind: user.kind,
            email: user.email.clone(),
            phone: user.phone.clone(),
            custom: user.custom.clone(),
            suspended: user.suspended,
            suspended_until: user.suspended_until,
            muted_until: user.muted,
            created_at: user.created_at,
            last_seen_at: user.last_seen_at,
        })
    }

    pub(crate) fn device(device: &Device) -> Self {
        Self::Device {
            token: device.token.clone(),
            platform: device.platform,
            provider: device.provider,
            refreshed_at: device.refreshed_at,
        }
    }

    pub(crate) fn block(block: &Block) -> Self {
        Self::Block {
            user_id: block.blocked.clone(),
            at: block.at,
        }
    }

    pub(crate) fn file(file: &Attachment) -> Self {
        Self::Attachment(ExportedFile {
            id: file.id,
            kind: file.kind,
            filename: file.filename.clone(),
            mime_type: file.mime_type.clone(),
            size: file.size,
            state: file.state,
            created_at: file.created_at,
        })
    }

    pub(crate) fn report(report: &Report) -> Self {
        Self::Report {
            target_kind: report.target.kind(),
            target_id: report.target.id(),
            reason: report.reason,
            note: report.note.clone(),
            created_at: report.created_at,
            closed_at: report.resolution.as_ref().map(|resolution| resolution.at),
        }
    }

    pub(crate) fn reaction(reaction: &Reaction) -> Self {
        Self::Reaction {
            message_id: reaction.message_id,
            conversation_id: reaction.conversation_id,
            emoji: reaction.emoji.clone(),
            at: reaction.at,
        }
    }

    pub(crate) fn scheduled(row: &Scheduled) -> Self {
        Self::Scheduled(Box::new(ScheduledView::of(row.clone())))
    }

    pub(crate) fn hide(hide: &Hide) -> Self {
        Self::Hide {
            message_id: hide.message_id,
            conversation_id: hide.conversation_id,
        }
    }

    pub(crate) fn former_text(former: &FormerText) -> Self {
        Self::FormerText {
            message_id: former.message_id,
            conversation_id: former.conversation_id,
            version: former.version,
            text: former.text.clone(),
            edited_at: former.edited_at,
        }
    }

    pub(crate) fn mark(conversation_id: ConversationId, step: &MarkStep) -> Self {
        Self::Mark {
            conversation_id,
            read: step.read,
            from: step.from,
            to: step.to,
            at: step.at,
        }
    }

    pub(crate) fn membership(conversation: &Conversation, member: &Member) -> Self {
        let peer = conversation
            .pair
            .as_ref()
            .and_then(|pair| pair.other(&member.user_id));
        Self::Membership(ExportedMembership {
            conversation_id: conversation.id,
            kind: conversation.kind,
            name: conversation.name.clone(),
            peer_id: peer.cloned(),
            role: member.role,
            state: member.state,
            joined_at: member.joined_at,
            intervals: member.intervals.clone(),
            delivered_seq: member.delivered_seq,
            read_seq: member.read_seq,
            contacts_read_seq: member.contacts_read_seq,
            public_read_seq: member.public_read_seq,
            visible_from_seq: member.sees_from(),
            unread_from_seq: member.unread_from,
            pinned_at: member.pinned_at,
            muted_until: member.muted,
            archived_seq: member.archived_seq,
            hidden_seq: member.hidden_seq,
            notification_level: member.notification_level,
            silenced_until: member.silenced,
        })
    }

    pub(crate) fn message(message: Message) -> Self {
        Self::Message(Box::new(ExportedMessage {
            id: message.id,
            conversation_id: message.conversation_id,
            seq: message.seq,
            client_id: message.client_id,
            kind: message.kind,
            text: message.text,
            format: message.format,
            content: message.content,
            reply_to: message.reply_to,
            mentions: message.mentions,
            mentions_all: message.mentions_all,
            silent: message.silent,
            client_time: message.client_time,
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted: message.deleted,
            expires_at: message.expires_at,
        }))
    }
}
