//! Writes what was gathered, with the rows derived from it: one statement for each kind of row.

use chat_core::model::{Hide, ReadAudience};

use super::attachment::put_attachments;
use super::bulk::{Placed, change_no};
use super::edit::change_former_texts;
use super::moderation::{add_audit, put_reports};
use super::outbox::add_entries;
use super::pending::{LockedOnes, Pending, Place};
use super::purge::purge;
use super::write_conversations::{put_known_conversations, put_new_conversations};
use super::write_members::put_members;
use super::write_messages::put_messages;
use crate::error::Error;
use crate::statement::{all, int, statement};
use crate::transaction::Transaction;

/// Where the numbers of a change of this conversation begin.
pub(super) fn floor(locked: &LockedOnes, id: chat_core::id::ConversationId, place: Place) -> i64 {
    locked.get(&id).map_or(0, |conversation| {
        conversation.change_no.saturating_add(place).saturating_add(1)
    })
}

pub(super) async fn flush(
    transaction: &mut Transaction,
    locked: &LockedOnes,
    pending: Pending,
) -> Result<(), Error> {
    let (known, new): (Vec<_>, Vec<_>) = pending
        .conversations
        .values()
        .partition(|(conversation, _)| locked.contains_key(&conversation.id));
    put_new_conversations(transaction, locked, &new).await?;
    put_known_conversations(transaction, locked, &known).await?;
    let members: Vec<_> = pending.members.values().collect();
    put_members(transaction, locked, &members).await?;
    let messages: Vec<_> = pending.messages.values().collect();
    put_messages(
        transaction,
        locked,
        &messages,
        &pending.mentions_reset,
        &pending.files_reset,
    )
    .await?;
    add_advances(transaction, &pending).await?;
    change_reactions(transaction, &pending).await?;
    change_former_texts(transaction, &pending.former_texts_cleared, &pending.former_texts).await?;
    let hides: Vec<_> = pending.hides.values().collect();
    put_hides(transaction, locked, &hides).await?;
    if !pending.attachments.is_empty() {
        let files: Vec<_> = pending.attachments.values().collect();
        put_attachments(transaction, &files).await?;
    }
    for (conversation, below) in &pending.purges {
        purge(transaction, *conversation, *below).await?;
    }
    put_reports(transaction, &pending.reports).await?;
    add_audit(transaction, &pending.audit).await?;
    add_entries(transaction, &pending.outbox).await?;
    if !pending.user_revs.is_empty() {
        const SET: &str = "UPDATE chat_users t SET user_rev = u.user_rev \
            FROM unnest($1::text[], $2::int8[]) u(id, user_rev) WHERE t.id = u.id";
        let revs: Vec<_> = pending.user_revs.iter().collect();
        let query = statement(SET)
            .bind(all(&revs, |rev| rev.0.as_str()))
            .bind(all(&revs, |rev| int(*rev.1)));
        transaction.run(query).await?;
    }
    Ok(())
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

async fn add_advances(transaction: &mut Transaction, pending: &Pending) -> Result<(), Error> {
    const ADD: &str = "INSERT INTO chat_advances (conversation_id, user_id, step, from_seq, to_seq, at) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])";
    let steps = &pending.advances;
    if !steps.is_empty() {
        let query = statement(ADD)
            .bind(all(steps, |advance| advance.conversation_id.as_uuid()))
            .bind(all(steps, |advance| advance.user_id.as_str()))
            .bind(all(steps, |advance| step(advance.read)))
            .bind(all(steps, |advance| int(advance.from)))
            .bind(all(steps, |advance| int(advance.to)))
            .bind(all(steps, |advance| advance.at.as_millis()));
        transaction.run(query).await?;
    }
    Ok(())
}

async fn change_reactions(transaction: &mut Transaction, pending: &Pending) -> Result<(), Error> {
    if !pending.reactions_cleared.is_empty() {
        const CLEAR: &str = "DELETE FROM chat_reactions WHERE message_id = ANY($1)";
        let ids: Vec<_> = pending.reactions_cleared.iter().collect();
        let query = statement(CLEAR).bind(all(&ids, |id| id.as_uuid()));
        transaction.run(query).await?;
    }
    if !pending.reactions_removed.is_empty() {
        const REMOVE: &str = "DELETE FROM chat_reactions r \
            USING unnest($1::uuid[], $2::text[], $3::text[]) u(message_id, user_id, emoji) \
            WHERE r.message_id = u.message_id AND r.user_id = u.user_id AND r.emoji = u.emoji";
        let gone: Vec<_> = pending.reactions_removed.iter().collect();
        let query = statement(REMOVE)
            .bind(all(&gone, |key| key.0.as_uuid()))
            .bind(all(&gone, |key| key.1.as_str()))
            .bind(all(&gone, |key| key.2.as_str()));
        transaction.run(query).await?;
    }
    let new = &pending.reactions_added;
    if !new.is_empty() {
        // A repeated reaction gets a new position: it is the newest again.
        const ADD: &str = "INSERT INTO chat_reactions (conversation_id, message_id, user_id, emoji, at) \
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int8[]) \
            ON CONFLICT (message_id, user_id, emoji) DO UPDATE SET conversation_id = excluded.conversation_id, \
            at = excluded.at, position = DEFAULT";
        let query = statement(ADD)
            .bind(all(new, |reaction| reaction.conversation_id.as_uuid()))
            .bind(all(new, |reaction| reaction.message_id.as_uuid()))
            .bind(all(new, |reaction| reaction.user_id.as_str()))
            .bind(all(new, |reaction| reaction.emoji.as_str()))
            .bind(all(new, |reaction| reaction.at.as_millis()));
        transaction.run(query).await?;
    }
    Ok(())
}

async fn put_hides(
    transaction: &mut Transaction,
    locked: &LockedOnes,
    rows: &[&Placed<Hide>],
) -> Result<(), Error> {
    const PUT: &str = concat!(
        "INSERT INTO chat_hides (user_id, conversation_id, seq, message_id, rev, change_no) \
         SELECT u.user_id, u.conversation_id, u.seq, u.message_id, u.rev, ",
        change_no!(),
        " FROM unnest($1::text[], $2::uuid[], $3::int8[], $4::uuid[], $5::int8[], $6::int8[], $7::int8[]) \
         u(user_id, conversation_id, seq, message_id, rev, place, floor) \
         ON CONFLICT (user_id, conversation_id, seq) DO UPDATE SET message_id = excluded.message_id, \
         rev = excluded.rev, change_no = excluded.change_no"
    );
    // His member row carries the number too, so that the question which conversations changed for him looks at
    // members and conversations only.
    const TOUCH: &str = concat!(
        "UPDATE chat_members mb SET change_no = ",
        change_no!(),
        " FROM unnest($1::text[], $2::uuid[], $3::int8[], $4::int8[]) u(user_id, conversation_id, place, floor) \
         WHERE mb.conversation_id = u.conversation_id AND mb.user_id = u.user_id"
    );
    if rows.is_empty() {
        return Ok(());
    }
    let query = statement(PUT)
        .bind(all(rows, |(hide, _)| hide.user_id.as_str()))
        .bind(all(rows, |(hide, _)| hide.conversation_id.as_uuid()))
        .bind(all(rows, |(hide, _)| int(hide.seq)))
        .bind(all(rows, |(hide, _)| hide.message_id.as_uuid()))
        .bind(all(rows, |(hide, _)| int(hide.rev)))
        .bind(all(rows, |(_, place)| *place))
        .bind(all(rows, |(hide, place)| {
            floor(locked, hide.conversation_id, *place)
        }));
    transaction.run(query).await?;
    // Of several hides of one member the last one counts.
    let last: std::collections::BTreeMap<_, _> = rows
        .iter()
        .map(|(hide, place)| ((hide.conversation_id, &hide.user_id), *place))
        .fold(std::collections::BTreeMap::new(), |mut last, (whose, place)| {
            let newest: &mut Place = last.entry(whose).or_insert(place);
            *newest = place.max(*newest);
            last
        });
    let touched: Vec<_> = last.into_iter().collect();
    let query = statement(TOUCH)
        .bind(all(&touched, |((_, user), _)| user.as_str()))
        .bind(all(&touched, |((id, _), _)| id.as_uuid()))
        .bind(all(&touched, |(_, place)| *place))
        .bind(all(&touched, |((id, _), place)| floor(locked, *id, *place)));
    transaction.run(query).await?;
    Ok(())
}
