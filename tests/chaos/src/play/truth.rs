//! What is in the store at the end, read from it row by row and not through the server.

use std::path::Path;
use std::sync::Arc;

use chat_adapters::{mongodb, postgres, sqlite};
use chat_core::archive::{ArchiveKind, ArchiveRow, ArchiveStore};
use chat_core::model::{ConversationKind, MessageKind};
use chat_core::time::SystemClock;
use serde_json::{Value, json};

use super::conductor::StoreKind;
use super::recorder::{Recorder, Source};
use crate::Failure;
use crate::history::{Kind, token_in};

const PAGE: usize = 500;

/// Writes down every row that checks look at.
pub(crate) async fn dump(recorder: &Recorder, store: &StoreKind, folder: &Path) -> Result<(), Failure> {
    let store = open(store, folder).await?;
    let source = Source::conductor();
    for kind in [
        ArchiveKind::Conversations,
        ArchiveKind::Members,
        ArchiveKind::Messages,
        ArchiveKind::Reactions,
        ArchiveKind::Hides,
        ArchiveKind::Stars,
        ArchiveKind::Blocks,
    ] {
        let mut last: Option<ArchiveRow> = None;
        loop {
            let rows = store.archive_rows(kind, last.as_ref(), PAGE).await?;
            for row in &rows {
                if let Some((op, v)) = told(row) {
                    recorder.write(&source, Kind::Truth, op, None, Value::Null, v);
                }
            }
            match rows.into_iter().next_back() {
                Some(row) => last = Some(row),
                None => break,
            }
        }
    }
    Ok(())
}

async fn open(store: &StoreKind, folder: &Path) -> Result<Arc<dyn ArchiveStore>, Failure> {
    let clock = Arc::new(SystemClock);
    Ok(match store {
        StoreKind::Sqlite => {
            let file = folder.join("data").join("chat.db");
            Arc::new(sqlite::SqliteStore::from_path(file, clock).await?)
        }
        StoreKind::Postgres { url, schema, .. } => {
            let config = postgres::PostgresConfig::default().with_schema(postgres::SchemaName::new(schema)?);
            Arc::new(postgres::PostgresStore::connect(url, config, clock).await?)
        }
        StoreKind::Mongodb { url, prefix } => {
            let config = mongodb::MongoConfig::default().with_prefix(prefix);
            Arc::new(mongodb::MongoStore::connect(url, config, clock).await?)
        }
    })
}

fn told(row: &ArchiveRow) -> Option<(&'static str, Value)> {
    Some(match row {
        ArchiveRow::Conversation(row) => (
            "conversation",
            json!({ "c": row.id, "group": row.kind == ConversationKind::Group, "last_seq": row.last_seq,
                    "rev": row.rev, "members": row.member_count,
                    "pair": row.pair.as_ref().map(|pair| [pair.low(), pair.high()]) }),
        ),
        ArchiveRow::Member(row) => (
            "member",
            json!({ "c": row.conversation_id, "u": row.user_id, "role": row.role, "active": row.is_active(),
                    "intervals": row.intervals.iter().map(|one| (one.from, one.to)).collect::<Vec<_>>(),
                    "read": row.read_seq, "delivered": row.delivered_seq, "floor": row.unread_floor,
                    "from": row.visible_from, "unread_from": row.unread_from, "pinned": row.pinned_at.is_some(),
                    "muted": row.muted.is_some(), "archived": row.archived_seq, "hidden": row.hidden_seq }),
        ),
        ArchiveRow::Message(row) => (
            "message",
            json!({ "c": row.conversation_id, "s": row.seq, "r": row.rev, "id": row.id, "by": row.sender_id,
                    "key": row.client_id, "body": token_in(&row.text), "ver": row.version,
                    "del": row.is_deleted(), "sys": row.kind == MessageKind::System, "silent": row.silent,
                    "begin": row.content.system.as_ref().is_some_and(|line| line.code == "conversation_created"),
                    "mentions": row.mentions, "pin": row.pinned.is_some() }),
        ),
        ArchiveRow::Reaction(row) => (
            "reaction",
            json!({ "m": row.message_id, "u": row.user_id, "e": row.emoji }),
        ),
        ArchiveRow::Hide(row) => ("hide", json!({ "m": row.message_id, "u": row.user_id })),
        ArchiveRow::Star(row) => (
            "star",
            json!({ "m": row.star.message_id, "u": row.star.user_id, "on": row.starred }),
        ),
        ArchiveRow::Block(row) => (
            "block",
            json!({ "by": row.block.blocker, "of": row.block.blocked, "on": row.stands }),
        ),
        _ => return None,
    })
}
