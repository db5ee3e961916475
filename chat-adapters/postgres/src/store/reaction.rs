//! Reactions, summed up for one viewer.

use std::collections::HashMap;

use chat_core::id::{MessageId, UserId};
use chat_core::store::ReactionSummary;

use super::PostgresStore;
use crate::error::Error;
use crate::statement::{all, size, statement, users};

/// Counted in the database: of a thousand reactions with one emoji a few rows come back.
pub(super) const SUMMARIES: &str = "SELECT o.message_id, o.emoji, o.total, o.mine, o.user_id FROM (\
      SELECT r.message_id, r.emoji, r.user_id, count(*) OVER every AS total, \
        bool_or(r.user_id = $2) OVER every AS mine, \
        row_number() OVER (PARTITION BY r.message_id, r.emoji ORDER BY r.at, r.position) AS place, \
        r.at, r.position \
      FROM chat_reactions r WHERE r.message_id = ANY($1) AND r.user_id <> ALL($3) \
      WINDOW every AS (PARTITION BY r.message_id, r.emoji)) o \
    WHERE o.place <= $4 ORDER BY o.message_id, o.at, o.position";

impl PostgresStore {
    pub(super) async fn summaries(
        &self,
        messages: &[MessageId],
        viewer: &UserId,
        without: &[UserId],
    ) -> Result<HashMap<MessageId, Vec<ReactionSummary>>, Error> {
        let query = statement(SUMMARIES)
            .bind(all(messages, |id| id.as_uuid()))
            .bind(viewer.as_str())
            .bind(users(without))
            .bind(size(ReactionSummary::USERS));
        let rows = self.database().list(query, |cells| {
            Ok((
                cells.message()?,
                ReactionSummary {
                    emoji: cells.text()?,
                    count: cells.uint()?,
                    mine: cells.flag()?,
                    users: vec![cells.user()?],
                },
            ))
        });
        let mut summaries: HashMap<MessageId, Vec<ReactionSummary>> = HashMap::new();
        for (message, row) in rows.await? {
            let list = summaries.entry(message).or_default();
            match list.iter_mut().find(|summary| summary.emoji == row.emoji) {
                Some(summary) => summary.users.extend(row.users),
                None => list.push(row),
            }
        }
        Ok(summaries)
    }
}
