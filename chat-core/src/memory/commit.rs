//! The commit point: load the facts, let the change decide, check the writes, apply them.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::state::{HideRow, MemberRow, MessageRow, Room, State, Step};
use crate::error::{BackendError, BackendErrorKind, ChatError};
use crate::id::ConversationId;
use crate::model::{Message, User};
use crate::store::{Change, Facts, MembersNeeded, Needs, Target, Writes};
use crate::text::fold;
use crate::time::Timestamp;

/// What no decision of the engine does.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("a decision panicked")]
    Panicked,
    #[error("a row belongs to an unknown conversation")]
    UnknownConversation,
    #[error("another conversation has this pair")]
    Pair,
    #[error("a message changed its place")]
    Moved,
    #[error("another message has this seq")]
    Seq,
    #[error("another message has this client id")]
    ClientId,
}

fn broken(how: Broken) -> BackendError {
    BackendError::new(BackendErrorKind::Other, "memory", "commit").with_source(how)
}

impl State {
    /// Decides one change and writes what it wants, or refuses it and writes nothing.
    pub(super) fn commit(&mut self, change: &Change, now: Timestamp) -> Result<(), ChatError> {
        let facts = self.facts(&change.needs, now);
        // A panic in one decision fails that change alone; nothing is written yet.
        let writes = catch_unwind(AssertUnwindSafe(|| change.decide(&facts)))
            .map_err(|_panic| broken(Broken::Panicked))??;
        if writes.is_empty() {
            return Ok(());
        }
        self.check(&writes).map_err(broken)?;
        self.apply(writes);
        Ok(())
    }

    fn facts(&self, needs: &Needs, now: Timestamp) -> Facts {
        let id = match &needs.target {
            Target::Conversation(id) => Some(*id),
            Target::Direct(pair) => self.pairs.get(pair).copied(),
        };
        let mut facts = Facts {
            now,
            ..Facts::default()
        };
        if let Some(room) = id.and_then(|id| self.rooms.get(&id)) {
            self.room_facts(room, needs, &mut facts);
        }
        if let Some((user, others)) = &needs.blocks {
            for other in others {
                if self.is_blocked(user, other) {
                    facts.blocks.insert((user.clone(), other.clone()));
                }
                if self.is_blocked(other, user) {
                    facts.blocks.insert((other.clone(), user.clone()));
                }
            }
        }
        for id in &needs.attachments {
            if let Some(attachment) = self.attachments.get(id) {
                facts.attachments.insert(*id, attachment.clone());
            }
            if let Some(messages) = self.shown.get(id) {
                let uses = messages.len().min(Facts::FILE_USES);
                facts.file_uses.insert(*id, uses as u64);
            }
        }
        for id in &needs.user_revs {
            if let Some(user) = self.users.get(id) {
                facts.user_revs.insert(id.clone(), user.user_rev);
            }
        }
        facts.open_report =
            (needs.open_report.as_ref()).and_then(|(reporter, target)| self.open_report(reporter, target));
        let writer = needs.restrictions_of.as_ref().and_then(|id| self.users.get(id));
        facts.restrictions = writer.map(User::restrictions).unwrap_or_default();
        facts
    }

    fn room_facts(&self, room: &Room, needs: &Needs, facts: &mut Facts) {
        let conversation = &room.conversation;
        facts.conversation = Some(conversation.clone());
        facts.members = match &needs.members {
            MembersNeeded::None => Default::default(),
            MembersNeeded::Of(users) => users
                .iter()
                .filter_map(|user| Some((user.clone(), room.members.get(user)?.member.clone())))
                .collect(),
            MembersNeeded::All => room
                .members
                .iter()
                .map(|(user, row)| (user.clone(), row.member.clone()))
                .collect(),
        };
        for id in &needs.messages {
            if let Some(message) = self.message(*id)
                && message.conversation_id == conversation.id
            {
                facts.messages.insert(*id, message.clone());
                if needs
                    .hidden_by
                    .as_ref()
                    .is_some_and(|user| self.is_hidden(user, *id))
                {
                    facts.hidden.insert(*id);
                }
            }
        }
        facts.replay = needs
            .replay
            .as_ref()
            .and_then(|key| room.client_ids.get(key))
            .and_then(|seq| room.messages.get(seq))
            .map(|row| row.message.clone());
        facts.reactions = needs
            .reactions
            .and_then(|id| self.reactions.get(&id))
            .map(|list| {
                list.iter()
                    .filter(|r| r.conversation_id == conversation.id)
                    .cloned()
                    .collect()
            })
            .unwrap_or_default();
        facts.reactions.sort_by_key(|r| r.at);
        if needs.pins {
            let rows = room.messages.values().map(|row| &row.message);
            let pinned = rows.filter(|m| m.pinned.is_some() && !m.is_deleted() && !m.is_expired(facts.now));
            facts.pins = pinned.count() as u64;
        }
    }

