//! Writes a message, its mentions and its entry in the search index.

use chat_core::access::is_previewable;
use chat_core::id::{AttachmentId, UserId};
use chat_core::model::{Content, Message};
use chat_core::store::Facts;
use chat_core::text::fold;

use crate::error::Error;
use crate::names::Named;
use crate::statement::{Statement, blob, id_list, int, json, statement, time, user_list};
use crate::transaction::Transaction;

const INSERT: &str = "INSERT INTO chat_messages (id, conversation_id, seq, rev, commit_no, sender_id, client_id, \
    payload_hash, kind, format, reply_to_id, reply_to_seq, mentions_all, silent, countable, previewable, \
    client_time, created_at, edited_at, version, deleted_at, deleted_by, expires_at, mentions, content, text, \
    folded, kept_at, kept_by, kept_expires_at, pinned_at, pinned_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
    ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, \
    ?32)";
const UPDATE: &str = "UPDATE chat_messages SET rev = ?4, commit_no = ?5, sender_id = ?6, client_id = ?7, \
    payload_hash = ?8, kind = ?9, format = ?10, reply_to_id = ?11, reply_to_seq = ?12, mentions_all = ?13, \
    silent = ?14, countable = ?15, previewable = ?16, client_time = ?17, created_at = ?18, edited_at = ?19, \
    version = ?20, deleted_at = ?21, deleted_by = ?22, expires_at = ?23, mentions = ?24, content = ?25, \
    text = ?26, folded = ?27, kept_at = ?28, kept_by = ?29, kept_expires_at = ?30, pinned_at = ?31, \
    pinned_by = ?32 WHERE id = ?1 AND conversation_id = ?2 AND seq = ?3";

/// What is kept already under a message's id.
struct Kept {
    row_id: i64,
    text: String,
    mentions: Vec<UserId>,
    files: Vec<AttachmentId>,
}

pub(super) async fn put_message(
    transaction: &mut Transaction,
    facts: &Facts,
    message: &Message,
    number: i64,
) -> Result<(), Error> {
    // Above the last seq there is nothing to replace, so a send does not look.
    let last_seq = facts.conversation.as_ref().map_or(0, |old| old.last_seq);
    let kept = if message.seq > last_seq && !facts.messages.contains_key(&message.id) {
        None
    } else {
        find(transaction, message).await?
    };
    match kept {
        None => insert(transaction, message, number).await,
        Some(kept) => replace(transaction, kept, message, number).await,
    }
}

async fn find(transaction: &mut Transaction, message: &Message) -> Result<Option<Kept>, Error> {
    const FIND: &str = "SELECT m.row_id, m.text, m.mentions, m.content FROM chat_messages m WHERE m.id = ?1";
    transaction
        .find(statement(FIND).bind(blob(message.id.as_uuid())), |cells| {
            Ok(Kept {
                row_id: cells.take()?,
                text: cells.text()?,
                mentions: cells.json()?,
                files: cells.json::<Content>()?.attachments,
            })
        })
        .await
}

async fn insert(transaction: &mut Transaction, message: &Message, number: i64) -> Result<(), Error> {
    let folded = fold(&message.text);
    let query = bind(statement(INSERT), message, &folded, number)?;
    let row_id = transaction.run(query).await?.last_insert_rowid();
    transaction.index_text(row_id, false, (!folded.is_empty()).then_some(folded));
    if !message.mentions.is_empty() {
        add_mentions(transaction, message).await?;
    }
    if !message.content.attachments.is_empty() {
        add_files(transaction, message).await?;
    }
    Ok(())
}

