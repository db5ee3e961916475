use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::store::{ClaimedEntry, OutboxBacklog, OutboxEntry, OutboxStore};
use uuid::Uuid;

use super::SqliteStore;
use crate::error::Error;
use crate::statement::{Cells, blob, json, size, statement};
use crate::transaction::Transaction;

/// The oldest entry of each topic and key is its head; only heads can be claimed, so a long backlog costs a claim
/// nothing. The writer is the only one that adds and removes, so there is always exactly one.
const ADD: &str = "INSERT INTO chat_outbox (id, topic, key, payload, created_at, due_at, attempts, head) \
    SELECT ?1, ?2, ?3, ?4, ?5, ?5, 0, \
    NOT EXISTS (SELECT 1 FROM chat_outbox o WHERE o.topic = ?2 AND o.key = ?3)";
pub(super) const DUE: &str = "SELECT o.id FROM chat_outbox o WHERE o.topic = ?1 AND o.head = 1 AND o.due_at <= ?2 \
    AND (o.leased_until IS NULL OR o.leased_until <= ?2) ORDER BY o.due_at, o.no LIMIT ?3";
const CLAIM: &str = "UPDATE chat_outbox SET lease = ?2, leased_until = ?3 WHERE id = ?1 AND head = 1 AND due_at <= ?4 \
    AND (leased_until IS NULL OR leased_until <= ?4) RETURNING id, topic, key, payload, created_at, attempts";
const FINISH: &str = "DELETE FROM chat_outbox WHERE id = ?1 AND lease = ?2 RETURNING topic, key";
const PROMOTE: &str = "UPDATE chat_outbox SET head = 1 WHERE no = \
    (SELECT o.no FROM chat_outbox o WHERE o.topic = ?1 AND o.key = ?2 ORDER BY o.no LIMIT 1)";
const RETRY: &str = "UPDATE chat_outbox SET attempts = attempts + 1, due_at = ?3, lease = NULL, leased_until = NULL \
    WHERE id = ?1 AND lease = ?2";
const REST: &str = "UPDATE chat_outbox SET payload = ?3, attempts = 0, due_at = ?4, lease = NULL, leased_until = NULL \
    WHERE id = ?1 AND lease = ?2";
pub(super) const KEYS: &str = "SELECT k.value FROM json_each(?2) k \
    WHERE EXISTS (SELECT 1 FROM chat_outbox o WHERE o.topic = ?1 AND o.key = k.value)";
pub(super) const RELEASE: &str = "UPDATE chat_outbox SET lease = NULL, leased_until = NULL WHERE lease = ?1";
pub(super) const BACKLOG: &str = "SELECT count(*), min(o.created_at) FROM chat_outbox o WHERE o.topic = ?1";

/// Adds entries, in the transaction of the change that caused them.
pub(super) async fn add_entries(transaction: &mut Transaction, entries: &[OutboxEntry]) -> Result<(), Error> {
    for entry in entries {
        let query = statement(ADD)
            .bind(blob(entry.id))
            .bind(entry.topic.as_str())
            .bind(entry.key.as_str())
            .bind(entry.payload.as_str())
            .bind(entry.created_at.as_millis());
        transaction.run(query).await?;
    }
    Ok(())
}

