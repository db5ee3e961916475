//! Running statements, and turning columns into values and back.

use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_core::id::{
    AttachmentId, AuditId, ClientId, ConversationId, MessageId, ReportId, ScheduledId, UserId,
};
use chat_core::model::Muted;
use chat_core::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteArguments, SqliteQueryResult, SqliteRow};
use sqlx::{Decode, Row, Sqlite, SqliteConnection, Type};
use uuid::Uuid;

use crate::error::Error;
use crate::names::Named;

/// A statement with its parameters. Its text is constant, so a connection prepares it once.
pub(crate) type Statement = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

pub(crate) fn statement(text: &'static str) -> Statement {
    sqlx::query(text)
}

/// What the store has done so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) transactions: AtomicU64,
    pub(crate) changes: AtomicU64,
    pub(crate) write_statements: AtomicU64,
    pub(crate) read_statements: AtomicU64,
}

/// A connection that counts what it runs.
pub(crate) struct Session<C> {
    pub(crate) connection: C,
    counters: Arc<Counters>,
    counter: fn(&Counters) -> &AtomicU64,
}

impl<C> Session<C> {
    pub(crate) fn reading(connection: C, counters: Arc<Counters>) -> Self {
        Self {
            connection,
            counters,
            counter: |counters| &counters.read_statements,
        }
    }

    pub(crate) fn writing(connection: C, counters: Arc<Counters>) -> Self {
        Self {
            connection,
            counters,
            counter: |counters| &counters.write_statements,
        }
    }

