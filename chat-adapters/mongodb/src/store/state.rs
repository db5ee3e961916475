//! The part of the data that a commit looks at, in memory: loaded once for all changes of the commit, and carried on from
//! one change to the next, so that each sees the writes of those before it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chat_core::id::{AttachmentId, ClientId, ConversationId, MessageId, ReportId, UserId};
use chat_core::model::{
    Attachment, Conversation, DirectPair, Member, Message, Reaction, ReportTarget, Restrictions, Seq,
};
use chat_core::store::{Facts, MembersNeeded, Needs, Purge, Target, Writes};
use chat_core::time::Timestamp;
use mongodb::bson::Bson;

use crate::codec::key;
use crate::collection::Collection;
use crate::error::Error;

/// A sender's key of a send.
pub(super) type Send = (ConversationId, UserId, ClientId);

/// Where a message is to be, and its sender's key.
pub(super) type Seat = (ConversationId, Seq, Option<(UserId, ClientId)>);

/// Where a message is, and the commit that sent it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) id: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) seq: Seq,
    pub(super) born: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) conversations: HashMap<ConversationId, Conversation>,
    pub(super) pairs: HashMap<DirectPair, ConversationId>,
    pub(super) members: BTreeMap<(ConversationId, UserId), Member>,
    pub(super) messages: HashMap<MessageId, Message>,
    pub(super) sends: HashMap<Send, MessageId>,
    pub(super) hidden: HashSet<(UserId, MessageId)>,
    pub(super) reactions: HashMap<MessageId, Vec<Reaction>>,
    pub(super) blocks: HashSet<(UserId, UserId)>,
    pub(super) attachments: HashMap<AttachmentId, Attachment>,
    pub(super) file_uses: HashMap<AttachmentId, u64>,
    pub(super) user_revs: HashMap<UserId, u64>,
    pub(super) restrictions: HashMap<UserId, Restrictions>,
    pub(super) open_reports: HashMap<(UserId, ReportTarget), ReportId>,
    pub(super) pins: HashMap<ConversationId, u64>,
    /// Where messages with an id, a place or a key of the ones written are already.
    pub(super) places: HashMap<MessageId, Place>,
    pub(super) seqs: HashMap<(ConversationId, Seq), MessageId>,
    pub(super) keys: HashMap<Send, MessageId>,
    /// Keys of sends that the facts were asked for: what is not in `keys` of these is not there.
    pub(super) asked_sends: BTreeSet<String>,
    /// `_id`s of reactions and former texts of messages that lose them all.
    pub(super) hanging: HashMap<(Collection, MessageId), BTreeSet<String>>,
    /// Everything that goes with the beginning of a conversation.
    pub(super) purged: Option<(Purge, Vec<(Collection, Bson)>)>,
    /// Topics and keys with entries on their way out.
    pub(super) lanes: BTreeSet<(String, String)>,
    /// What was looked up.
    pub(super) asked: Missing,
    /// Counts of files and pins follow from messages; once these were written they would have to be counted again.
    pub(super) counts_are_old: bool,
}

/// What has to be known of the rows that decisions want written, and was not looked up with the facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) conversations: BTreeSet<ConversationId>,
    pub(super) pairs: BTreeSet<DirectPair>,
    /// Messages with their places and keys.
    pub(super) messages: BTreeMap<MessageId, Seat>,
    pub(super) hanging: BTreeSet<(Collection, MessageId)>,
    pub(super) purges: BTreeSet<(ConversationId, Seq)>,
    /// Topics and keys of entries on their way out.
    pub(super) lanes: BTreeSet<(String, String)>,
}

