//! Writes conversations.

use std::sync::LazyLock;

use chat_core::model::{Conversation, Retention};
use chat_core::text::fold;
use sqlx::types::Json;

use super::bulk::{self, Column, Placed};
use super::pending::LockedOnes;
use super::writes::floor;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{all, int, statement, time};
use crate::transaction::Transaction;

const COLUMNS: &[Column<Conversation>] = &[
    Column::new("id", "uuid", |q, rows| {
        q.bind(all(rows, |(row, _)| row.id.as_uuid()))
    }),
    Column::new("kind", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.kind.column()))
    }),
    Column::new("pair_low", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.pair.as_ref().map(|pair| pair.low().as_str())
        }))
    }),
    Column::new("pair_high", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.pair.as_ref().map(|pair| pair.high().as_str())
        }))
    }),
    Column::new("name", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.name.as_deref()))
    }),
    Column::new("folded_name", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.name.as_deref().map(fold)))
    }),
    Column::new("description", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.description.as_deref()))
    }),
    Column::new("avatar", "uuid", |q, rows| {
        q.bind(all(rows, |(row, _)| row.avatar.map(|id| id.as_uuid())))
    }),
    Column::new("created_by", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.created_by.as_str()))
    }),
    Column::new("created_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.created_at.as_millis()))
    }),
    Column::new("last_activity_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.last_activity_at.as_millis()))
    }),
    Column::new("changed_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.changed_at.as_millis()))
    }),
    Column::new("rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.rev)))
    }),
    Column::new("last_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.last_seq)))
    }),
    Column::new("last_countable_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.last_countable.seq)))
    }),
    Column::new("last_countable_sender", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.last_countable.sender.as_ref().map(|user| user.as_str())
        }))
    }),
    Column::new("last_countable_other_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.last_countable.other_seq)))
    }),
    Column::new("last_countable_other_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.last_countable.other_at.as_millis()))
    }),
    Column::new("members_rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.members_rev)))
    }),
    Column::new("member_count", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| i64::from(row.member_count)))
    }),
    Column::new("permissions", "jsonb", |q, rows| {
        q.bind(all(rows, |(row, _)| Json(&row.permissions)))
    }),
    Column::new("frozen", "bool", |q, rows| {
        q.bind(all(rows, |(row, _)| row.frozen))
    }),
    Column::new("message_ttl_ms", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.message_ttl_ms.map(int)))
    }),
    Column::new("slow_mode_ms", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.slow_mode
                .map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
        }))
    }),
    Column::new("sends_until", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.sends_until.as_millis()))
    }),
    Column::new("custom", "jsonb", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            (!row.custom.is_empty()).then_some(Json(&row.custom))
        }))
    }),
    Column::new("dissolved_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.dissolved_at)))
    }),
    Column::new("first_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.horizon.first_seq)))
    }),
    Column::new("min_rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.horizon.min_rev)))
    }),
    Column::new("oldest_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.horizon.oldest_at)))
    }),
    Column::new("retention", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| {
            row.horizon.retention.map(|retention| match retention {
                Retention::Forever => -1,
                Retention::For(time) => i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
            })
        }))
    }),
];

/// In the order of what two transactions may want at once.
static NEW: LazyLock<String> = LazyLock::new(|| {
    let rest = "ORDER BY u.pair_low NULLS FIRST, u.pair_high, u.id ON CONFLICT DO NOTHING";
    bulk::insert("chat_conversations", COLUMNS, rest)
});
static KNOWN: LazyLock<String> = LazyLock::new(|| bulk::update("chat_conversations", COLUMNS, "id"));

/// Of two who make a conversation at once one inserts it. The other waits for his commit, finds that it is there and
/// decides again.
pub(super) async fn put_new_conversations(
    transaction: &mut Transaction,
    locked: &LockedOnes,
    rows: &[&Placed<Conversation>],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = bulk::bind(statement(&NEW), COLUMNS, rows, |row, place| {
        floor(locked, row.id, place)
    });
    let made = transaction.run(query).await?.rows_affected();
    if made == rows.len() as u64 {
        Ok(())
    } else {
        Err(Error::Raced)
    }
}

pub(super) async fn put_known_conversations(
    transaction: &mut Transaction,
    locked: &LockedOnes,
    rows: &[&Placed<Conversation>],
) -> Result<(), Error> {
    if !rows.is_empty() {
        let query = bulk::bind(statement(&KNOWN), COLUMNS, rows, |row, place| {
            floor(locked, row.id, place)
        });
        transaction.run(query).await?;
    }
    Ok(())
}
