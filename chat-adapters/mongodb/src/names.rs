//! The texts that stand for enum values in documents. They are part of the schema and never change.

use chat_core::model::{
    AttachmentKind, AttachmentState, AuditAction, AuditTarget, ConversationKind, DeletionBy, ErasedMessages,
    MemberState, MessageKind, NotificationLevel, Platform, Provider, ReportAction, ReportReason, Role,
    ScheduledState, TextFormat, UserKind,
};

/// A value that is kept under a name.
pub(crate) trait Named: Sized {
    fn column(self) -> &'static str;
    fn named(name: &str) -> Option<Self>;
}

macro_rules! names {
    ($($type:ident { $($variant:ident = $name:literal),* $(,)? })*) => {$(
        impl Named for $type {
            fn column(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

names! {
    ConversationKind { Direct = "direct", Group = "group" }
    Role { Member = "member", Admin = "admin", Owner = "owner" }
    MemberState { Active = "active", Left = "left", Removed = "removed", Dissolved = "dissolved" }
    NotificationLevel { All = "all", Mentions = "mentions", None = "none" }
    TextFormat { Plain = "plain", Markdown = "markdown" }
    DeletionBy { Author = "author", Moderator = "moderator" }
    ErasedMessages { Delete = "delete", Keep = "keep" }
    ScheduledState { Pending = "pending", Sent = "sent", Failed = "failed", Cancelled = "cancelled" }
    UserKind { User = "user", Bot = "bot", Guest = "guest" }
    Platform { Android = "android", Ios = "ios", Web = "web" }
    Provider { Fcm = "fcm" }
    AttachmentKind { Image = "image", Video = "video", Audio = "audio", File = "file" }
    AttachmentState { Pending = "pending", Reserved = "reserved", Attached = "attached", Avatar = "avatar", Deleted = "deleted" }
}

/// Values that have a stable name already.
macro_rules! own_names {
    ($($type:ident),* $(,)?) => {$(
        impl Named for $type {
            fn column(self) -> &'static str {
                self.as_str()
            }

            fn named(name: &str) -> Option<Self> {
                Self::parse(name)
            }
        }
    )*};
}

own_names!(MessageKind, ReportReason, ReportAction, AuditAction, AuditTarget);