#[async_trait]
impl OutboxStore for SqliteStore {
    async fn claim_outbox(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> BackendResult<Vec<ClaimedEntry>> {
        const OPERATION: &str = "claim_outbox";
        let now = self.clock().now();
        // Most of the time nothing is due, and then the writer is left alone.
        let due = async {
            let query = statement(DUE)
                .bind(topic.to_owned())
                .bind(now.as_millis())
                .bind(size(limit));
            self.read().await?.list(query, |cells| cells.uuid()).await
        };
        let due: Vec<Uuid> = due.await.map_err(|error: Error| error.into_backend(OPERATION))?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let until = now.after(lasting).as_millis();
        self.writer()
            .write_step(OPERATION, move |transaction| {
                Box::pin(async move {
                    let mut claimed = Vec::with_capacity(due.len());
                    for id in due {
                        let query = statement(CLAIM)
                            .bind(blob(id))
                            .bind(blob(lease))
                            .bind(until)
                            .bind(now.as_millis());
                        claimed.extend(transaction.find(query, entry).await?);
                    }
                    Ok(claimed)
                })
            })
            .await
    }

    async fn finish_outbox(&self, id: Uuid, lease: Uuid) -> BackendResult<bool> {
        self.writer()
            .write_step("finish_outbox", move |transaction| {
                Box::pin(async move { finish(transaction, id, lease).await })
            })
            .await
    }

    async fn retry_outbox(&self, id: Uuid, lease: Uuid, after: Duration) -> BackendResult<bool> {
        let due = self.clock().now().after(after);
        let query = statement(RETRY)
            .bind(blob(id))
            .bind(blob(lease))
            .bind(due.as_millis());
        self.writer()
            .write_step("retry_outbox", move |transaction| {
                Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
            })
            .await
    }

    async fn advance_outbox(
        &self,
        id: Uuid,
        lease: Uuid,
        rest: Option<&str>,
        added: &[OutboxEntry],
    ) -> BackendResult<bool> {
        let now = self.clock().now().as_millis();
        let (rest, added) = (rest.map(str::to_owned), added.to_vec());
        self.writer()
            .write_step("advance_outbox", move |transaction| {
                Box::pin(async move {
                    let held = match rest {
                        Some(rest) => {
                            let query = statement(REST)
                                .bind(blob(id))
                                .bind(blob(lease))
                                .bind(rest)
                                .bind(now);
                            transaction.run(query).await?.rows_affected() > 0
                        }
                        None => finish(transaction, id, lease).await?,
                    };
                    if held {
                        add_entries(transaction, &added).await?;
                    }
                    Ok(held)
                })
            })
            .await
    }

    async fn outbox_keys(&self, topic: &str, keys: &[String]) -> BackendResult<Vec<String>> {
        let found = async {
            let query = statement(KEYS).bind(topic.to_owned()).bind(json(&keys)?);
            self.read().await?.list(query, |cells| cells.text()).await
        };
        found
            .await
            .map_err(|error: Error| error.into_backend("outbox_keys"))
    }

    async fn release_outbox(&self, lease: Uuid) -> BackendResult<usize> {
        let query = statement(RELEASE).bind(blob(lease));
        self.writer()
            .write_step("release_outbox", move |transaction| {
                Box::pin(async move {
                    let released = transaction.run(query).await?.rows_affected();
                    Ok(usize::try_from(released).unwrap_or(usize::MAX))
                })
            })
            .await
    }

    async fn outbox_backlog(&self, topic: &str) -> BackendResult<OutboxBacklog> {
        let backlog = async {
            let query = statement(BACKLOG).bind(topic.to_owned());
            let counts = |cells: &mut Cells<'_>| {
                Ok(OutboxBacklog {
                    entries: cells.uint()?,
                    oldest_at: cells.opt_time()?,
                })
            };
            self.read().await?.find(query, counts).await
        };
        let backlog: Result<Option<OutboxBacklog>, Error> = backlog.await;
        backlog
            .map(Option::unwrap_or_default)
            .map_err(|error| error.into_backend("outbox_backlog"))
    }
}

async fn finish(transaction: &mut Transaction, id: Uuid, lease: Uuid) -> Result<bool, Error> {
    let query = statement(FINISH).bind(blob(id)).bind(blob(lease));
    let place = |cells: &mut Cells<'_>| Ok((cells.text()?, cells.text()?));
    let Some((topic, key)) = transaction.find(query, place).await? else {
        return Ok(false);
    };
    transaction.run(statement(PROMOTE).bind(topic).bind(key)).await?;
    Ok(true)
}

pub(super) fn entry(cells: &mut Cells<'_>) -> Result<ClaimedEntry, Error> {
    Ok(ClaimedEntry {
        entry: OutboxEntry {
            id: cells.uuid()?,
            topic: cells.text()?,
            key: cells.text()?,
            payload: cells.text()?,
            created_at: cells.time()?,
        },
        attempts: cells.small()?,
    })
}
