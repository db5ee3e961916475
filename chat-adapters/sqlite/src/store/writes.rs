//! Writes what a decision wants, with the rows derived from it.

use chat_core::model::{Advance, Conversation, Hide, Member, Reaction, ReadAudience, Retention};
use chat_core::store::{Facts, Writes};
use chat_core::text::fold;

use super::attachment::put_attachment;
use super::edit::{clear_former_texts, put_former_text};
use super::moderation::{add_entry, put_report};
use super::outbox::add_entries;
use super::write_member::put_member;
use super::write_message::put_message;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Statement, blob, int, json, statement, time};
use crate::transaction::Transaction;

pub(super) async fn apply(transaction: &mut Transaction, facts: &Facts, writes: Writes) -> Result<(), Error> {
    let number = transaction.next_number().await?;
    if let Some(conversation) = &writes.conversation {
        put_conversation(transaction, facts, conversation, number).await?;
    } else if let Some(message) = writes.messages.first() {
        // Everybody who sees the conversation has to hear of a changed message.
        const TOUCH: &str = "UPDATE chat_conversations SET commit_no = ?1 WHERE id = ?2";
        let id = blob(message.conversation_id.as_uuid());
        transaction.run(statement(TOUCH).bind(number).bind(id)).await?;
    }
    if let Some(purge) = writes.purge {
        super::purge::purge(transaction, purge).await?;
    }
    for member in &writes.members {
        put_member(transaction, facts.members.get(&member.user_id), member, number).await?;
    }
    for message in &writes.messages {
        put_message(transaction, facts, message, number).await?;
    }
    for advance in &writes.advances {
        add_advance(transaction, advance, false).await?;
    }
    for message in &writes.reactions_cleared {
        const CLEAR: &str = "DELETE FROM chat_reactions WHERE message_id = ?1";
        transaction
            .run(statement(CLEAR).bind(blob(message.as_uuid())))
            .await?;
    }
    for reaction in &writes.reactions_removed {
        remove_reaction(transaction, reaction).await?;
    }
    for reaction in &writes.reactions_added {
        add_reaction(transaction, reaction).await?;
    }
    for message in &writes.former_texts_cleared {
        clear_former_texts(transaction, *message).await?;
    }
    for text in &writes.former_texts {
        put_former_text(transaction, text).await?;
    }
    for hide in &writes.hides {
        put_hide(transaction, hide, number).await?;
    }
    for report in &writes.reports {
        put_report(transaction, report).await?;
    }
    for entry in &writes.audit {
        add_entry(transaction, entry).await?;
    }
    for attachment in &writes.attachments {
        put_attachment(transaction, attachment).await?;
    }
    add_entries(transaction, &writes.outbox).await?;
    for (user, user_rev) in &writes.user_revs {
        const SET: &str = "UPDATE chat_users SET user_rev = ?1 WHERE id = ?2";
        let query = statement(SET).bind(int(*user_rev)).bind(user.as_str());
        transaction.run(query).await?;
    }
    Ok(())
}

/// A known conversation: what never changes of it is left out, and with it the indexes on the pair.
const UPDATE_CONVERSATION: &str = "UPDATE chat_conversations SET name = ?2, folded_name = ?3, description = ?4, \
    avatar = ?5, last_activity_at = ?6, changed_at = ?7, rev = ?8, last_seq = ?9, last_countable_seq = ?10, \
    last_countable_sender = ?11, last_countable_other_seq = ?12, last_countable_other_at = ?13, members_rev = ?14, \
    member_count = ?15, permissions = ?16, frozen = ?17, custom = ?18, dissolved_at = ?19, commit_no = ?20, \
    first_seq = ?21, min_rev = ?22, oldest_at = ?23, retention = ?24, message_ttl_ms = ?25, slow_mode_ms = ?26, \
    sends_until = ?27 WHERE id = ?1";