    pub(crate) fn map<D>(self, wrap: impl FnOnce(C) -> D) -> Session<D> {
        Session {
            connection: wrap(self.connection),
            counters: self.counters,
            counter: self.counter,
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn count(&self) {
        (self.counter)(&self.counters).fetch_add(1, Ordering::Relaxed);
    }
}

impl<C: DerefMut<Target = SqliteConnection>> Session<C> {
    pub(crate) async fn all(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, Error> {
        self.count();
        Ok(statement.fetch_all(&mut *self.connection).await?)
    }

    pub(crate) async fn one(&mut self, statement: Statement) -> Result<Option<SqliteRow>, Error> {
        self.count();
        Ok(statement.fetch_optional(&mut *self.connection).await?)
    }

    pub(crate) async fn run(&mut self, statement: Statement) -> Result<SqliteQueryResult, Error> {
        self.count();
        Ok(statement.execute(&mut *self.connection).await?)
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

/// An unsigned number as SQLite keeps it. Numbers above its range do not occur: seqs and revs count single changes.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn blob(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub(crate) fn time(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

/// `…_until` of a mute without end.
const FOREVER: i64 = i64::MAX;

pub(crate) fn muted(until: Option<Muted>) -> Option<i64> {
    until.map(|until| match until {
        Muted::Until(at) => at.as_millis(),
        Muted::Forever => FOREVER,
    })
}

pub(crate) fn json(value: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string(value)?)
}

/// A list of ids as one parameter, so that the text of the statement does not depend on its length. SQL reads it
/// with `SELECT unhex(value) FROM json_each(?)`.
pub(crate) fn id_list(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut list = String::from("[");
    for id in ids {
        if list.len() > 1 {
            list.push(',');
        }
        list.push('"');
        list.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        list.push('"');
    }
    list.push(']');
    list
}

/// A list of users as one parameter; SQL reads it with `SELECT value FROM json_each(?)`.
pub(crate) fn user_list(users: &[UserId]) -> Result<String, Error> {
    json(&users)
}

/// Reads the columns of a row one after the other, in the order of the statement.
pub(crate) struct Cells<'r> {
    row: &'r SqliteRow,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(crate) fn new(row: &'r SqliteRow) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: Decode<'r, Sqlite> + Type<Sqlite>>(&mut self) -> Result<T, Error> {
        let index = self.next;
        self.next += 1;
        Ok(self.row.try_get(index)?)
    }

    /// Leaves columns out.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// Whether the next column is NULL; stays before it.
    pub(crate) fn is_null(&self) -> Result<bool, Error> {
        use sqlx::ValueRef as _;
        Ok(self.row.try_get_raw(self.next)?.is_null())
    }

    pub(crate) fn uint(&mut self) -> Result<u64, Error> {
        u64::try_from(self.take::<i64>()?).map_err(|_| Error::Decode("a negative number"))
    }

    pub(crate) fn opt_uint(&mut self) -> Result<Option<u64>, Error> {
        self.take::<Option<i64>>()?
            .map(|value| u64::try_from(value).map_err(|_| Error::Decode("a negative number")))
            .transpose()
    }

    pub(crate) fn small(&mut self) -> Result<u32, Error> {
        u32::try_from(self.take::<i64>()?).map_err(|_| Error::Decode("a number out of range"))
    }

    pub(crate) fn opt_small(&mut self) -> Result<Option<u32>, Error> {
        self.take::<Option<i64>>()?
            .map(|value| u32::try_from(value).map_err(|_| Error::Decode("a number out of range")))
            .transpose()
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.take::<i64>()? != 0)
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        self.take()
    }

    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, Error> {
        self.take()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Error> {
        Ok(Timestamp::from_millis(self.take()?))
    }

    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>, Error> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp::from_millis))
    }

    pub(crate) fn opt_muted(&mut self) -> Result<Option<Muted>, Error> {
        Ok(self.take::<Option<i64>>()?.map(|until| match until {
            FOREVER => Muted::Forever,
            until => Muted::Until(Timestamp::from_millis(until)),
        }))
    }

    pub(crate) fn user(&mut self) -> Result<UserId, Error> {
        UserId::new(self.take::<&str>()?).map_err(|_| Error::Decode("a user id"))
    }

    pub(crate) fn opt_user(&mut self) -> Result<Option<UserId>, Error> {
        self.take::<Option<&str>>()?
            .map(|id| UserId::new(id).map_err(|_| Error::Decode("a user id")))
            .transpose()
    }

    pub(crate) fn opt_client(&mut self) -> Result<Option<ClientId>, Error> {
        self.opt_text()?
            .map(|id| ClientId::new(id).map_err(|_| Error::Decode("a client id")))
            .transpose()
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, Error> {
        Uuid::from_slice(self.take::<&[u8]>()?).map_err(|_| Error::Decode("an id"))
    }

    fn opt_uuid(&mut self) -> Result<Option<Uuid>, Error> {
        self.take::<Option<&[u8]>>()?
            .map(|id| Uuid::from_slice(id).map_err(|_| Error::Decode("an id")))
            .transpose()
    }

    pub(crate) fn conversation(&mut self) -> Result<ConversationId, Error> {
        self.uuid().map(ConversationId::from_uuid)
    }

    pub(crate) fn opt_conversation(&mut self) -> Result<Option<ConversationId>, Error> {
        Ok(self.opt_uuid()?.map(ConversationId::from_uuid))
    }

    pub(crate) fn report(&mut self) -> Result<ReportId, Error> {
        self.uuid().map(ReportId::from_uuid)
    }

    pub(crate) fn audit(&mut self) -> Result<AuditId, Error> {
        self.uuid().map(AuditId::from_uuid)
    }

    pub(crate) fn scheduled(&mut self) -> Result<ScheduledId, Error> {
        self.uuid().map(ScheduledId::from_uuid)
    }

    pub(crate) fn message(&mut self) -> Result<MessageId, Error> {
        self.uuid().map(MessageId::from_uuid)
    }

    pub(crate) fn opt_message(&mut self) -> Result<Option<MessageId>, Error> {
        Ok(self.opt_uuid()?.map(MessageId::from_uuid))
    }

    pub(crate) fn attachment(&mut self) -> Result<AttachmentId, Error> {
        self.uuid().map(AttachmentId::from_uuid)
    }

    pub(crate) fn opt_attachment(&mut self) -> Result<Option<AttachmentId>, Error> {
        Ok(self.opt_uuid()?.map(AttachmentId::from_uuid))
    }

    pub(crate) fn name<T: Named>(&mut self) -> Result<T, Error> {
        T::named(self.take::<&str>()?).ok_or(Error::Decode("an unknown name"))
    }

    pub(crate) fn opt_name<T: Named>(&mut self) -> Result<Option<T>, Error> {
        self.take::<Option<&str>>()?
            .map(|name| T::named(name).ok_or(Error::Decode("an unknown name")))
            .transpose()
    }

    /// A JSON column; NULL is the empty value.
    pub(crate) fn json<T: DeserializeOwned + Default>(&mut self) -> Result<T, Error> {
        match self.take::<Option<&str>>()? {
            Some(text) => Ok(serde_json::from_str(text)?),
            None => Ok(T::default()),
        }
    }
}
