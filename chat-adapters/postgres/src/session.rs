//! A connection on loan from the pool, that counts what it runs and goes back only when nothing is left open on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgQueryResult, PgRow};
use sqlx::{AssertSqlSafe, Postgres};

use crate::error::Error;
use crate::schema_name::{SchemaName, Texts};
use crate::statement::{Cells, Statement};

/// What the store has done so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) transactions: AtomicU64,
    pub(crate) changes: AtomicU64,
    pub(crate) write_statements: AtomicU64,
    pub(crate) read_statements: AtomicU64,
    pub(crate) retries: AtomicU64,
}

/// What every session of a store has in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) texts: Texts,
    pub(crate) counters: Counters,
    /// Whether statements are prepared once per connection.
    pub(crate) prepared: bool,
}

/// A connection on loan.
pub(crate) struct Session {
    connection: PoolConnection<Postgres>,
    shared: Arc<Shared>,
    counter: fn(&Counters) -> &AtomicU64,
    /// Whether a statement or a transaction may still be under way.
    open: bool,
}

impl Session {
    pub(crate) fn reading(connection: PoolConnection<Postgres>, shared: Arc<Shared>) -> Self {
        Self {
            connection,
            shared,
            counter: |counters| &counters.read_statements,
            open: true,
        }
    }

    pub(crate) fn writing(connection: PoolConnection<Postgres>, shared: Arc<Shared>) -> Self {
        Self {
            connection,
            shared,
            counter: |counters| &counters.write_statements,
            open: true,
        }
    }

    /// Gives the connection back to the pool: everything on it was ended.
    pub(crate) fn end(mut self) {
        self.open = false;
    }

    pub(crate) fn schema(&self) -> &SchemaName {
        self.shared.texts.schema()
    }

    fn count(&self) {
        (self.counter)(&self.shared.counters).fetch_add(1, Ordering::Relaxed);
    }

    /// Runs a text without parameters, several statements perhaps, in one round trip.
    pub(crate) async fn control(&mut self, text: String) -> Result<(), Error> {
        self.count();
        // Texts of this crate, with numbers and checked names.
        sqlx::raw_sql(AssertSqlSafe(text))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    fn query(&self, statement: Statement) -> Result<Query, Error> {
        let arguments = statement
            .arguments
            .map_err(|error| Error::Database(sqlx::Error::Encode(error)))?;
        self.count();
        let persistent = self.shared.prepared && !statement.planned_anew;
        Ok(sqlx::query_with(self.shared.texts.get(statement.text), arguments).persistent(persistent))
    }

    pub(crate) async fn all(&mut self, statement: Statement) -> Result<Vec<PgRow>, Error> {
        let query = self.query(statement)?;
        Ok(query.fetch_all(&mut *self.connection).await?)
    }

    pub(crate) async fn one(&mut self, statement: Statement) -> Result<Option<PgRow>, Error> {
        let query = self.query(statement)?;
        Ok(query.fetch_optional(&mut *self.connection).await?)
    }

    pub(crate) async fn run(&mut self, statement: Statement) -> Result<PgQueryResult, Error> {
        let query = self.query(statement)?;
        Ok(query.execute(&mut *self.connection).await?)
    }

    /// Rows turned into values.
    pub(crate) async fn list<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&mut Cells<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.all(statement).await?;
        rows.iter().map(|row| read(&mut Cells::new(row))).collect()
    }

    /// The only row, turned into a value.
    pub(crate) async fn find<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&mut Cells<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let row = self.one(statement).await?;
        row.map(|row| read(&mut Cells::new(&row))).transpose()
    }
}

type Query = sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments>;

impl Drop for Session {
    fn drop(&mut self) {
        if self.open {
            // A caller who went away in the middle: the next user of the connection must not find what he left.
            self.connection.close_on_drop();
        }
    }
}
