use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::MemoryStore;
use crate::error::BackendResult;
use crate::store::{ClaimedEntry, OutboxBacklog, OutboxEntry, OutboxStore};
use crate::time::Timestamp;

/// Everything on its way out, in the order it was added.
#[derive(Default)]
pub(super) struct Outbox {
    added: u64,
    rows: BTreeMap<u64, Row>,
}

struct Row {
    entry: OutboxEntry,
    attempts: u32,
    due_at: Timestamp,
    lease: Option<(Uuid, Timestamp)>,
}

impl Outbox {
    pub(super) fn add(&mut self, entry: OutboxEntry) {
        self.added += 1;
        let row = Row {
            due_at: entry.created_at,
            entry,
            attempts: 0,
            lease: None,
        };
        self.rows.insert(self.added, row);
    }

    /// Adds an entry as it was in another store.
    pub(super) fn restore(&mut self, entry: OutboxEntry, attempts: u32) {
        self.add(entry);
        if let Some(mut added) = self.rows.last_entry() {
            added.get_mut().attempts = attempts;
        }
    }

    /// All entries in the order they were added, and how often their delivery has failed.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&OutboxEntry, u32)> {
        self.rows.values().map(|row| (&row.entry, row.attempts))
    }

    /// Numbers of entries that can be claimed, those due for longest first.
    fn claimable(&self, topic: &str, now: Timestamp) -> Vec<u64> {
        let mut keys = HashSet::new();
        let mut free: Vec<(Timestamp, u64)> = (self.rows.iter())
            .filter(|(_, row)| row.entry.topic == topic)
            // The first of each key is its oldest.
            .filter(|(_, row)| keys.insert(row.entry.key.as_str()))
            .filter(|(_, row)| row.due_at <= now && row.lease.is_none_or(|(_, until)| until <= now))
            .map(|(number, row)| (row.due_at, *number))
            .collect();
        free.sort_unstable();
        free.into_iter().map(|(_, number)| number).collect()
    }

    fn leased(&self, id: Uuid, lease: Uuid) -> Option<u64> {
        (self.rows.iter())
            .find(|(_, row)| row.entry.id == id && row.lease.is_some_and(|(held, _)| held == lease))
            .map(|(number, _)| *number)
    }
}

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn claim_outbox(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> BackendResult<Vec<ClaimedEntry>> {
        let now = self.clock.now();
        let mut state = self.state();
        let outbox = &mut state.outbox;
        let mut claimed = Vec::new();
        for number in outbox.claimable(topic, now).into_iter().take(limit) {
            if let Some(row) = outbox.rows.get_mut(&number) {
                row.lease = Some((lease, now.after(lasting)));
                claimed.push(ClaimedEntry {
                    entry: row.entry.clone(),
                    attempts: row.attempts,
                });
            }
        }
        Ok(claimed)
    }

    async fn finish_outbox(&self, id: Uuid, lease: Uuid) -> BackendResult<bool> {
        let outbox = &mut self.state().outbox;
        let held = outbox.leased(id, lease);
        Ok(held.is_some_and(|number| outbox.rows.remove(&number).is_some()))
    }

    async fn retry_outbox(&self, id: Uuid, lease: Uuid, after: Duration) -> BackendResult<bool> {
        let now = self.clock.now();
        let outbox = &mut self.state().outbox;
        let Some(row) = (outbox.leased(id, lease)).and_then(|number| outbox.rows.get_mut(&number)) else {
            return Ok(false);
        };
        row.attempts = row.attempts.saturating_add(1);
        row.due_at = now.after(after);
        row.lease = None;
        Ok(true)
    }

    async fn advance_outbox(
        &self,
        id: Uuid,
        lease: Uuid,
        rest: Option<&str>,
        added: &[OutboxEntry],
    ) -> BackendResult<bool> {
        let now = self.clock.now();
        let outbox = &mut self.state().outbox;
        let Some(number) = outbox.leased(id, lease) else {
            return Ok(false);
        };
        match rest {
            Some(rest) => {
                if let Some(row) = outbox.rows.get_mut(&number) {
                    rest.clone_into(&mut row.entry.payload);
                    row.attempts = 0;
                    row.due_at = now;
                    row.lease = None;
                }
            }
            None => {
                outbox.rows.remove(&number);
            }
        }
        for entry in added {
            outbox.add(entry.clone());
        }
        Ok(true)
    }

    async fn outbox_keys(&self, topic: &str, keys: &[String]) -> BackendResult<Vec<String>> {
        let state = self.state();
        let there: HashSet<&str> = (state.outbox.rows.values())
            .filter(|row| row.entry.topic == topic)
            .map(|row| row.entry.key.as_str())
            .collect();
        let with = keys.iter().filter(|key| there.contains(key.as_str()));
        Ok(with.cloned().collect())
    }

    async fn release_outbox(&self, lease: Uuid) -> BackendResult<usize> {
        let mut released = 0;
        for row in self.state().outbox.rows.values_mut() {
            if row.lease.is_some_and(|(held, _)| held == lease) {
                row.lease = None;
                released += 1;
            }
        }
        Ok(released)
    }

    async fn outbox_backlog(&self, topic: &str) -> BackendResult<OutboxBacklog> {
        let state = self.state();
        let waiting = state.outbox.rows.values().filter(|row| row.entry.topic == topic);
        Ok(
            waiting.fold(OutboxBacklog::default(), |backlog, row| OutboxBacklog {
                entries: backlog.entries + 1,
                oldest_at: Some(
                    (backlog.oldest_at)
                        .map_or(row.entry.created_at, |oldest| oldest.min(row.entry.created_at)),
                ),
            }),
        )
    }
}
