use serde_json::Value;

use super::{
    CancelScheduled, DeleteMessage, EditMessage, Foreground, ForwardMessage, KeepMessage, Mark, Marks,
    MuteMember, OnScreen, OnlineUsers, PinMessage, PresenceOf, ReactTo, RefreshToken, ScheduleMessage,
    SendMessage, SetPresence, SetTyping, StarMessage, SyncRequest, UnmuteMember, UpdateScheduled,
};
use crate::config::Limits;
use crate::decode;
use crate::error::{ChatError, ChatResult};

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($payload:ty) = $text:literal;)*) => {
        /// What a live connection may ask.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum ClientCommand { $($(#[$doc])* $name($payload),)* }

        impl ClientCommand {
            /// Names of all commands, in the order of the contract.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];

            /// Reads a command by name and payload.
            ///
            /// # Errors
            /// `invalid_argument`: field `op` for an unknown name, else the field at fault.
            pub fn parse(name: &str, payload: Value, limits: &Limits) -> ChatResult<Self> {
                if name == "sync" {
                    decode::check_sync(&payload, limits)?;
                } else {
                    decode::check(&payload, limits)?;
                }
                match name {
                    $($text => decode::payload::<$payload>(payload).map(Self::$name),)*
                    _ => Err(ChatError::invalid("op", "no such command")),
                }
            }

            /// Its name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $text,)* }
            }
        }
    };
}

commands! {
    /// Sends a message.
    SendMessage(Box<SendMessage>) = "send_message";
    /// Keeps a message that is to be sent later.
    ScheduleMessage(Box<ScheduleMessage>) = "schedule_message";
    /// Changes a scheduled message.
    UpdateScheduledMessage(Box<UpdateScheduled>) = "update_scheduled_message";
    /// Cancels a scheduled message.
    CancelScheduledMessage(CancelScheduled) = "cancel_scheduled_message";
    /// Edits a message.
    EditMessage(EditMessage) = "edit_message";
    /// Deletes a message.
    DeleteMessage(DeleteMessage) = "delete_message";
    /// Adds a reaction.
    AddReaction(ReactTo) = "add_reaction";
    /// Removes a reaction.
    RemoveReaction(ReactTo) = "remove_reaction";
    /// Keeps a disappearing message.
    KeepMessage(KeepMessage) = "keep_message";
    /// Lets a kept message go.
    UnkeepMessage(KeepMessage) = "unkeep_message";
    /// Adds a reaction, or removes it when it is there.
    ToggleReaction(ReactTo) = "toggle_reaction";
    /// Sends a copy of a message on.
    ForwardMessage(ForwardMessage) = "forward_message";
    /// Pins a message.
    PinMessage(PinMessage) = "pin_message";
    /// Takes a message's pin off.
    UnpinMessage(PinMessage) = "unpin_message";
    /// Stars a message.
    StarMessage(StarMessage) = "star_message";
    /// Takes a star off.
    UnstarMessage(StarMessage) = "unstar_message";
    /// Says what has reached this device.
    MarkDelivered(Marks) = "mark_delivered";
    /// Says what was read.
    MarkRead(Marks) = "mark_read";
    /// Marks as unread.
    MarkUnread(Mark) = "mark_unread";
    /// Says that the user types, or has stopped.
    Typing(SetTyping) = "typing";
    /// Takes the right to write from a member.
    MuteMember(MuteMember) = "mute_member";
    /// Gives it back.
    UnmuteMember(UnmuteMember) = "unmute_member";
    /// A conversation came on screen.
    OpenConversation(OnScreen) = "open_conversation";
    /// It left the screen.
    CloseConversation(OnScreen) = "close_conversation";
    /// Whether somebody looks at this session.
    SetForeground(Foreground) = "set_foreground";
    /// Wants presence events of users.
    SubscribePresence(PresenceOf) = "subscribe_presence";
    /// Does not want them any more.
    UnsubscribePresence(PresenceOf) = "unsubscribe_presence";
    /// Who is online.
    GetOnlineUsers(OnlineUsers) = "get_online_users";
    /// How the user wants to be seen.
    SetPresence(SetPresence) = "set_presence";
    /// Catches up.
    Sync(SyncRequest) = "sync";
    /// Brings a newer token.
    RefreshToken(RefreshToken) = "refresh_token";
}
