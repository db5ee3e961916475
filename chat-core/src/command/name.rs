use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// Every command that changes something, by whichever path it comes: what hooks are asked about.
        ///
        /// Live commands have the name they have on the wire. What only concerns the asking session itself
        /// (`open_conversation`, `set_foreground`, presence subscriptions, `refresh_token`) and what only reads is
        /// not among them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum CommandName { $($(#[$doc])* $name,)* }

        impl CommandName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

names! {
    /// Sends a message.
    SendMessage = "send_message";
    /// Sends a copy of a message on.
    ForwardMessage = "forward_message";
    /// Pins a message.
    PinMessage = "pin_message";
    /// Takes a message's pin off.
    UnpinMessage = "unpin_message";
    /// Stars a message.
    StarMessage = "star_message";
    /// Takes a star off.
    UnstarMessage = "unstar_message";
    /// Keeps a message that is to be sent later.
    ScheduleMessage = "schedule_message";
    /// Changes a scheduled message.
    UpdateScheduledMessage = "update_scheduled_message";
    /// Cancels a scheduled message.
    CancelScheduledMessage = "cancel_scheduled_message";
    /// Changes the text of a message.
    EditMessage = "edit_message";
    /// Deletes a message, for oneself or for everyone.
    DeleteMessage = "delete_message";
    /// Adds a reaction.
    AddReaction = "add_reaction";
    /// Takes a reaction back.
    RemoveReaction = "remove_reaction";
    /// Keeps a disappearing message.
    KeepMessage = "keep_message";
    /// Lets a kept message go.
    UnkeepMessage = "unkeep_message";
    /// Adds a reaction, or takes it back when it is there.
    ToggleReaction = "toggle_reaction";
    /// Accepts, declines or moves a meeting.
    StepMeeting = "step_meeting";
    /// Moves or ends a live location.
    MoveLocation = "move_location";
    /// Says what has reached a device.
    MarkDelivered = "mark_delivered";
    /// Says what was read.
    MarkRead = "mark_read";
    /// Marks as unread.
    MarkUnread = "mark_unread";
    /// Reads every conversation to its end.
    ReadAll = "read_all";
    /// Says that somebody types, or has stopped.
    Typing = "typing";
    /// Finds or makes the direct conversation with a user.
    OpenDirect = "open_direct";
    /// Makes a group.
    CreateGroup = "create_group";
    /// Changes name, picture, permissions … of a group.
    UpdateConversation = "update_conversation";
    /// Changes one's own side of a conversation.
    UpdateConversationSettings = "update_conversation_settings";
    /// Clears a conversation for oneself.
    ClearConversation = "clear_conversation";
    /// Takes a conversation out of one's list.
    HideConversation = "hide_conversation";
    /// Leaves a group.
    LeaveConversation = "leave_conversation";
    /// Deletes a group.
    DeleteConversation = "delete_conversation";
    /// Adds members.
    AddMembers = "add_members";
    /// Removes a member.
    RemoveMember = "remove_member";
    /// Takes the right to write from a member, or changes until when.
    MuteMember = "mute_member";
    /// Gives it back.
    UnmuteMember = "unmute_member";
    /// Changes a member's role.
    SetRole = "set_role";
    /// Hands ownership over.
    TransferOwnership = "transfer_ownership";
    /// Blocks a user.
    BlockUser = "block_user";
    /// Lifts a block.
    UnblockUser = "unblock_user";
    /// Mutes a user for oneself.
    MuteUser = "mute_user";
    /// Lifts such a mute.
    UnmuteUser = "unmute_user";
    /// Reports a message or a user.
    Report = "report";
    /// Closes a report.
    ResolveReport = "resolve_report";
    /// Deletes any message, as a moderator.
    ModerateMessage = "moderate_message";
    /// Suspends a user.
    SuspendUser = "suspend_user";
    /// Lifts a suspension.
    LiftSuspension = "lift_suspension";
    /// Takes the right to write anywhere from a user.
    MuteEverywhere = "mute_everywhere";
    /// Gives it back.
    UnmuteEverywhere = "unmute_everywhere";
    /// Changes one's profile.
    UpdateMe = "update_me";
    /// Changes one's settings.
    UpdateSettings = "update_settings";
    /// Erases oneself.
    EraseMe = "erase_me";
    /// Says how one wants to be seen.
    SetPresence = "set_presence";
    /// Registers a device for pushes.
    RegisterDevice = "register_device";
    /// Removes a device.
    UnregisterDevice = "unregister_device";
    /// Uploads a file.
    UploadAttachment = "upload_attachment";
    /// Deletes an upload that nothing shows.
    DeleteAttachment = "delete_attachment";
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
