//! What callers get: the objects of the wire contract, as one viewer sees them. Absent optional
//! fields are left out, never `null`.

mod attachment;
mod conversation;
mod error;
mod export;
mod message;
mod moderation;
mod page;
mod scheduled;
mod session;
mod user;

pub use attachment::AttachmentView;
pub use conversation::{
    AddMembersAnswer, ConversationPage, ConversationView, CreateGroupAnswer, LastMessageView, MemberView,
    MyView, OpenDirectAnswer, ReadAllAnswer,
};
pub use error::ErrorView;
pub use export::{ExportRecord, ExportedFile, ExportedMembership, ExportedMessage, ExportedUser};
pub use message::{
    FormerTextView, ForwardedView, GoneView, HistoryPage, HistoryRange, KeptView, LocationView, MarkAnswer,
    MarksAnswer, MeetingView, MessageAnswer, MessageView, ReactionView, ReceiptCounts, ReceiptView,
    ReplyPreview, ReplyState, ReplyView, SenderView, SentMessage, Status,
};
pub use moderation::{AuditView, ReportAnswer, ReportState, ReportTargetView, ReportView, RestrictionsView};
pub use page::Page;
pub use scheduled::{ScheduledAnswer, ScheduledView};
pub use session::{
    BlockListDelta, Capabilities, MuteListDelta, OnlineUsersAnswer, PresenceAnswer, RemovalReason,
    RemovedConversation, StarListDelta, StarView, SyncAnswer, SyncedConversation, SyncedMember,
    SyncedMessage, TokenAnswer,
};
pub use user::{DeviceView, MutedUser, PresenceStatus, PresenceView, UserPresence, UserView};
