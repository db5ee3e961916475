//! Statements with their parameters, and columns as values.

use chat_core::id::{
    AttachmentId, AuditId, ClientId, ConversationId, MessageId, ReportId, ScheduledId, UserId,
};
use chat_core::model::Muted;
use chat_core::time::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::types::Json;
use sqlx::{Arguments, Decode, Encode, Postgres, Row, Type};
use uuid::Uuid;

use crate::error::Error;
use crate::names::Named;

/// A statement with its parameters. Its text is constant and names tables without their schema.
pub(crate) struct Statement {
    pub(crate) text: &'static str,
    pub(crate) arguments: Result<PgArguments, BoxDynError>,
    /// Whether its plan is made for these very parameters.
    pub(crate) planned_anew: bool,
}

pub(crate) fn statement(text: &'static str) -> Statement {
    Statement {
        text,
        arguments: Ok(PgArguments::default()),
        planned_anew: false,
    }
}

impl Statement {
    pub(crate) fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        self.arguments = self
            .arguments
            .and_then(|mut arguments| arguments.add(value).map(|()| arguments));
        self
    }

    /// For texts whose best plan depends on the parameters.
    pub(crate) fn planned_anew(mut self) -> Self {
        self.planned_anew = true;
        self
    }
}

/// One column of many rows, as a parameter for `unnest`.
pub(crate) fn all<'r, R, T>(rows: &'r [R], column: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// An unsigned number as the database keeps it. Numbers above its range do not occur: seqs and revs count single
/// changes.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
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

/// A list of users as one parameter.
pub(crate) fn users(users: &[UserId]) -> Vec<&str> {
    all(users, UserId::as_str)
}

/// Reads the columns of a row one after the other, in the order of the statement.
pub(crate) struct Cells<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(crate) fn new(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, Error> {
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

    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        self.take()
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
        self.take()
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

    pub(crate) fn conversation(&mut self) -> Result<ConversationId, Error> {
        self.take().map(ConversationId::from_uuid)
    }

    pub(crate) fn opt_conversation(&mut self) -> Result<Option<ConversationId>, Error> {
        Ok(self.take::<Option<Uuid>>()?.map(ConversationId::from_uuid))
    }

    pub(crate) fn report(&mut self) -> Result<ReportId, Error> {
        self.take().map(ReportId::from_uuid)
    }

    pub(crate) fn audit(&mut self) -> Result<AuditId, Error> {
        self.take().map(AuditId::from_uuid)
    }

    pub(crate) fn scheduled(&mut self) -> Result<ScheduledId, Error> {
        self.take().map(ScheduledId::from_uuid)
    }

    pub(crate) fn message(&mut self) -> Result<MessageId, Error> {
        self.take().map(MessageId::from_uuid)
    }

    pub(crate) fn opt_message(&mut self) -> Result<Option<MessageId>, Error> {
        Ok(self.take::<Option<Uuid>>()?.map(MessageId::from_uuid))
    }

    pub(crate) fn attachment(&mut self) -> Result<AttachmentId, Error> {
        self.take().map(AttachmentId::from_uuid)
    }

    pub(crate) fn opt_attachment(&mut self) -> Result<Option<AttachmentId>, Error> {
        Ok(self.take::<Option<Uuid>>()?.map(AttachmentId::from_uuid))
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
    pub(crate) fn json<T: DeserializeOwned + Default + 'r>(&mut self) -> Result<T, Error> {
        let value: Option<Json<T>> = self.take()?;
        Ok(value.map(|Json(value)| value).unwrap_or_default())
    }
}