impl Missing {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes note of what these writes have to be compared with.
    fn note(&mut self, writes: &Writes) {
        self.conversations.extend(conversations_of(writes));
        if let Some(pair) = writes.conversation.as_ref().and_then(|c| c.pair.as_ref()) {
            self.pairs.insert(pair.clone());
        }
        for message in &writes.messages {
            let key = (message.client_id.clone()).map(|key| (message.sender_id.clone(), key));
            self.messages
                .insert(message.id, (message.conversation_id, message.seq, key));
        }
        for id in &writes.reactions_cleared {
            self.hanging.insert((Collection::Reactions, *id));
        }
        for id in &writes.former_texts_cleared {
            self.hanging.insert((Collection::FormerTexts, *id));
        }
        if let Some(purge) = writes.purge {
            self.purges.insert((purge.conversation_id, purge.below));
        }
        let lanes = writes.outbox.iter();
        self.lanes
            .extend(lanes.map(|entry| (entry.topic.clone(), entry.key.clone())));
    }

    fn without(mut self, known: &Self) -> Self {
        self.conversations.retain(|id| !known.conversations.contains(id));
        self.pairs.retain(|pair| !known.pairs.contains(pair));
        self.messages
            .retain(|id, place| known.messages.get(id) != Some(place));
        self.hanging.retain(|what| !known.hanging.contains(what));
        self.purges.retain(|purge| !known.purges.contains(purge));
        self.lanes.retain(|lane| !known.lanes.contains(lane));
        self
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.conversations.extend(other.conversations.iter().copied());
        self.pairs.extend(other.pairs.iter().cloned());
        self.messages.extend(other.messages.clone());
        self.hanging.extend(other.hanging.iter().copied());
        self.purges.extend(other.purges.iter().copied());
        self.lanes.extend(other.lanes.iter().cloned());
    }
}

/// The conversations that rows belong to.
fn conversations_of(writes: &Writes) -> impl Iterator<Item = ConversationId> {
    (writes.members.iter().map(|row| row.conversation_id))
        .chain(writes.messages.iter().map(|row| row.conversation_id))
        .chain(writes.advances.iter().map(|row| row.conversation_id))
        .chain(writes.reactions_added.iter().map(|row| row.conversation_id))
        .chain(writes.hides.iter().map(|row| row.conversation_id))
        .chain(writes.former_texts.iter().map(|row| row.conversation_id))
        .chain(writes.purge.map(|purge| purge.conversation_id))
}

impl State {
    /// Whether the facts for these needs would have to be loaded anew.
    pub(super) const fn is_old_for(&self, needs: &Needs) -> bool {
        self.counts_are_old && (needs.pins || !needs.attachments.is_empty())
    }

    pub(super) fn facts(&self, needs: &Needs) -> Facts {
        let id = match &needs.target {
            Target::Conversation(id) => Some(*id),
            Target::Direct(pair) => self.pairs.get(pair).copied(),
        };
        let mut facts = Facts {
            now: self.now,
            ..Facts::default()
        };
        if let Some(conversation) = id.and_then(|id| self.conversations.get(&id)) {
            self.inside(conversation, needs, &mut facts);
        }
        if let Some((user, others)) = &needs.blocks {
            let pairs = others
                .iter()
                .flat_map(|other| [(user.clone(), other.clone()), (other.clone(), user.clone())]);
            facts.blocks = pairs.filter(|pair| self.blocks.contains(pair)).collect();
        }
        for id in &needs.attachments {
            if let Some(attachment) = self.attachments.get(id) {
                facts.attachments.insert(*id, attachment.clone());
            }
            if let Some(uses) = self.file_uses.get(id) {
                facts.file_uses.insert(*id, *uses);
            }
        }
        for user in &needs.user_revs {
            if let Some(rev) = self.user_revs.get(user) {
                facts.user_revs.insert(user.clone(), *rev);
            }
        }
        facts.open_report = (needs.open_report.as_ref())
            .and_then(|key| self.open_reports.get(key))
            .copied();
        let writer = needs.restrictions_of.as_ref();
        facts.restrictions = writer
            .and_then(|user| self.restrictions.get(user))
            .copied()
            .unwrap_or_default();
        facts
    }

