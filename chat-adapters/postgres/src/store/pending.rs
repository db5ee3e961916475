//! What the changes of a transaction want written, gathered: of several states of one row the last one is written,
//! once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chat_core::id::{AttachmentId, ConversationId, MessageId, UserId};
use chat_core::model::{
    Advance, Attachment, AuditEntry, Conversation, FormerText, Hide, Member, Message, Reaction, Report, Seq,
};
use chat_core::store::{Facts, OutboxEntry, Writes};

use super::slate::Slate;
use crate::error::Error;

/// A change's place in its transaction: the lower part of its number.
pub(super) type Place = i64;

/// Rows to write, by their keys and so in one order on every node.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    pub(super) conversations: BTreeMap<ConversationId, (Conversation, Place)>,
    pub(super) members: BTreeMap<(ConversationId, UserId), (Member, Place)>,
    pub(super) messages: BTreeMap<(ConversationId, Seq), (Message, Place)>,
    /// Messages whose mentions go before those of the present state come.
    pub(super) mentions_reset: BTreeSet<(ConversationId, Seq)>,
    /// Messages whose files are no more those that are known to be shown by them.
    pub(super) files_reset: BTreeSet<MessageId>,
    pub(super) advances: Vec<Advance>,
    pub(super) reactions_cleared: BTreeSet<MessageId>,
    pub(super) reactions_removed: BTreeSet<(MessageId, UserId, String)>,
    pub(super) reactions_added: Vec<Reaction>,
    pub(super) former_texts_cleared: BTreeSet<MessageId>,
    /// By message and version; written after those above were dropped.
    pub(super) former_texts: BTreeMap<(MessageId, u32), FormerText>,
    pub(super) hides: BTreeMap<(UserId, ConversationId, Seq), (Hide, Place)>,
    pub(super) attachments: BTreeMap<AttachmentId, Attachment>,
    /// Messages below these go, with all that hangs on them; after everything else was written.
    pub(super) purges: BTreeMap<ConversationId, Seq>,
    pub(super) reports: Vec<Report>,
    pub(super) audit: Vec<AuditEntry>,
    pub(super) outbox: Vec<OutboxEntry>,
    pub(super) user_revs: BTreeMap<UserId, u64>,
}

/// A conversation as it was locked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Locked {
    /// The number of its newest change.
    pub(super) change_no: i64,
    /// Messages above this seq are new.
    pub(super) last_seq: Seq,
}

/// The conversations that were there when the transaction began.
pub(super) type LockedOnes = HashMap<ConversationId, Locked>;

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.conversations.is_empty()
            && self.members.is_empty()
            && self.messages.is_empty()
            && self.advances.is_empty()
            && self.reactions_cleared.is_empty()
            && self.reactions_removed.is_empty()
            && self.reactions_added.is_empty()
            && self.former_texts_cleared.is_empty()
            && self.former_texts.is_empty()
            && self.hides.is_empty()
            && self.attachments.is_empty()
            && self.purges.is_empty()
            && self.reports.is_empty()
            && self.audit.is_empty()
            && self.outbox.is_empty()
            && self.user_revs.is_empty()
    }

    /// Adds what a change wants written; `slate` is what it saw, before these writes.
    pub(super) fn add(
        &mut self,
        slate: &Slate,
        locked: &LockedOnes,
        facts: &Facts,
        writes: Writes,
        place: Place,
    ) -> Result<(), Error> {
        if let Some(conversation) = writes.conversation {
            self.conversations.insert(conversation.id, (conversation, place));
        } else if let (Some(conversation), false) = (&facts.conversation, writes.messages.is_empty()) {
            // Everybody who sees the conversation has to hear of a changed message: it gets the change's number.
            self.conversations
                .insert(conversation.id, (conversation.clone(), place));
        }
        if let Some(purge) = writes.purge {
            let below = self.purges.entry(purge.conversation_id).or_default();
            *below = purge.below.max(*below);
        }
        for member in writes.members {
            let key = (member.conversation_id, member.user_id.clone());
            self.members.insert(key, (member, place));
        }
        for message in writes.messages {
            self.add_message(slate, locked, message, place)?;
        }
        self.advances.extend(writes.advances);
        for message in writes.reactions_cleared {
            self.reactions_added.retain(|new| new.message_id != message);
            self.reactions_removed.retain(|(of, _, _)| *of != message);
            self.reactions_cleared.insert(message);
        }
        for gone in writes.reactions_removed {
            self.forget_reaction(&gone);
            self.reactions_removed
                .insert((gone.message_id, gone.user_id, gone.emoji));
        }
        for new in writes.reactions_added {
            self.forget_reaction(&new);
            self.reactions_added.push(new);
        }
        for message in writes.former_texts_cleared {
            self.former_texts.retain(|(of, _), _| *of != message);
            self.former_texts_cleared.insert(message);
        }
        for text in writes.former_texts {
            self.former_texts.insert((text.message_id, text.version), text);
        }
        for hide in writes.hides {
            let key = (hide.user_id.clone(), hide.conversation_id, hide.seq);
            self.hides.insert(key, (hide, place));
        }
        for file in writes.attachments {
            self.attachments.insert(file.id, file);
        }
        self.reports.extend(writes.reports);
        self.audit.extend(writes.audit);
        self.outbox.extend(writes.outbox);
        self.user_revs.extend(writes.user_revs);
        Ok(())
    }

    fn add_message(
        &mut self,
        slate: &Slate,
        locked: &LockedOnes,
        message: Message,
        place: Place,
    ) -> Result<(), Error> {
        let key = (message.conversation_id, message.seq);
        if self
            .messages
            .get(&key)
            .is_some_and(|(old, _)| old.id != message.id)
        {
            return Err(Error::Broken("another message has this seq"));
        }
        let is_new = locked
            .get(&message.conversation_id)
            .is_none_or(|conversation| message.seq > conversation.last_seq);
        let old = slate.messages.get(&message.id);
        if !is_new && old.is_none_or(|old| old.mentions != message.mentions) {
            self.mentions_reset.insert(key);
        }
        if !is_new && old.is_none_or(|old| old.content.attachments != message.content.attachments) {
            self.files_reset.insert(message.id);
        }
        self.messages.insert(key, (message, place));
        Ok(())
    }

    fn forget_reaction(&mut self, which: &Reaction) {
        self.reactions_added.retain(|new| {
            new.message_id != which.message_id || new.user_id != which.user_id || new.emoji != which.emoji
        });
    }
}
