//! What the changes of one transaction see: the rows that were loaded, with the writes of the changes before put on
//! top. So a slice costs a constant number of statements, and each change still sees those before it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chat_core::id::{AttachmentId, ClientId, ConversationId, MessageId, ReportId, UserId};
use chat_core::model::{
    Attachment, Conversation, DirectPair, Member, Message, Reaction, ReportTarget, Restrictions,
};
use chat_core::store::{Facts, MembersNeeded, Needs, Target, Writes};
use chat_core::time::Timestamp;

use crate::error::Error;

/// The rows of a transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct Slate {
    pub(super) conversations: HashMap<ConversationId, Conversation>,
    pub(super) pairs: HashMap<DirectPair, ConversationId>,
    pub(super) members: BTreeMap<(ConversationId, UserId), Member>,
    pub(super) messages: HashMap<MessageId, Message>,
    pub(super) replays: HashMap<(ConversationId, UserId, ClientId), MessageId>,
    pub(super) blocks: HashSet<(UserId, UserId)>,
    pub(super) attachments: HashMap<AttachmentId, Attachment>,
    /// Of the messages somebody asked for; oldest first, and in order of addition at equal times.
    pub(super) reactions: HashMap<MessageId, Vec<Reaction>>,
    pub(super) hidden: HashSet<(UserId, MessageId)>,
    pub(super) user_revs: HashMap<UserId, u64>,
    /// How many messages show a file: counted in the tables up to [`Facts::FILE_USES`], then with each write.
    pub(super) file_uses: HashMap<AttachmentId, i64>,
    /// Pinned messages, no tombstones, of the conversations somebody asked about, with when they expire.
    pub(super) pinned: HashMap<ConversationId, HashMap<MessageId, Option<Timestamp>>>,
    pub(super) restrictions: HashMap<UserId, Restrictions>,
    pub(super) open_reports: HashMap<(UserId, ReportTarget), ReportId>,
}

impl Slate {
    /// The conversation a change is about, when there is one.
    pub(super) fn find(&self, target: &Target) -> Option<&Conversation> {
        let id = match target {
            Target::Conversation(id) => id,
            Target::Direct(pair) => self.pairs.get(pair)?,
        };
        self.conversations.get(id)
    }

    /// Cuts out what one decision asked to see, and nothing else.
    pub(super) fn facts(&self, needs: &Needs, now: Timestamp) -> Facts {
        let mut facts = Facts {
            now,
            ..Facts::default()
        };
        if let Some(conversation) = self.find(&needs.target) {
            self.facts_inside(conversation.id, needs, &mut facts);
            facts.conversation = Some(conversation.clone());
        }
        if let Some((user, others)) = &needs.blocks {
            let both = others
                .iter()
                .flat_map(|other| [(user.clone(), other.clone()), (other.clone(), user.clone())]);
            facts.blocks = both.filter(|pair| self.blocks.contains(pair)).collect();
        }
        facts.attachments = pick(&self.attachments, &needs.attachments);
        facts.user_revs = pick(&self.user_revs, &needs.user_revs);
        facts.file_uses = (needs.attachments.iter())
            .filter_map(|id| {
                let uses = u64::try_from(*self.file_uses.get(id)?).unwrap_or(0);
                Some((*id, uses.min(Facts::FILE_USES as u64)))
            })
            .collect();
        let asked = needs.open_report.as_ref();
        facts.open_report = asked.and_then(|key| self.open_reports.get(key)).copied();
        let writer = needs.restrictions_of.as_ref();
        facts.restrictions = writer
            .and_then(|user| self.restrictions.get(user))
            .copied()
            .unwrap_or_default();
        facts
    }

    fn facts_inside(&self, id: ConversationId, needs: &Needs, facts: &mut Facts) {
        facts.members = match &needs.members {
            MembersNeeded::None => BTreeMap::new(),
            MembersNeeded::Of(users) => users
                .iter()
                .filter_map(|user| Some((user.clone(), self.members.get(&(id, user.clone()))?.clone())))
                .collect(),
            MembersNeeded::All => self
                .members
                .values()
                .filter(|member| member.conversation_id == id)
                .map(|member| (member.user_id.clone(), member.clone()))
                .collect(),
        };
        facts.messages = pick(&self.messages, &needs.messages);
        facts.messages.retain(|_, message| message.conversation_id == id);
        if let Some((sender, client_id)) = &needs.replay {
            let key = (id, sender.clone(), client_id.clone());
            let message = self.replays.get(&key).and_then(|id| self.messages.get(id));
            facts.replay = message.cloned();
        }
        if let Some(user) = &needs.hidden_by {
            let hidden = facts
                .messages
                .keys()
                .filter(|message| self.hidden.contains(&(user.clone(), **message)));
            facts.hidden = hidden.copied().collect();
        }
        if needs.pins
            && let Some(pinned) = self.pinned.get(&id)
        {
            let stands = |expires_at: &&Option<Timestamp>| expires_at.is_none_or(|at| at > facts.now);
            facts.pins = pinned.values().filter(stands).count() as u64;
        }
        if let Some(reactions) = needs.reactions.and_then(|message| self.reactions.get(&message)) {
            let here = reactions.iter().filter(|reaction| reaction.conversation_id == id);
            facts.reactions = here.cloned().collect();
            facts.reactions.sort_by_key(|reaction| reaction.at);
        }
    }

