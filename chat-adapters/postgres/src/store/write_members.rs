//! Writes members with what is derived from them.

use std::sync::LazyLock;

use chat_core::model::Member;
use sqlx::types::Json;

use super::bulk::{self, Column, Placed};
use super::pending::LockedOnes;
use super::sight::covers;
use super::writes::floor;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{all, int, muted, statement, time};
use crate::transaction::Transaction;

const COLUMNS: &[Column<Member>] = &[
    Column::new("conversation_id", "uuid", |q, rows| {
        q.bind(all(rows, |(row, _)| row.conversation_id.as_uuid()))
    }),
    Column::new("user_id", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.user_id.as_str()))
    }),
    Column::new("role", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.role.column()))
    }),
    Column::new("state", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.state.column()))
    }),
    Column::new("joined_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.joined_at.as_millis()))
    }),
    Column::new("intervals", "jsonb", |q, rows| {
        q.bind(all(rows, |(row, _)| Json(&row.intervals)))
    }),
    Column::new("delivered_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.delivered_seq)))
    }),
    Column::new("read_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.read_seq)))
    }),
    Column::new("contacts_read_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.contacts_read_seq)))
    }),
    Column::new("public_read_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.public_read_seq)))
    }),
    Column::new("unread_floor", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.unread_floor)))
    }),
    Column::new("visible_from", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.visible_from)))
    }),
    Column::new("unread_from", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.unread_from.map(int)))
    }),
    Column::new("pinned_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.pinned_at)))
    }),
    Column::new("muted_until", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| muted(row.muted)))
    }),
    Column::new("archived_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.archived_seq.map(int)))
    }),
    Column::new("hidden_seq", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| row.hidden_seq.map(int)))
    }),
    Column::new("notification_level", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| row.notification_level.column()))
    }),
    Column::new("silenced_until", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| muted(row.silenced)))
    }),
    Column::new("last_sent_at", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| time(row.last_sent_at)))
    }),
    Column::new("rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.rev)))
    }),
    Column::new("user_rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.user_rev)))
    }),
    Column::new("reset_user_rev", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.reset_user_rev)))
    }),
    Column::new("covers", "text", |q, rows| {
        q.bind(all(rows, |(row, _)| covers(row)))
    })
    .cast("::int8multirange"),
    Column::new("unread_after", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(row.unread_after())))
    }),
    Column::new("sees_from", "int8", |q, rows| {
        q.bind(all(rows, |(row, _)| int(sees_from(row))))
    }),
];

static PUT: LazyLock<String> = LazyLock::new(|| {
    let rest = bulk::replacing(COLUMNS, &["conversation_id", "user_id"]);
    bulk::insert("chat_members", COLUMNS, &rest)
});

pub(super) async fn put_members(
    transaction: &mut Transaction,
    locked: &LockedOnes,
    rows: &[&Placed<Member>],
) -> Result<(), Error> {
    if !rows.is_empty() {
        let query = bulk::bind(statement(&PUT), COLUMNS, rows, |row, place| {
            floor(locked, row.conversation_id, place)
        });
        transaction.run(query).await?;
    }
    Ok(())
}

/// The lowest seq a member may see by his intervals and what he cleared; where queries start.
fn sees_from(member: &Member) -> u64 {
    let first = member.intervals.iter().map(|interval| interval.from).min();
    first.map_or(member.visible_from, |first| first.max(member.visible_from))
}
