//! Writes messages and their mentions.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chat_core::access::is_previewable;
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{Content, Message, Seq};
use chat_core::text::fold;
use sqlx::types::Json;

use super::bulk::{self, Column, Placed};
use super::pending::LockedOnes;
use super::writes::floor;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{all, int, statement, time};
use crate::transaction::Transaction;

const COLUMNS: &[Column<Message>] = &[
    Column::new("conversation_id", "uuid", |q, rows| {
        q.bind(all(rows, |(row, _)| row.conversation_id.as_uuid()))
    }),
    Column::new("seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.seq)))
    }),
    Column::new("id", "uuid", |q, rows| {
        q.bind(all(rows, |(row, _)| row.id.as_uuid()))
    }),
    Column::new("rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.rev)))
    }),
    Column::new("sender_id", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.sender_id.as_str()))
    }),
    Column::new("client_id", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.client_id.as_ref().map(|id| id.as_str())))
    }),
    Column::new("payload_hash", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.payload_hash.as_deref()))
    }),
    Column::new("kind", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.kind.column()))
    }),
    Column::new("format", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.format.column()))
    }),
    Column::new("reply_to_id", "uuid", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.reply_to.map(|target| target.message_id.as_uuid())
        }))
    }),
    Column::new("reply_to_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.reply_to.map(|target| int(target.seq))))
    }),
    Column::new("mentions_all", "bool", |q, rows| {
        q.bind(all(rows, |(row, _)| row.mentions_all))
    }),
    Column::new("silent", "bool", |q, rows| {
        q.bind(all(rows, |(row, _)| row.silent))
    }),
    Column::new("countable", "bool", |q, rows| {
        q.bind(all(rows, |(row, _)| row.countable))
    }),
    Column::new("previewable", "bool", |q, rows| {
        q.bind(all(rows, |(row, _)| is_previewable(row)))
    }),
    Column::new("client_time", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.client_time)))
    }),
    Column::new("created_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.created_at.as_millis()))
    }),
    Column::new("edited_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.edited_at)))
    }),
    Column::new("version", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| i64::from(row.version)))
    }),
    Column::new("deleted_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            time(row.deleted.map(|deletion| deletion.at))
        }))
    }),
    Column::new("deleted_by", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.deleted.map(|deletion| deletion.by.column())
        }))
    }),
    Column::new("expires_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.expires_at)))
    }),
    Column::new("kept_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.kept.as_ref().map(|kept| kept.at))))
    }),
    Column::new("kept_by", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.kept.as_ref().map(|kept| kept.by.as_str())
        }))
    }),
    Column::new("kept_expires_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            time(row.kept.as_ref().map(|kept| kept.expires_at))
        }))
    }),
    Column::new("pinned_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.pinned.as_ref().map(|pin| pin.at))))
    }),
    Column::new("pinned_by", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.pinned.as_ref().map(|pin| pin.by.as_str())
        }))
    }),
    Column::new("mentions", "jsonb", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            (!row.mentions.is_empty()).then_some(Json(&row.mentions))
        }))
    }),
    Column::new("content", "jsonb", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            (row.content != Content::default()).then_some(Json(&row.content))
        }))
    }),
    Column::new("text", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.text.as_str()))
    }),
    Column::new("folded", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            Some(fold(&row.text)).filter(|folded| *folded != row.text)
        }))
    }),
];

/// A row replaces the one in its place, when it is the same message. Everything else that is in the way is refused by
/// an index, or shows in the number of rows.
static PUT: LazyLock<String> = LazyLock::new(|| {
    let rest = bulk::replacing(COLUMNS, &["conversation_id", "seq"]);
    let rest = format!("{rest} WHERE old.id = excluded.id");
    bulk::insert("chat_messages AS old", COLUMNS, &rest)
});

pub(super) async fn put_messages(
    transaction: &mut Transaction,
    locked: &LockedOnes,
    rows: &[&Placed<Message>],
    mentions_reset: &BTreeSet<(ConversationId, Seq)>,
    files_reset: &BTreeSet<MessageId>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = bulk::bind(statement(&PUT), COLUMNS, rows, |row, place| {
        floor(locked, row.conversation_id, place)
    });
    let written = transaction.run(query).await?.rows_affected();
    if written != rows.len() as u64 {
        return Err(Error::Broken("another message has this seq"));
    }
    put_mentions(transaction, rows, mentions_reset).await?;
    put_files(transaction, rows, files_reset).await
}

async fn put_mentions(
    transaction: &mut Transaction,
    rows: &[&Placed<Message>],
    reset: &BTreeSet<(ConversationId, Seq)>,
) -> Result<(), Error> {
    if !reset.is_empty() {
        const CLEAR: &str = "DELETE FROM chat_mentions n \
            USING unnest($1::uuid[], $2::int8[]) u(conversation_id, seq) \
            WHERE n.conversation_id = u.conversation_id AND n.seq = u.seq";
        let reset: Vec<_> = reset.iter().collect();
        let query = statement(CLEAR)
            .bind(all(&reset, |(id, _)| id.as_uuid()))
            .bind(all(&reset, |(_, seq)| int(*seq)));
        transaction.run(query).await?;
    }
    let mentions: Vec<_> = rows
        .iter()
        .flat_map(|(row, _)| row.mentions.iter().map(move |user| (row, user)))
        .collect();
    if !mentions.is_empty() {
        const ADD: &str = "INSERT INTO chat_mentions (conversation_id, seq, user_id, created_at, message_id) \
            SELECT * FROM unnest($1::uuid[], $2::int8[], $3::text[], $4::int8[], $5::uuid[]) ON CONFLICT DO NOTHING";
        let query = statement(ADD)
            .bind(all(&mentions, |(row, _)| row.conversation_id.as_uuid()))
            .bind(all(&mentions, |(row, _)| int(row.seq)))
            .bind(all(&mentions, |(_, user)| user.as_str()))
            .bind(all(&mentions, |(row, _)| row.created_at.as_millis()))
            .bind(all(&mentions, |(row, _)| row.id.as_uuid()));
        transaction.run(query).await?;
    }
    Ok(())
}

async fn put_files(
    transaction: &mut Transaction,
    rows: &[&Placed<Message>],
    reset: &BTreeSet<MessageId>,
) -> Result<(), Error> {
    if !reset.is_empty() {
        const CLEAR: &str = "DELETE FROM chat_message_files WHERE message_id = ANY($1)";
        let reset: Vec<_> = reset.iter().collect();
        let query = statement(CLEAR).bind(all(&reset, |id| id.as_uuid()));
        transaction.run(query).await?;
    }
    let shown: Vec<_> = rows
        .iter()
        .flat_map(|(row, _)| row.content.attachments.iter().map(move |file| (row, file)))
        .collect();
    if !shown.is_empty() {
        const ADD: &str = "INSERT INTO chat_message_files (attachment_id, conversation_id, message_id) \
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) ON CONFLICT DO NOTHING";
        let query = statement(ADD)
            .bind(all(&shown, |(_, file)| file.as_uuid()))
            .bind(all(&shown, |(row, _)| row.conversation_id.as_uuid()))
            .bind(all(&shown, |(row, _)| row.id.as_uuid()));
        transaction.run(query).await?;
    }
    Ok(())
}