    /// What no decision of the engine does, as far as the rows at hand tell; the indexes of the tables tell the rest.
    pub(super) fn check(&self, facts: &Facts, writes: &Writes) -> Result<(), Error> {
        let locked = facts.conversation.as_ref().map(|conversation| conversation.id);
        let written = writes.conversation.as_ref().map(|conversation| conversation.id);
        if locked.is_some() && written.is_some() && locked != written {
            return Err(Error::Broken("a change writes another conversation"));
        }
        let here = locked.or(written);
        let mut rows = (writes.members.iter().map(|row| row.conversation_id))
            .chain(writes.messages.iter().map(|row| row.conversation_id))
            .chain(writes.advances.iter().map(|row| row.conversation_id))
            .chain(writes.reactions_added.iter().map(|row| row.conversation_id))
            .chain(writes.hides.iter().map(|row| row.conversation_id))
            .chain(writes.former_texts.iter().map(|row| row.conversation_id))
            .chain(writes.purge.map(|purge| purge.conversation_id));
        if rows.any(|id| Some(id) != here) {
            return Err(Error::Broken("a row belongs to another conversation"));
        }
        if let Some(new) = &writes.conversation
            && let Some(pair) = &new.pair
            && self.pairs.get(pair).is_some_and(|id| *id != new.id)
        {
            return Err(Error::Broken("another conversation has this pair"));
        }
        for message in &writes.messages {
            if let Some(old) = self.messages.get(&message.id)
                && (old.conversation_id, old.seq) != (message.conversation_id, message.seq)
            {
                return Err(Error::Broken("a message changed its place"));
            }
        }
        Ok(())
    }

    /// Puts the writes of a change on top.
    pub(super) fn apply(&mut self, writes: &Writes) {
        if let Some(new) = &writes.conversation {
            if let Some(pair) = &new.pair {
                self.pairs.insert(pair.clone(), new.id);
            }
            self.conversations.insert(new.id, new.clone());
        }
        for member in &writes.members {
            let key = (member.conversation_id, member.user_id.clone());
            self.members.insert(key, member.clone());
        }
        for message in &writes.messages {
            if let Some(client_id) = &message.client_id {
                let key = (
                    message.conversation_id,
                    message.sender_id.clone(),
                    client_id.clone(),
                );
                self.replays.insert(key, message.id);
            }
            self.note_files(message);
            self.note_pin(message);
            self.messages.insert(message.id, message.clone());
        }
        for message in &writes.reactions_cleared {
            self.reactions.remove(message);
        }
        for gone in &writes.reactions_removed {
            if let Some(list) = self.reactions.get_mut(&gone.message_id) {
                list.retain(|old| old.user_id != gone.user_id || old.emoji != gone.emoji);
            }
        }
        for new in &writes.reactions_added {
            let list = self.reactions.entry(new.message_id).or_default();
            list.retain(|old| old.user_id != new.user_id || old.emoji != new.emoji);
            list.push(new.clone());
        }
        for hide in &writes.hides {
            self.hidden.insert((hide.user_id.clone(), hide.message_id));
        }
        for report in writes.reports.iter().filter(|report| report.resolution.is_none()) {
            let key = (report.reporter.clone(), report.target.clone());
            self.open_reports.insert(key, report.id);
        }
        for file in &writes.attachments {
            self.attachments.insert(file.id, file.clone());
        }
        for (user, user_rev) in &writes.user_revs {
            // Users nobody knows have none.
            if let Some(known) = self.user_revs.get_mut(user) {
                *known = *user_rev;
            }
        }
    }
}

impl Slate {
    /// Counts what a message shows from now on instead of what it showed.
    fn note_files(&mut self, message: &Message) {
        let files = |message: &Message| -> HashSet<AttachmentId> {
            message.content.attachments.iter().copied().collect()
        };
        let (old, new) = (self.messages.get(&message.id).map(files), files(message));
        for file in old.into_iter().flatten() {
            *self.file_uses.entry(file).or_default() -= 1;
        }
        for file in new {
            *self.file_uses.entry(file).or_default() += 1;
        }
    }

    fn note_pin(&mut self, message: &Message) {
        if let Some(pinned) = self.pinned.get_mut(&message.conversation_id) {
            if message.pinned.is_some() && !message.is_deleted() {
                pinned.insert(message.id, message.expires_at);
            } else {
                pinned.remove(&message.id);
            }
        }
    }
}

fn pick<K, V>(rows: &HashMap<K, V>, keys: &[K]) -> HashMap<K, V>
where
    K: Clone + Eq + std::hash::Hash,
    V: Clone,
{
    keys.iter()
        .filter_map(|key| Some((key.clone(), rows.get(key)?.clone())))
        .collect()
}