    fn inside(&self, conversation: &Conversation, needs: &Needs, facts: &mut Facts) {
        let id = conversation.id;
        facts.conversation = Some(conversation.clone());
        facts.members = match &needs.members {
            MembersNeeded::None => BTreeMap::new(),
            MembersNeeded::Of(users) => users
                .iter()
                .filter_map(|user| Some((user.clone(), self.members.get(&(id, user.clone()))?.clone())))
                .collect(),
            MembersNeeded::All => self
                .members
                .iter()
                .filter(|((of, _), _)| *of == id)
                .map(|((_, user), member)| (user.clone(), member.clone()))
                .collect(),
        };
        for message in needs.messages.iter().filter_map(|id| self.messages.get(id)) {
            if message.conversation_id != id {
                continue;
            }
            facts.messages.insert(message.id, message.clone());
            let hider = needs.hidden_by.as_ref();
            if hider.is_some_and(|user| self.hidden.contains(&(user.clone(), message.id))) {
                facts.hidden.insert(message.id);
            }
        }
        facts.replay = needs
            .replay
            .as_ref()
            .and_then(|(user, key)| self.sends.get(&(id, user.clone(), key.clone())))
            .and_then(|message| self.messages.get(message))
            .cloned();
        if let Some(list) = needs.reactions.and_then(|message| self.reactions.get(&message)) {
            facts.reactions = list.iter().filter(|r| r.conversation_id == id).cloned().collect();
            facts.reactions.sort_by_key(|reaction| reaction.at);
        }
        if needs.pins {
            facts.pins = self.pins.get(&id).copied().unwrap_or(0);
        }
    }

    /// What has to be looked up before these writes can be judged.
    pub(super) fn missing_for(&self, writes: &Writes, missing: &mut Missing) {
        let mut wanted = Missing::default();
        wanted.note(writes);
        // What came with the facts, or with the changes before, is known.
        wanted
            .conversations
            .retain(|id| !self.conversations.contains_key(id));
        if let Some(conversation) = &writes.conversation {
            wanted.conversations.remove(&conversation.id);
        }
        wanted.pairs.retain(|pair| !self.pairs.contains_key(pair));
        missing.add(&wanted.without(&self.asked));
    }

    /// Everything that no decision of the engine does, looked at before anything is written.
    pub(super) fn check(&self, writes: &Writes) -> Result<(), Error> {
        if let Some(conversation) = &writes.conversation
            && let Some(pair) = &conversation.pair
            && self.pairs.get(pair).is_some_and(|id| *id != conversation.id)
        {
            return Err(Error::Broken("another conversation has this pair"));
        }
        for id in conversations_of(writes) {
            let is_new = writes.conversation.as_ref().is_some_and(|c| c.id == id);
            if !is_new && !self.conversations.contains_key(&id) {
                return Err(Error::Broken("a row belongs to an unknown conversation"));
            }
        }
        let (mut seqs, mut keys) = (HashSet::new(), HashSet::new());
        for message in &writes.messages {
            self.check_message(message)?;
            if !seqs.insert((message.conversation_id, message.seq)) {
                return Err(Error::Broken("another message has this seq"));
            }
            if let Some(key) = send_of(message)
                && !keys.insert(key)
            {
                return Err(Error::Broken("another message has this client id"));
            }
        }
        Ok(())
    }

    fn check_message(&self, message: &Message) -> Result<(), Error> {
        let place = (message.conversation_id, message.seq);
        if (self.places.get(&message.id)).is_some_and(|old| (old.conversation, old.seq) != place) {
            return Err(Error::Broken("a message changed its place"));
        }
        if self.seqs.get(&place).is_some_and(|id| *id != message.id) {
            return Err(Error::Broken("another message has this seq"));
        }
        if let Some(key) = send_of(message)
            && self.keys.get(&key).is_some_and(|id| *id != message.id)
        {
            return Err(Error::Broken("another message has this client id"));
        }
        Ok(())
    }

