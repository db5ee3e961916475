//! One payload per action, shared by REST, Socket.IO, WebSocket and hosts that call the engine directly.
//!
//! Unknown fields are refused. Identity is never in a payload: it is the [`Actor`](crate::Actor)'s.

mod conversation;
mod message;
mod moderation;
mod name;
mod scheduled;
mod session;
mod socket;
mod user;

pub use conversation::{
    AddMembers, ConversationPatch, ConversationSettings, CreateGroup, ListConversations, ListMembers, Mark,
    Marks, MuteMember, OpenDirect, PermissionsPatch, SetRole, SetTyping, TransferOwnership, UnmuteMember,
};
pub use message::{
    DeleteMessage, DeletionScope, EditMessage, ForwardMessage, HistoryOrder, HistoryRequest, KeepMessage,
    ListMentions, MeetingAction, MeetingDraft, MoveLocation, PinMessage, ReactTo, SearchMessages,
    SendMessage, StarMessage, StarredMessages, StepMeeting,
};
pub use moderation::{ListAudit, MuteUser, NewReport, ResolveReport, SuspendUser};
pub use name::CommandName;
pub use scheduled::{CancelScheduled, ListScheduled, ScheduleMessage, UpdateScheduled};
pub use session::{Foreground, OnScreen, OnlineUsers, PresenceOf, RefreshToken, SyncRequest};
pub use socket::ClientCommand;
pub use user::{EraseMe, ProfilePatch, RegisterDevice, SetPresence, SettingsPatch, UnregisterDevice};

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many items; `None` takes the configured default.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}