async fn replace(
    transaction: &mut Transaction,
    kept: Kept,
    message: &Message,
    number: i64,
) -> Result<(), Error> {
    let folded = fold(&message.text);
    let query = bind(statement(UPDATE), message, &folded, number)?;
    if transaction.run(query).await?.rows_affected() == 0 {
        return Err(Error::Broken("a message changed its place"));
    }
    if kept.text != message.text {
        let entry = (!folded.is_empty()).then_some(folded);
        transaction.index_text(kept.row_id, !kept.text.is_empty(), entry);
    }
    if kept.mentions != message.mentions {
        const CLEAR: &str = "DELETE FROM chat_mentions WHERE conversation_id = ?1 AND seq = ?2 \
            AND user_id IN (SELECT value FROM json_each(?3))";
        let query = statement(CLEAR)
            .bind(blob(message.conversation_id.as_uuid()))
            .bind(int(message.seq))
            .bind(user_list(&kept.mentions)?);
        transaction.run(query).await?;
        if !message.mentions.is_empty() {
            add_mentions(transaction, message).await?;
        }
    }
    if kept.files != message.content.attachments {
        const CLEAR: &str = "DELETE FROM chat_message_files WHERE message_id = ?1";
        let query = statement(CLEAR).bind(blob(message.id.as_uuid()));
        transaction.run(query).await?;
        if !message.content.attachments.is_empty() {
            add_files(transaction, message).await?;
        }
    }
    Ok(())
}

async fn add_files(transaction: &mut Transaction, message: &Message) -> Result<(), Error> {
    const ADD: &str = "INSERT OR IGNORE INTO chat_message_files (attachment_id, conversation_id, message_id) \
        SELECT unhex(value), ?1, ?2 FROM json_each(?3)";
    let files = &message.content.attachments;
    let query = statement(ADD)
        .bind(blob(message.conversation_id.as_uuid()))
        .bind(blob(message.id.as_uuid()))
        .bind(id_list(files.iter().map(|id| id.as_uuid())));
    transaction.run(query).await?;
    Ok(())
}

async fn add_mentions(transaction: &mut Transaction, message: &Message) -> Result<(), Error> {
    const ADD: &str = "INSERT OR IGNORE INTO chat_mentions (user_id, conversation_id, seq, created_at, message_id) \
        SELECT value, ?1, ?2, ?4, ?5 FROM json_each(?3)";
    let query = statement(ADD)
        .bind(blob(message.conversation_id.as_uuid()))
        .bind(int(message.seq))
        .bind(user_list(&message.mentions)?)
        .bind(message.created_at.as_millis())
        .bind(blob(message.id.as_uuid()));
    transaction.run(query).await?;
    Ok(())
}

fn bind(query: Statement, message: &Message, folded: &str, number: i64) -> Result<Statement, Error> {
    let mentions = (!message.mentions.is_empty())
        .then(|| user_list(&message.mentions))
        .transpose()?;
    let content = (message.content != Content::default())
        .then(|| json(&message.content))
        .transpose()?;
    Ok(query
        .bind(blob(message.id.as_uuid()))
        .bind(blob(message.conversation_id.as_uuid()))
        .bind(int(message.seq))
        .bind(int(message.rev))
        .bind(number)
        .bind(message.sender_id.as_str())
        .bind(message.client_id.as_ref().map(|id| id.as_str()))
        .bind(message.payload_hash.as_deref())
        .bind(message.kind.column())
        .bind(message.format.column())
        .bind(message.reply_to.map(|target| blob(target.message_id.as_uuid())))
        .bind(message.reply_to.map(|target| int(target.seq)))
        .bind(i64::from(message.mentions_all))
        .bind(i64::from(message.silent))
        .bind(i64::from(message.countable))
        .bind(i64::from(is_previewable(message)))
        .bind(time(message.client_time))
        .bind(message.created_at.as_millis())
        .bind(time(message.edited_at))
        .bind(i64::from(message.version))
        .bind(time(message.deleted.map(|deletion| deletion.at)))
        .bind(message.deleted.map(|deletion| deletion.by.column()))
        .bind(time(message.expires_at))
        .bind(mentions)
        .bind(content)
        .bind(message.text.as_str())
        .bind((folded != message.text).then_some(folded))
        .bind(time(message.kept.as_ref().map(|kept| kept.at)))
        .bind(message.kept.as_ref().map(|kept| kept.by.as_str()))
        .bind(time(message.kept.as_ref().map(|kept| kept.expires_at)))
        .bind(time(message.pinned.as_ref().map(|pin| pin.at)))
        .bind(message.pinned.as_ref().map(|pin| pin.by.as_str())))
}