    /// The commit that sent a message; `number` when it is new.
    pub(super) fn born(&self, message: MessageId, number: i64) -> i64 {
        self.places.get(&message).map_or(number, |place| place.born)
    }

    /// Carries on what was written, in the order of [`Writes`]. A purge ends a commit, so nothing follows it here.
    pub(super) fn apply(&mut self, writes: &Writes, number: i64) {
        if let Some(conversation) = &writes.conversation {
            if let Some(pair) = &conversation.pair {
                self.pairs.insert(pair.clone(), conversation.id);
            }
            self.conversations.insert(conversation.id, conversation.clone());
        }
        for member in &writes.members {
            self.members
                .insert((member.conversation_id, member.user_id.clone()), member.clone());
        }
        for message in &writes.messages {
            self.apply_message(message, number);
        }
        for id in &writes.reactions_cleared {
            self.reactions.insert(*id, Vec::new());
            self.hanging.insert((Collection::Reactions, *id), BTreeSet::new());
        }
        for gone in &writes.reactions_removed {
            self.drop_reaction(gone);
        }
        for new in &writes.reactions_added {
            self.drop_reaction(new);
            self.reactions
                .entry(new.message_id)
                .or_default()
                .push(new.clone());
            let key = key::reaction(new.message_id, &new.user_id, &new.emoji);
            self.hang(Collection::Reactions, new.message_id, key);
        }
        for id in &writes.former_texts_cleared {
            self.hanging
                .insert((Collection::FormerTexts, *id), BTreeSet::new());
        }
        for text in &writes.former_texts {
            let key = key::former_text(text.message_id, text.version);
            self.hang(Collection::FormerTexts, text.message_id, key);
        }
        for hide in &writes.hides {
            self.hidden.insert((hide.user_id.clone(), hide.message_id));
        }
        for report in &writes.reports {
            let key = (report.reporter.clone(), report.target.clone());
            if report.resolution.is_none() {
                self.open_reports.insert(key, report.id);
            } else {
                self.open_reports.remove(&key);
            }
        }
        for attachment in &writes.attachments {
            self.attachments.insert(attachment.id, attachment.clone());
        }
        for (user, rev) in &writes.user_revs {
            if let Some(known) = self.user_revs.get_mut(user) {
                *known = *rev;
            }
        }
    }

    fn apply_message(&mut self, message: &Message, number: i64) {
        let is_new = !self.places.contains_key(&message.id);
        if !is_new || message.pinned.is_some() || !message.content.attachments.is_empty() {
            self.counts_are_old = true;
        }
        let place = Place {
            id: message.id,
            conversation: message.conversation_id,
            seq: message.seq,
            born: self.born(message.id, number),
        };
        self.note_place(place, send_of(message));
        if let Some(key) = send_of(message) {
            self.sends.insert(key, message.id);
        }
        self.messages.insert(message.id, message.clone());
    }

    pub(super) fn note_place(&mut self, place: Place, send: Option<Send>) {
        self.seqs.insert((place.conversation, place.seq), place.id);
        if let Some(send) = send {
            self.keys.insert(send, place.id);
        }
        self.places.insert(place.id, place);
    }

    fn drop_reaction(&mut self, gone: &Reaction) {
        if let Some(list) = self.reactions.get_mut(&gone.message_id) {
            list.retain(|r| r.user_id != gone.user_id || r.emoji != gone.emoji);
        }
    }

    /// Also where the list was not loaded: it is added to then when it is.
    fn hang(&mut self, collection: Collection, message: MessageId, key: String) {
        self.hanging.entry((collection, message)).or_default().insert(key);
    }
}

fn send_of(message: &Message) -> Option<Send> {
    let key = message.client_id.clone()?;
    Some((message.conversation_id, message.sender_id.clone(), key))
}
