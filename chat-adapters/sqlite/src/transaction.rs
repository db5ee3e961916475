//! The transaction the writer works in, and the steps inside it.

use std::ops::{Deref, DerefMut};

use chat_core::error::BackendError;
use sqlx::SqliteConnection;

use crate::error::{BACKEND, Error};
use crate::statement::{Counters, Session, int, json, statement};

/// The writer's connection with what is known of its transaction.
pub(crate) struct Transaction {
    session: Session<Owned>,
    /// Numbers of changes handed out by the counter and not used yet.
    numbers: std::ops::Range<u64>,
    /// How many changes this transaction may number.
    changes: u64,
    /// Whether it serves one change only: then taking back the step is taking back everything.
    alone: bool,
    /// Whether the savepoint of a step is open.
    saved: bool,
    /// Whether the only step failed, so that nothing is to be committed.
    undone: bool,
    /// Changes to the search index, written in one statement before the COMMIT.
    texts: Vec<TextChange>,
    /// How many of them were there before the present step.
    texts_before: usize,
}

/// A connection that is not borrowed from a pool.
pub(crate) struct Owned(SqliteConnection);

impl Deref for Owned {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for Owned {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// What becomes of one message's entry in the search index.
struct TextChange {
    row_id: i64,
    /// Whether there is an entry that goes.
    replaces: bool,
    /// The new entry.
    folded: Option<String>,
}

impl Deref for Transaction {
    type Target = Session<Owned>;
    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.session
    }
}

impl Transaction {
    pub(crate) fn new(session: Session<SqliteConnection>) -> Self {
        Self {
            session: session.map(Owned),
            numbers: 0..0,
            changes: 0,
            alone: false,
            saved: false,
            undone: false,
            texts: Vec::new(),
            texts_before: 0,
        }
    }

    pub(crate) fn into_connection(self) -> SqliteConnection {
        self.session.connection.0
    }

    pub(crate) fn counters(&self) -> &Counters {
        self.session.counters()
    }

    /// Takes the write lock.
    pub(crate) async fn begin(&mut self, changes: u64, alone: bool) -> Result<(), Error> {
        self.numbers = 0..0;
        self.changes = changes.max(1);
        self.alone = alone;
        self.saved = false;
        self.undone = false;
        self.texts.clear();
        self.texts_before = 0;
        self.run(statement("BEGIN IMMEDIATE")).await?;
        Ok(())
    }

    /// The number of the next change. The first call takes numbers for the whole transaction from the counter; a
    /// refused change leaves a gap, which nobody minds.
    pub(crate) async fn next_number(&mut self) -> Result<i64, Error> {
        if self.numbers.is_empty() {
            const TAKE: &str = "UPDATE chat_state SET commit_no = commit_no + ?1 RETURNING commit_no";
            let changes = self.changes;
            let newest = self
                .find(statement(TAKE).bind(int(changes)), |cells| cells.uint())
                .await?
                .ok_or(Error::Decode("the counter of changes is missing"))?;
            self.numbers = newest.saturating_sub(changes) + 1..newest + 1;
        }
        self.numbers
            .next()
            .map(int)
            .ok_or(Error::Broken("more changes than announced"))
    }

    /// Starts a step that is kept or taken back as a whole. A kept step is released when the next one starts, in one
    /// round trip to SQLite's thread, or by the COMMIT.
    pub(crate) async fn begin_step(&mut self) -> Result<(), Error> {
        self.texts_before = self.texts.len();
        if !self.alone {
            self.control(if self.saved {
                "RELEASE step; SAVEPOINT step"
            } else {
                "SAVEPOINT step"
            })
            .await?;
            self.saved = true;
        }
        Ok(())
    }

    /// When the frame of a step fails, nobody knows what stands any more: the whole transaction has to go.
    async fn control(&mut self, text: &'static str) -> Result<(), Error> {
        match self.run(statement(text)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Step(Box::new(error))),
        }
    }

    /// Keeps the step, or takes it back when it failed.
    pub(crate) async fn end_step<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        match done {
            Ok(value) => Ok(value),
            Err(error) if error.ends_transaction() => Err(error),
            Err(error) => {
                self.texts.truncate(self.texts_before);
                if self.alone {
                    self.undone = true;
                } else {
                    self.control("ROLLBACK TO step").await?;
                }
                Err(error)
            }
        }
    }

    /// Notes a change of the search index. Nothing in a transaction reads the index, and one write for all is far
    /// cheaper than one for each: FTS5 writes a segment per statement and savepoint.
    pub(crate) fn index_text(&mut self, row_id: i64, replaces: bool, folded: Option<String>) {
        if replaces || folded.is_some() {
            self.texts.push(TextChange {
                row_id,
                replaces,
                folded,
            });
        }
    }

    async fn write_texts(&mut self) -> Result<(), Error> {
        let mut texts = std::mem::take(&mut self.texts);
        // Of several changes to one message the last one counts, and the first one knows whether there was an entry.
        let mut latest: std::collections::BTreeMap<i64, TextChange> = std::collections::BTreeMap::new();
        for change in texts.drain(..) {
            let entry = latest.entry(change.row_id).or_insert_with(|| TextChange {
                row_id: change.row_id,
                replaces: change.replaces,
                folded: None,
            });
            entry.folded = change.folded;
        }
        self.texts = texts;
        let gone: Vec<i64> = latest.values().filter(|c| c.replaces).map(|c| c.row_id).collect();
        if !gone.is_empty() {
            const DELETE: &str = "DELETE FROM chat_search WHERE rowid IN (SELECT value FROM json_each(?1))";
            let gone = json(&gone)?;
            self.run(statement(DELETE).bind(gone)).await?;
        }
        let new: Vec<(i64, &str)> = latest
            .values()
            .filter_map(|c| Some((c.row_id, c.folded.as_deref()?)))
            .collect();
        if !new.is_empty() {
            const INSERT: &str = "INSERT INTO chat_search (rowid, folded) \
                SELECT value ->> 0, value ->> 1 FROM json_each(?1)";
            let new = json(&new)?;
            self.run(statement(INSERT).bind(new)).await?;
        }
        Ok(())
    }

    /// Makes everything durable. The flag of a failure says whether the connection is unusable.
    pub(crate) async fn finish(&mut self) -> Result<(), (BackendError, bool)> {
        if self.undone {
            return self.roll_back().await.map_err(|error| {
                let failure = BackendError::new(error.kind(), BACKEND, "roll back").with_source(error);
                (failure, true)
            });
        }
        if let Err(error) = self.write_texts().await {
            let lost = error.loses_connection();
            return Err((error.into_backend("write"), lost));
        }
        match self.run(statement("COMMIT")).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let lost = error.loses_connection();
                Err((error.into_commit_failure(), lost))
            }
        }
    }

    /// Takes everything back. SQLite does so by itself after some failures, and then there is nothing to take back.
    pub(crate) async fn roll_back(&mut self) -> Result<(), Error> {
        match self.run(statement("ROLLBACK")).await {
            Ok(_) => Ok(()),
            Err(error) if error.loses_connection() => Err(error),
            Err(_) => Ok(()),
        }
    }
}
