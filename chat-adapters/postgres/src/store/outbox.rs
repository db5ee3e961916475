use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::store::{ClaimedEntry, OutboxBacklog, OutboxEntry, OutboxStore};
use uuid::Uuid;

use super::PostgresStore;
use crate::error::Error;
use crate::statement::{Cells, all, size, statement};
use crate::transaction::Transaction;

/// The oldest entry of each topic and key is its head; only heads can be claimed, so a long backlog costs a claim
/// nothing. Who adds to a key or takes its head away has the key's lock until he commits: so there is always exactly
/// one head, and numbers rise in the order of commits.
const LOCK: &str = "SELECT pg_advisory_xact_lock(k.id) FROM (SELECT DISTINCT hashtextextended($3 || u.topic || ' ' || \
    u.key, 0) AS id FROM unnest($1::text[], $2::text[]) u(topic, key) ORDER BY id) k";
const ADD: &str = "INSERT INTO chat_outbox (id, topic, key, payload, created_at, due_at, attempts, head) \
    SELECT u.id, u.topic, u.key, u.payload, u.created_at, u.created_at, 0, \
      row_number() OVER (PARTITION BY u.topic, u.key ORDER BY u.place) = 1 \
      AND NOT EXISTS (SELECT 1 FROM chat_outbox o WHERE o.topic = u.topic AND o.key = u.key) \
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int8[]) \
      WITH ORDINALITY u(id, topic, key, payload, created_at, place) ORDER BY u.place";
/// Heads that nobody has.
macro_rules! due {
    () => {
        "SELECT o.id FROM chat_outbox o WHERE o.topic = $1 AND o.head AND o.due_at <= $2 \
         AND (o.leased_until IS NULL OR o.leased_until <= $2) ORDER BY o.due_at, o.no LIMIT $3"
    };
}
pub(super) const DUE: &str = due!();
pub(super) const CLAIM: &str = concat!(
    "UPDATE chat_outbox t SET lease = $4, leased_until = $5 FROM (",
    due!(),
    " FOR UPDATE SKIP LOCKED) d WHERE t.id = d.id \
     RETURNING t.due_at, t.no, t.id, t.topic, t.key, t.payload, t.created_at, t.attempts"
);
const LEASED: &str = "SELECT o.topic, o.key FROM chat_outbox o WHERE o.id = $1 AND o.lease = $2";
const FINISH: &str = "DELETE FROM chat_outbox WHERE id = $1 AND lease = $2";
const PROMOTE: &str = "UPDATE chat_outbox SET head = true WHERE no = \
    (SELECT o.no FROM chat_outbox o WHERE o.topic = $1 AND o.key = $2 ORDER BY o.no LIMIT 1)";
const RETRY: &str = "UPDATE chat_outbox SET attempts = attempts + 1, due_at = $3, lease = NULL, leased_until = NULL \
    WHERE id = $1 AND lease = $2";
const REST: &str = "UPDATE chat_outbox SET payload = $3, attempts = 0, due_at = $4, lease = NULL, leased_until = NULL \
    WHERE id = $1 AND lease = $2";
pub(super) const KEYS: &str = "SELECT k.key FROM unnest($2::text[]) k(key) \
    WHERE EXISTS (SELECT 1 FROM chat_outbox o WHERE o.topic = $1 AND o.key = k.key)";
pub(super) const RELEASE: &str = "UPDATE chat_outbox SET lease = NULL, leased_until = NULL WHERE lease = $1";
pub(super) const BACKLOG: &str = "SELECT count(*), min(o.created_at) FROM chat_outbox o WHERE o.topic = $1";

async fn lock_keys(transaction: &mut Transaction, topics: Vec<&str>, keys: Vec<&str>) -> Result<(), Error> {
    let scope = format!("chat outbox {} ", transaction.schema());
    let query = statement(LOCK).bind(topics).bind(keys).bind(scope);
    transaction.all(query).await?;
    Ok(())
}