const INSERT_CONVERSATION: &str = "INSERT INTO chat_conversations (id, name, folded_name, description, avatar, \
    last_activity_at, changed_at, rev, last_seq, last_countable_seq, last_countable_sender, \
    last_countable_other_seq, last_countable_other_at, members_rev, member_count, permissions, frozen, custom, dissolved_at, commit_no, \
    first_seq, min_rev, oldest_at, retention, message_ttl_ms, slow_mode_ms, sends_until, kind, pair_low, pair_high, \
    created_by, created_at) VALUES (?1, ?2, \
    ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, \
    ?27, ?28, ?29, ?30, ?31, ?32) \
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, folded_name = excluded.folded_name, \
    description = excluded.description, avatar = excluded.avatar, last_activity_at = excluded.last_activity_at, \
    changed_at = excluded.changed_at, rev = excluded.rev, last_seq = excluded.last_seq, \
    last_countable_seq = excluded.last_countable_seq, last_countable_sender = excluded.last_countable_sender, \
    last_countable_other_seq = excluded.last_countable_other_seq, \
    last_countable_other_at = excluded.last_countable_other_at, members_rev = excluded.members_rev, \
    member_count = excluded.member_count, permissions = excluded.permissions, frozen = excluded.frozen, \
    custom = excluded.custom, dissolved_at = excluded.dissolved_at, commit_no = excluded.commit_no, \
    first_seq = excluded.first_seq, min_rev = excluded.min_rev, oldest_at = excluded.oldest_at, \
    retention = excluded.retention, message_ttl_ms = excluded.message_ttl_ms, \
    slow_mode_ms = excluded.slow_mode_ms, sends_until = excluded.sends_until, \
    kind = excluded.kind, pair_low = excluded.pair_low, pair_high = excluded.pair_high, \
    created_by = excluded.created_by, created_at = excluded.created_at";

pub(super) async fn put_conversation(
    transaction: &mut Transaction,
    facts: &Facts,
    new: &Conversation,
    number: i64,
) -> Result<(), Error> {
    let known = facts.conversation.as_ref().is_some_and(|old| {
        old.id == new.id
            && old.kind == new.kind
            && old.pair == new.pair
            && old.created_by == new.created_by
            && old.created_at == new.created_at
    });
    if known {
        let query = bind_conversation(statement(UPDATE_CONVERSATION), new, number)?;
        transaction.run(query).await?;
    } else {
        let query = bind_conversation(statement(INSERT_CONVERSATION), new, number)?
            .bind(new.kind.column())
            .bind(new.pair.as_ref().map(|pair| pair.low().as_str()))
            .bind(new.pair.as_ref().map(|pair| pair.high().as_str()))
            .bind(new.created_by.as_str())
            .bind(new.created_at.as_millis());
        transaction.run(query).await?;
    }
    Ok(())
}

/// Parameters 1 to 27, the same in both statements.
fn bind_conversation(query: Statement, new: &Conversation, number: i64) -> Result<Statement, Error> {
    let custom = (!new.custom.is_empty()).then(|| json(&new.custom)).transpose()?;
    Ok(query
        .bind(blob(new.id.as_uuid()))
        .bind(new.name.as_deref())
        .bind(new.name.as_deref().map(fold))
        .bind(new.description.as_deref())
        .bind(new.avatar.map(|id| blob(id.as_uuid())))
        .bind(new.last_activity_at.as_millis())
        .bind(new.changed_at.as_millis())
        .bind(int(new.rev))
        .bind(int(new.last_seq))
        .bind(int(new.last_countable.seq))
        .bind(new.last_countable.sender.as_ref().map(|user| user.as_str()))
        .bind(int(new.last_countable.other_seq))
        .bind(new.last_countable.other_at.as_millis())
        .bind(int(new.members_rev))
        .bind(i64::from(new.member_count))
        .bind(json(&new.permissions)?)
        .bind(i64::from(new.frozen))
        .bind(custom)
        .bind(time(new.dissolved_at))
        .bind(number)
        .bind(int(new.horizon.first_seq))
        .bind(int(new.horizon.min_rev))
        .bind(time(new.horizon.oldest_at))
        .bind(new.horizon.retention.map(|retention| match retention {
            Retention::Forever => -1,
            Retention::For(time) => i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
        }))
        .bind(new.message_ttl_ms.map(int))
        .bind(
            new.slow_mode
                .map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)),
        )
        .bind(new.sends_until.as_millis()))
}

