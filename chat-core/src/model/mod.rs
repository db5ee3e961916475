//! The data of a chat, without behaviour: what the engine decides on and what stores keep.

mod attachment;
mod conversation;
mod device;
mod erasure;
mod horizon;
mod json;
mod member;
mod message;
mod moderation;
mod receipt;
mod scheduled;
mod star;
mod user;

pub use attachment::{Attachment, AttachmentKind, AttachmentState};
pub use conversation::{Conversation, ConversationKind, DirectPair, LastCountable, Permission, Permissions};
pub use device::{Device, Platform, Provider};
pub use erasure::{ErasedMessages, Erasure};
pub use horizon::{Horizon, Retention};
pub use json::JsonObject;
pub use member::{Interval, Member, MemberState, Muted, NotificationLevel, Role};
pub use message::{
    Content, CustomContent, Deletion, DeletionBy, FormerText, Forwarded, Kept, Location, Meeting,
    MeetingStatus, Message, MessageKind, Pin, ReplyTarget, SystemContent, TextFormat,
};
pub use moderation::{
    AuditAction, AuditEntry, AuditTarget, Report, ReportAction, ReportReason, ReportTarget, ReportedMessage,
    Resolution,
};
pub use receipt::{Advance, Block, Hide, Reaction, ReadAudience};
pub use scheduled::{Scheduled, ScheduledState};
pub use star::Star;
pub use user::{
    Account, AccountSession, ManualStatus, NewUser, OwnPresence, PushContent, PushLevel, Restrictions,
    SettingsChange, User, UserKind, UserPatch, UserSettings, Visibility,
};

/// A message's place in its conversation: 1, 2, 3 … without gaps, in the order of visibility.
pub type Seq = u64;
/// A conversation's count of persistent changes. Every entity carries the rev of its last change.
pub type Rev = u64;