/// Adds entries, in the transaction of the changes that caused them.
pub(super) async fn add_entries(transaction: &mut Transaction, entries: &[OutboxEntry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let topics = all(entries, |entry| entry.topic.as_str());
    let keys = all(entries, |entry| entry.key.as_str());
    lock_keys(transaction, topics.clone(), keys.clone()).await?;
    let query = statement(ADD)
        .bind(all(entries, |entry| entry.id))
        .bind(topics)
        .bind(keys)
        .bind(all(entries, |entry| entry.payload.as_str()))
        .bind(all(entries, |entry| entry.created_at.as_millis()));
    transaction.run(query).await?;
    Ok(())
}

#[async_trait]
impl OutboxStore for PostgresStore {
    async fn claim_outbox(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> BackendResult<Vec<ClaimedEntry>> {
        let claimed = self.claim(topic, limit, lease, lasting).await;
        claimed.map_err(|error| error.into_backend("claim_outbox"))
    }

    async fn finish_outbox(&self, id: Uuid, lease: Uuid) -> BackendResult<bool> {
        let finished = self
            .database()
            .write(move |transaction| Box::pin(async move { finish(transaction, id, lease).await }));
        finished
            .await
            .map_err(|error| error.into_backend("finish_outbox"))
    }

    async fn retry_outbox(&self, id: Uuid, lease: Uuid, after: Duration) -> BackendResult<bool> {
        let due = self.clock().now().after(after).as_millis();
        let retried = self.database().write(move |transaction| {
            let query = statement(RETRY).bind(id).bind(lease).bind(due);
            Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
        });
        retried.await.map_err(|error| error.into_backend("retry_outbox"))
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
        let advanced = self.database().write(move |transaction| {
            let (rest, added) = (rest.clone(), added.clone());
            Box::pin(async move {
                let held = match rest {
                    Some(rest) => {
                        let query = statement(REST).bind(id).bind(lease).bind(rest).bind(now);
                        transaction.run(query).await?.rows_affected() > 0
                    }
                    None => finish(transaction, id, lease).await?,
                };
                if held {
                    add_entries(transaction, &added).await?;
                }
                Ok(held)
            })
        });
        advanced
            .await
            .map_err(|error| error.into_backend("advance_outbox"))
    }

    async fn outbox_keys(&self, topic: &str, keys: &[String]) -> BackendResult<Vec<String>> {
        let query = statement(KEYS).bind(topic).bind(all(keys, |key| key.as_str()));
        let found = self.database().list(query, |cells| cells.text());
        found.await.map_err(|error| error.into_backend("outbox_keys"))
    }

    async fn release_outbox(&self, lease: Uuid) -> BackendResult<usize> {
        let released = self.database().write(move |transaction| {
            let query = statement(RELEASE).bind(lease);
            Box::pin(async move {
                let released = transaction.run(query).await?.rows_affected();
                Ok(usize::try_from(released).unwrap_or(usize::MAX))
            })
        });
        released
            .await
            .map_err(|error| error.into_backend("release_outbox"))
    }

    async fn outbox_backlog(&self, topic: &str) -> BackendResult<OutboxBacklog> {
        let counts = |cells: &mut Cells<'_>| {
            Ok(OutboxBacklog {
                entries: cells.uint()?,
                oldest_at: cells.opt_time()?,
            })
        };
        let backlog = self.database().find(statement(BACKLOG).bind(topic), counts);
        backlog
            .await
            .map(Option::unwrap_or_default)
            .map_err(|error| error.into_backend("outbox_backlog"))
    }
}

impl PostgresStore {
    async fn claim(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> Result<Vec<ClaimedEntry>, Error> {
        let now = self.clock().now();
        // Most of the time nothing is due, and then no transaction is begun.
        let due = statement(DUE)
            .bind(topic)
            .bind(now.as_millis())
            .bind(size(limit.min(1)));
        if self
            .database()
            .find(due, |cells| cells.take::<Uuid>())
            .await?
            .is_none()
        {
            return Ok(Vec::new());
        }
        let topic = topic.to_owned();
        let until = now.after(lasting).as_millis();
        let mut claimed = self
            .database()
            .write(move |transaction| {
                let query = statement(CLAIM)
                    .bind(topic.as_str())
                    .bind(now.as_millis())
                    .bind(size(limit))
                    .bind(lease)
                    .bind(until);
                Box::pin(transaction.list(query, |cells| Ok(((cells.int()?, cells.int()?), entry(cells)?))))
            })
            .await?;
        claimed.sort_by_key(|(place, _)| *place);
        Ok(claimed.into_iter().map(|(_, entry)| entry).collect())
    }
}

async fn finish(transaction: &mut Transaction, id: Uuid, lease: Uuid) -> Result<bool, Error> {
    let leased = statement(LEASED).bind(id).bind(lease);
    let place = |cells: &mut Cells<'_>| Ok((cells.text()?, cells.text()?));
    let Some((topic, key)) = transaction.find(leased, place).await? else {
        return Ok(false);
    };
    lock_keys(transaction, vec![topic.as_str()], vec![key.as_str()]).await?;
    let gone = transaction.run(statement(FINISH).bind(id).bind(lease)).await?;
    if gone.rows_affected() == 0 {
        return Ok(false);
    }
    let promote = statement(PROMOTE).bind(topic.as_str()).bind(key.as_str());
    transaction.run(promote).await?;
    Ok(true)
}

pub(super) fn entry(cells: &mut Cells<'_>) -> Result<ClaimedEntry, Error> {
    Ok(ClaimedEntry {
        entry: OutboxEntry {
            id: cells.take()?,
            topic: cells.text()?,
            key: cells.text()?,
            payload: cells.text()?,
            created_at: cells.time()?,
        },
        attempts: cells.small()?,
    })
}