/// The `step` column of the log of marks.
pub(super) const fn step(read: Option<ReadAudience>) -> i64 {
    match read {
        None => 0,
        Some(ReadAudience::Nobody) => 1,
        Some(ReadAudience::Contacts) => 2,
        Some(ReadAudience::Everyone) => 3,
    }
}

pub(super) async fn add_advance(
    transaction: &mut Transaction,
    advance: &Advance,
    timeless: bool,
) -> Result<(), Error> {
    const ADD: &str = "INSERT INTO chat_advances (conversation_id, user_id, step, from_seq, to_seq, at, timeless) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let query = statement(ADD)
        .bind(blob(advance.conversation_id.as_uuid()))
        .bind(advance.user_id.as_str())
        .bind(step(advance.read))
        .bind(int(advance.from))
        .bind(int(advance.to))
        .bind(advance.at.as_millis())
        .bind(i64::from(timeless));
    transaction.run(query).await?;
    Ok(())
}

async fn remove_reaction(transaction: &mut Transaction, reaction: &Reaction) -> Result<(), Error> {
    const REMOVE: &str = "DELETE FROM chat_reactions WHERE message_id = ?1 AND user_id = ?2 AND emoji = ?3";
    let query = statement(REMOVE)
        .bind(blob(reaction.message_id.as_uuid()))
        .bind(reaction.user_id.as_str())
        .bind(reaction.emoji.as_str());
    transaction.run(query).await?;
    Ok(())
}

pub(super) async fn add_reaction(transaction: &mut Transaction, reaction: &Reaction) -> Result<(), Error> {
    // REPLACE gives a repeated reaction a new position: it is the newest again.
    const ADD: &str = "INSERT OR REPLACE INTO chat_reactions (conversation_id, message_id, user_id, emoji, at) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let query = statement(ADD)
        .bind(blob(reaction.conversation_id.as_uuid()))
        .bind(blob(reaction.message_id.as_uuid()))
        .bind(reaction.user_id.as_str())
        .bind(reaction.emoji.as_str())
        .bind(reaction.at.as_millis());
    transaction.run(query).await?;
    Ok(())
}

pub(super) async fn put_hide(transaction: &mut Transaction, hide: &Hide, number: i64) -> Result<(), Error> {
    const PUT: &str = "INSERT OR REPLACE INTO chat_hides (user_id, conversation_id, seq, message_id, rev, commit_no) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let conversation = blob(hide.conversation_id.as_uuid());
    let query = statement(PUT)
        .bind(hide.user_id.as_str())
        .bind(conversation.clone())
        .bind(int(hide.seq))
        .bind(blob(hide.message_id.as_uuid()))
        .bind(int(hide.rev))
        .bind(number);
    transaction.run(query).await?;
    // His member row carries the number too, so that the question which conversations changed for him looks at
    // members and conversations only.
    const TOUCH: &str = "UPDATE chat_members SET commit_no = ?1 WHERE conversation_id = ?2 AND user_id = ?3";
    let query = statement(TOUCH)
        .bind(number)
        .bind(conversation)
        .bind(hide.user_id.as_str());
    transaction.run(query).await?;
    Ok(())
}

/// The lowest seq a member may see by his intervals and what he cleared; where queries start.
pub(super) fn sees_from(member: &Member) -> u64 {
    let first = member.intervals.iter().map(|interval| interval.from).min();
    first.map_or(member.visible_from, |first| first.max(member.visible_from))
}
