//! What a decision wants written, as steps of the commit.

use std::collections::BTreeSet;

use chat_core::id::MessageId;
use chat_core::store::{OutboxEntry, Writes};
use mongodb::bson::doc;

use super::state::State;
use crate::codec::{attachment, conversation, key, member, message, moderation, receipt};
use crate::collection::Collection;
use crate::error::Error;
use crate::plan::Plan;
use crate::row::{int, time, uuid};

/// A commit in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) plan: Plan,
    /// Things that were only added, counted: their place in the order of the commit.
    added: i64,
    /// Topics and keys that have entries on their way out already.
    pub(super) taken_lanes: BTreeSet<(String, String)>,
    /// About how many bytes the steps take.
    pub(super) weight: usize,
}

/// Of a row, without what users wrote.
const ROW_BYTES: usize = 1_024;

fn weight(writes: &Writes) -> usize {
    let rows = writes.members.len()
        + writes.messages.len()
        + writes.advances.len()
        + writes.reactions_added.len()
        + writes.hides.len()
        + writes.attachments.len()
        + writes.outbox.len()
        + writes.reports.len()
        + writes.audit.len()
        + 1;
    let texts = (writes.messages.iter().map(|m| m.text.len() * 2))
        .chain(writes.former_texts.iter().map(|t| t.text.len()))
        .chain(writes.outbox.iter().map(|o| o.payload.len()))
        .sum::<usize>();
    rows * ROW_BYTES + texts
}

impl Draft {
    pub(super) fn next(&mut self, number: i64) -> i64 {
        self.added = self.added.saturating_add(1);
        key::place(number, self.added)
    }

    /// Adds what one decision wants; `state` is that before it.
    pub(super) fn add(&mut self, state: &State, writes: &Writes, number: i64) -> Result<(), Error> {
        self.weight += weight(writes);
        self.conversation(state, writes)?;
        if writes.purge.is_some() {
            for (collection, id) in state.purged.iter().flat_map(|(_, gone)| gone) {
                self.plan.bury(*collection, id.clone());
            }
        }
        for row in &writes.members {
            let id = key::member(row.conversation_id, &row.user_id);
            self.plan.put(Collection::Members, id, member::to_document(row)?);
        }
        for row in &writes.messages {
            let id = key::message(row.conversation_id, row.seq);
            let fields = message::to_document(row, state.born(row.id, number))?;
            self.plan.put(Collection::Messages, id, fields);
        }
        for row in &writes.advances {
            let place = self.next(number);
            let fields = receipt::advance_to_document(row);
            self.plan.put(Collection::Advances, place, fields);
        }
        self.reactions(state, writes, number);
        self.clear(state, Collection::FormerTexts, &writes.former_texts_cleared);
        for row in &writes.former_texts {
            let id = key::former_text(row.message_id, row.version);
            let fields = receipt::former_text_to_document(row);
            self.plan.put(Collection::FormerTexts, id, fields);
        }
        for row in &writes.hides {
            let id = key::of_message(&row.user_id, row.message_id);
            self.plan
                .put(Collection::Hides, id, receipt::hide_to_document(row));
            // His membership carries the number too, so that the question which conversations changed for him looks at
            // members and conversations only.
            let member = key::member(row.conversation_id, &row.user_id);
            self.plan.touch(Collection::Members, member);
        }
        for row in &writes.reports {
            let fields = moderation::report_to_document(row)?;
            self.plan.put(Collection::Reports, uuid(row.id.as_uuid()), fields);
        }
        for row in &writes.audit {
            let fields = moderation::audit_to_document(row)?;
            self.plan.put(Collection::Audit, uuid(row.id.as_uuid()), fields);
        }
        for row in &writes.attachments {
            let fields = attachment::to_document(row);
            self.plan
                .put(Collection::Attachments, uuid(row.id.as_uuid()), fields);
        }
        self.taken_lanes.extend(state.lanes.iter().cloned());
        for entry in &writes.outbox {
            self.entry(entry, number);
        }
        for (user, user_rev) in &writes.user_revs {
            let fields = doc! { "user_rev": int(*user_rev) };
            self.plan.set(Collection::Users, user.as_str(), fields);
        }
        Ok(())
    }

    fn conversation(&mut self, state: &State, writes: &Writes) -> Result<(), Error> {
        if let Some(row) = &writes.conversation {
            let fields = conversation::to_document(row)?;
            self.plan
                .put(Collection::Conversations, uuid(row.id.as_uuid()), fields);
        } else if let Some(message) = writes.messages.first()
            && state.conversations.contains_key(&message.conversation_id)
        {
            // Everybody who sees the conversation has to hear of a changed message.
            let id = uuid(message.conversation_id.as_uuid());
            self.plan.touch(Collection::Conversations, id);
        }
        Ok(())
    }

    fn reactions(&mut self, state: &State, writes: &Writes, number: i64) {
        self.clear(state, Collection::Reactions, &writes.reactions_cleared);
        for row in &writes.reactions_removed {
            let id = key::reaction(row.message_id, &row.user_id, &row.emoji);
            self.plan.bury(Collection::Reactions, id);
        }
        for row in &writes.reactions_added {
            // A repeated reaction is the newest again.
            let place = self.next(number);
            let id = key::reaction(row.message_id, &row.user_id, &row.emoji);
            let fields = receipt::reaction_to_document(row, place);
            self.plan.put(Collection::Reactions, id, fields);
        }
    }

    fn clear(&mut self, state: &State, collection: Collection, messages: &[MessageId]) {
        for message in messages {
            for id in state.hanging.get(&(collection, *message)).into_iter().flatten() {
                self.plan.bury(collection, id.as_str());
            }
        }
    }

    /// The oldest entry of a topic and key is its head, the only one that can be claimed.
    pub(super) fn entry(&mut self, entry: &OutboxEntry, number: i64) -> i64 {
        let place = self.next(number);
        let lane = (entry.topic.clone(), entry.key.clone());
        let is_head = self.taken_lanes.insert(lane);
        let fields = doc! {
            "id": uuid(entry.id),
            "topic": entry.topic.as_str(),
            "key": entry.key.as_str(),
            "payload": entry.payload.as_str(),
            "created_at": time(entry.created_at),
            "due_at": time(entry.created_at),
            "attempts": 0_i64,
            "head": is_head,
        };
        self.plan.once(Collection::Outbox, place, fields);
        place
    }
}