    /// Everything that can go wrong, looked at before anything is written.
    fn check(&self, writes: &Writes) -> Result<(), Broken> {
        if let Some(conversation) = &writes.conversation
            && let Some(pair) = &conversation.pair
            && self.pairs.get(pair).is_some_and(|id| *id != conversation.id)
        {
            return Err(Broken::Pair);
        }
        let known = |id: ConversationId| {
            self.rooms.contains_key(&id) || writes.conversation.as_ref().is_some_and(|c| c.id == id)
        };
        let rows = (writes.members.iter().map(|row| row.conversation_id))
            .chain(writes.messages.iter().map(|row| row.conversation_id))
            .chain(writes.advances.iter().map(|row| row.conversation_id))
            .chain(writes.reactions_added.iter().map(|row| row.conversation_id))
            .chain(writes.hides.iter().map(|row| row.conversation_id))
            .chain(writes.former_texts.iter().map(|row| row.conversation_id))
            .chain(writes.purge.map(|purge| purge.conversation_id));
        for id in rows {
            if !known(id) {
                return Err(Broken::UnknownConversation);
            }
        }
        let mut seqs = HashSet::new();
        let mut client_ids = HashSet::new();
        for message in &writes.messages {
            self.check_message(message)?;
            if !seqs.insert((message.conversation_id, message.seq)) {
                return Err(Broken::Seq);
            }
            if let Some(client_id) = &message.client_id
                && !client_ids.insert((message.conversation_id, &message.sender_id, client_id))
            {
                return Err(Broken::ClientId);
            }
        }
        Ok(())
    }

    fn check_message(&self, message: &Message) -> Result<(), Broken> {
        let place = (message.conversation_id, message.seq);
        if self.places.get(&message.id).is_some_and(|old| *old != place) {
            return Err(Broken::Moved);
        }
        let Some(room) = self.rooms.get(&message.conversation_id) else {
            return Ok(());
        };
        if room
            .messages
            .get(&message.seq)
            .is_some_and(|row| row.message.id != message.id)
        {
            return Err(Broken::Seq);
        }
        if let Some(client_id) = &message.client_id
            && room
                .client_ids
                .get(&(message.sender_id.clone(), client_id.clone()))
                .is_some_and(|seq| *seq != message.seq)
        {
            return Err(Broken::ClientId);
        }
        Ok(())
    }

    /// Writes what [`check`](Self::check) let pass; rows of unknown conversations are not among it.
    pub(super) fn apply(&mut self, writes: Writes) {
        self.commits += 1;
        let position = self.commits;
        if let Some(conversation) = writes.conversation {
            if let Some(pair) = &conversation.pair {
                self.pairs.insert(pair.clone(), conversation.id);
            }
            let rev = conversation.rev;
            let room = self
                .rooms
                .entry(conversation.id)
                .and_modify(|room| room.conversation = conversation.clone())
                .or_insert_with(|| Room::new(conversation));
            room.position = position;
            room.revs.push((position, rev));
        }
        if let Some(purge) = writes.purge {
            self.purge(purge);
        }
        for member in writes.members {
            self.rooms_of
                .entry(member.user_id.clone())
                .or_default()
                .insert(member.conversation_id);
            if let Some(room) = self.rooms.get_mut(&member.conversation_id) {
                room.members
                    .insert(member.user_id.clone(), MemberRow { member, position });
            }
        }
        for message in writes.messages {
            self.put_message(message, position);
        }
        for advance in writes.advances {
            if let Some(room) = self.rooms.get_mut(&advance.conversation_id) {
                room.advances.push(Step {
                    advance,
                    timeless: false,
                });
            }
        }
        for id in writes.reactions_cleared {
            self.reactions.remove(&id);
        }
        for gone in writes.reactions_removed {
            if let Some(list) = self.reactions.get_mut(&gone.message_id) {
                list.retain(|r| r.user_id != gone.user_id || r.emoji != gone.emoji);
            }
        }
        for reaction in writes.reactions_added {
            let list = self.reactions.entry(reaction.message_id).or_default();
            list.retain(|r| r.user_id != reaction.user_id || r.emoji != reaction.emoji);
            list.push(reaction);
        }
        for id in writes.former_texts_cleared {
            self.former_texts.remove(&id);
        }
        for text in writes.former_texts {
            let texts = self.former_texts.entry(text.message_id).or_default();
            texts.insert(text.version, text);
        }
        for hide in writes.hides {
            if let Some(row) = self
                .rooms
                .get_mut(&hide.conversation_id)
                .and_then(|room| room.members.get_mut(&hide.user_id))
            {
                row.position = position;
            }
            self.hides
                .entry(hide.user_id.clone())
                .or_default()
                .insert(hide.message_id, HideRow { hide, position });
        }
        for report in writes.reports {
            self.reports.insert(report.id, report);
        }
        self.audit.extend(writes.audit);
        for attachment in writes.attachments {
            self.attachments.insert(attachment.id, attachment);
        }
        for entry in writes.outbox {
            self.outbox.add(entry);
        }
        for (id, user_rev) in writes.user_revs {
            if let Some(user) = self.users.get_mut(&id) {
                user.user_rev = user_rev;
            }
        }
    }

    fn put_message(&mut self, message: Message, position: u64) {
        self.note_files(&message);
        let Some(room) = self.rooms.get_mut(&message.conversation_id) else {
            return;
        };
        room.position = position;
        self.places
            .insert(message.id, (message.conversation_id, message.seq));
        if let Some(client_id) = &message.client_id {
            room.client_ids
                .insert((message.sender_id.clone(), client_id.clone()), message.seq);
        }
        let row = MessageRow {
            folded: fold(&message.text),
            message,
            position,
        };
        room.messages.insert(row.message.seq, row);
    }
}
