//! What a decision needs to see, and what it sees.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::error::ChatError;
use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, ReportId, UserId};
use crate::model::{
    Attachment, Conversation, DirectPair, Member, Message, Reaction, ReportTarget, Restrictions,
};
use crate::store::Writes;
use crate::time::Timestamp;

/// The conversation a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This one. When it does not exist, [`Facts::conversation`] is `None`.
    Conversation(ConversationId),
    /// The direct conversation of this pair. When there is none yet, [`Facts::conversation`] is `None` and the
    /// decision may create it; of two racing creators one wins and the other's decision runs again and sees it.
    Direct(DirectPair),
}

/// Which members a decision wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MembersNeeded {
    /// None.
    #[default]
    None,
    /// These, as far as they are or were members.
    Of(Vec<UserId>),
    /// Everybody who is or was a member.
    All,
}

/// What a decision wants to see. The conversation is always loaded and locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The conversation.
    pub target: Target,
    /// Members.
    pub members: MembersNeeded,
    /// Messages by id, as far as they are in this conversation.
    pub messages: Vec<MessageId>,
    /// The message this sender sent under this key in this conversation.
    pub replay: Option<(UserId, ClientId)>,
    /// Block relations between the first user and each of the others, both ways.
    pub blocks: Option<(UserId, Vec<UserId>)>,
    /// Files by id, locked.
    pub attachments: Vec<AttachmentId>,
    /// All reactions to this message.
    pub reactions: Option<MessageId>,
    /// Which of `messages` this user has hidden.
    pub hidden_by: Option<UserId>,
    /// Users whose `user_rev` will move, locked.
    pub user_revs: Vec<UserId>,
    /// How many messages are pinned.
    pub pins: bool,
    /// The open report of this reporter and target.
    pub open_report: Option<(UserId, ReportTarget)>,
    /// Whose restrictions by moderators matter: of who writes.
    pub restrictions_of: Option<UserId>,
}

impl Needs {
    /// Only the conversation.
    #[must_use]
    pub const fn new(target: Target) -> Self {
        Self {
            target,
            members: MembersNeeded::None,
            messages: Vec::new(),
            replay: None,
            blocks: None,
            attachments: Vec::new(),
            reactions: None,
            hidden_by: None,
            user_revs: Vec::new(),
            pins: false,
            open_report: None,
            restrictions_of: None,
        }
    }
}

/// What a decision sees: the state at its place in the order of commits.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The store's time.
    pub now: Timestamp,
    /// The conversation, locked until the writes are done.
    pub conversation: Option<Conversation>,
    /// The members asked for, by user.
    pub members: BTreeMap<UserId, Member>,
    /// What the host is while it acts under a user's name. The engine's own: a store leaves it empty.
    pub host: Option<Member>,
    /// The messages asked for.
    pub messages: HashMap<MessageId, Message>,
    /// The earlier send under the same key.
    pub replay: Option<Message>,
    /// Existing blocks as (blocker, blocked), among the pairs asked for.
    pub blocks: HashSet<(UserId, UserId)>,
    /// The files asked for.
    pub attachments: HashMap<AttachmentId, Attachment>,
    /// How many messages show each of them, in whatever conversations: at most [`Facts::FILE_USES`] are counted. A file
    /// that none shows may be missing here.
    pub file_uses: HashMap<AttachmentId, u64>,
    /// The reactions asked for, oldest first.
    pub reactions: Vec<Reaction>,
    /// The hidden ones among the messages asked for.
    pub hidden: HashSet<MessageId>,
    /// Present `user_rev` of the users asked for; absent for unknown users.
    pub user_revs: HashMap<UserId, u64>,
    /// How many messages of the conversation are pinned, the deleted and (at `now`) expired ones not counted; 0 when
    /// that was not asked for.
    pub pins: u64,
    /// The open report asked for.
    pub open_report: Option<ReportId>,
    /// The restrictions asked for; none for an unknown user.
    pub restrictions: Restrictions,
}

impl Facts {
    /// How many of the messages that show a file are counted.
    pub const FILE_USES: usize = 1_000;

    /// By which membership a user acts: his own, or the host's under his name.
    #[must_use]
    pub fn acting(&self, user: &UserId) -> Option<&Member> {
        let host = self.host.as_ref().filter(|host| host.user_id == *user);
        host.or_else(|| self.members.get(user))
    }

    /// Whether `blocker` blocks `blocked`, among the pairs asked for.
    #[must_use]
    pub fn is_blocked(&self, blocker: &UserId, blocked: &UserId) -> bool {
        self.blocks.contains(&(blocker.clone(), blocked.clone()))
    }
}

type Decide = dyn Fn(&Facts) -> Result<Writes, ChatError> + Send + Sync;

/// One atomic change of one conversation.
///
/// Cloning is cheap and shares the decision, so that a store can hand a change to the task that owns its connection.
#[derive(Clone)]
pub struct Change {
    /// What the decision wants to see.
    pub needs: Needs,
    decide: Arc<Decide>,
}

impl Change {
    /// A change decided by `decide` on the facts in `needs`.
    pub fn new(
        needs: Needs,
        decide: impl Fn(&Facts) -> Result<Writes, ChatError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            needs,
            decide: Arc::new(decide),
        }
    }

    /// Decides. Pure: no I/O, no clock of its own. A store may call it again with fresh facts when it has to retry;
    /// the last call counts.
    ///
    /// # Errors
    /// The refusal: nothing is to be written. Empty [`Writes`] change nothing either.
    pub fn decide(&self, facts: &Facts) -> Result<Writes, ChatError> {
        (self.decide)(facts)
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}
