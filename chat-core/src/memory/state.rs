use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::outbox::Outbox;
use crate::access::{Sight, Visibility, visible};
use crate::config::BlockedInGroup;
use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, ReportId, ScheduledId, UserId};
use crate::model::{
    Account, AccountSession, Advance, Attachment, AuditEntry, Conversation, ConversationKind, Device,
    DirectPair, FormerText, Hide, Member, Message, Muted, Reaction, Report, Rev, Scheduled, Seq, User,
};
use crate::store::StarChange;
use crate::time::Timestamp;

/// Everything the store holds.
#[derive(Default)]
pub(super) struct State {
    /// Commits so far; the newest one's number is the sync position.
    pub(super) commits: u64,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) rooms: HashMap<ConversationId, Room>,
    pub(super) pairs: HashMap<DirectPair, ConversationId>,
    /// Conversations of which a user is or was a member.
    pub(super) rooms_of: HashMap<UserId, BTreeSet<ConversationId>>,
    pub(super) places: HashMap<MessageId, (ConversationId, Seq)>,
    pub(super) reactions: HashMap<MessageId, Vec<Reaction>>,
    pub(super) hides: HashMap<UserId, HashMap<MessageId, HideRow>>,
    /// By version.
    pub(super) former_texts: HashMap<MessageId, BTreeMap<u32, FormerText>>,
    /// Stars taken off stay as entries of the change log.
    pub(super) stars: HashMap<UserId, HashMap<MessageId, StarChange>>,
    /// By blocker, then by the blocked; lifted blocks stay as entries of the change log.
    pub(super) blocks: HashMap<UserId, BTreeMap<UserId, BlockRow>>,
    /// By who mutes, then by the muted; lifted mutes stay as entries of the change log.
    pub(super) mutes: HashMap<UserId, BTreeMap<UserId, MuteRow>>,
    pub(super) reports: BTreeMap<ReportId, Report>,
    pub(super) audit: Vec<AuditEntry>,
    pub(super) devices: HashMap<String, Device>,
    pub(super) attachments: HashMap<AttachmentId, Attachment>,
    pub(super) outbox: Outbox,
    /// Messages that show a file.
    pub(super) shown: HashMap<AttachmentId, BTreeSet<MessageId>>,
    pub(super) scheduled: BTreeMap<ScheduledId, Scheduled>,
    pub(super) accounts: HashMap<UserId, Account>,
    pub(super) sessions: HashMap<String, AccountSession>,
}

/// A conversation with all that is in it.
pub(super) struct Room {
    pub(super) conversation: Conversation,
    pub(super) members: BTreeMap<UserId, MemberRow>,
    pub(super) messages: BTreeMap<Seq, MessageRow>,
    pub(super) client_ids: HashMap<(UserId, ClientId), Seq>,
    pub(super) advances: Vec<Step>,
    /// Position of the newest change that concerns every member.
    pub(super) position: u64,
    /// The rev after each commit that changed the conversation.
    pub(super) revs: Vec<(u64, Rev)>,
}

pub(super) struct MemberRow {
    pub(super) member: Member,
    /// Position of the newest change of this row or of his hides.
    pub(super) position: u64,
}

pub(super) struct MessageRow {
    pub(super) message: Message,
    /// The folded text, for search.
    pub(super) folded: String,
    pub(super) position: u64,
}

/// A step of the log of marks.
pub(super) struct Step {
    pub(super) advance: Advance,
    /// Whether its time is not told any more.
    pub(super) timeless: bool,
}

pub(super) struct HideRow {
    pub(super) hide: Hide,
    pub(super) position: u64,
}

pub(super) struct BlockRow {
    pub(super) on: bool,
    pub(super) user_rev: u64,
    pub(super) at: Timestamp,
}

pub(super) struct MuteRow {
    pub(super) until: Option<Muted>,
    pub(super) user_rev: u64,
}

/// How one viewer looks at one conversation: what [`Sight`] needs besides the message.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) member: &'a Member,
    pub(super) now: Timestamp,
    pub(super) blocked_in_group: BlockedInGroup,
    pub(super) group: bool,
}

impl Room {
    pub(super) fn new(conversation: Conversation) -> Self {
        Self {
            conversation,
            members: BTreeMap::new(),
            messages: BTreeMap::new(),
            client_ids: HashMap::new(),
            advances: Vec::new(),
            position: 0,
            revs: Vec::new(),
        }
    }

    pub(super) fn is_group(&self) -> bool {
        self.conversation.kind == ConversationKind::Group
    }

    pub(super) fn active_members(&self) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .map(|row| &row.member)
            .filter(|m| m.is_active())
    }
}

impl State {
    /// Conversations of which the user is an active member.
    pub(super) fn active_rooms(&self, user: &UserId) -> impl Iterator<Item = (&Room, &Member)> {
        self.rooms_of
            .get(user)
            .into_iter()
            .flatten()
            .filter_map(|id| self.rooms.get(id))
            .filter_map(|room| Some((room, &room.members.get(user)?.member)))
            .filter(|(_, member)| member.is_active())
    }

    pub(super) fn message(&self, id: MessageId) -> Option<&Message> {
        let (conversation, seq) = self.places.get(&id)?;
        let row = self.rooms.get(conversation)?.messages.get(seq)?;
        Some(&row.message)
    }

    pub(super) fn is_blocked(&self, blocker: &UserId, blocked: &UserId) -> bool {
        self.blocks
            .get(blocker)
            .and_then(|list| list.get(blocked))
            .is_some_and(|row| row.on)
    }

    pub(super) fn is_hidden(&self, user: &UserId, message: MessageId) -> bool {
        self.hides
            .get(user)
            .is_some_and(|list| list.contains_key(&message))
    }

    pub(super) fn sight<'a>(&self, view: &View<'a>, message: &Message) -> Sight<'a> {
        Sight {
            member: view.member,
            now: view.now,
            hidden: self.is_hidden(&view.member.user_id, message.id),
            sender_blocked: self.is_blocked(&view.member.user_id, &message.sender_id),
            group: view.group,
            blocked_in_group: view.blocked_in_group,
        }
    }

    pub(super) fn visible(&self, view: &View<'_>, message: &Message) -> Visibility {
        visible(&self.sight(view, message), message)
    }
}
