//! The host's database as this store uses it: its own names, its own write concern, and every command counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_core::time::Clock;
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{
    Acknowledgment, DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};

use crate::collection::Collection;
use crate::config::MongoConfig;
use crate::error::{Error, OpenError};

/// Longest prefix; with the longest name it stays far below the server's limit.
const MAX_PREFIX: usize = 60;

/// Documents in an answer of the server, so that a page takes one round trip.
const BATCH: u32 = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) commits: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) struct Database {
    database: mongodb::Database,
    prefix: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Counters,
}

/// What to find.
#[derive(Debug, Clone, Default)]
pub(crate) struct Find {
    filter: Document,
    sort: Option<Document>,
    limit: Option<usize>,
    fields: Option<Document>,
}

impl Find {
    pub(crate) fn all(filter: Document) -> Self {
        Self {
            filter,
            ..Self::default()
        }
    }

    pub(crate) fn sorted(mut self, by: Document) -> Self {
        self.sort = Some(by);
        self
    }

    pub(crate) const fn limited(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only these fields, and `_id`.
    pub(crate) fn only(mut self, fields: &[&str]) -> Self {
        self.fields = Some(
            fields
                .iter()
                .map(|field| ((*field).to_owned(), Bson::Int32(1)))
                .collect(),
        );
        self
    }
}

pub(crate) fn write_concern() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .w_timeout(std::time::Duration::from_secs(10))
        .build()
}

fn write_concern_document() -> Document {
    doc! { "w": "majority", "j": true, "wtimeout": 10_000 }
}

/// Whether the host's own setting promises less than this store's.
fn is_weak(concern: &WriteConcern) -> bool {
    let acknowledged = match &concern.w {
        None | Some(Acknowledgment::Majority | Acknowledgment::Custom(_)) => true,
        Some(_) => false,
    };
    !acknowledged || concern.journal == Some(false)
}

impl Database {
    /// Takes the host's database; asks the server what it is.
    pub(crate) async fn connect(
        host: &mongodb::Database,
        config: &MongoConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if config.prefix.len() > MAX_PREFIX || !config.prefix.chars().all(is_plain) {
            return Err(OpenError::Prefix);
        }
        if host.write_concern().is_some_and(is_weak) {
            tracing::warn!(
                "the database handle asks for less than majority and journal; the chat store writes with majority and journal nevertheless"
            );
        }
        let hello = host.run_command(doc! { "hello": 1 }).await?;
        let is_replicated =
            hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|kind| kind == "isdbgrid");
        if !is_replicated {
            tracing::warn!(
                "the MongoDB server is a standalone: what it answered survives a crash, but not the loss of its disk"
            );
        }
        let read_concern = if is_replicated {
            ReadConcern::majority()
        } else {
            ReadConcern::local()
        };
        let options = DatabaseOptions::builder()
            .write_concern(write_concern())
            .read_concern(read_concern)
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        Ok(Self {
            database: host.client().database_with_options(host.name(), options),
            prefix: config.prefix.clone(),
            clock,
            counters: Counters::default(),
        })
    }

    pub(crate) fn name(&self, collection: Collection) -> String {
        format!("{}{}", self.prefix, collection.name())
    }

    pub(crate) fn collection(&self, collection: Collection) -> mongodb::Collection<Document> {
        self.database.collection(&self.name(collection))
    }

    pub(crate) async fn command(&self, command: Document) -> Result<Document, Error> {
        Counters::count(&self.counters.writes);
        Ok(self.database.run_command(command).await?)
    }

    pub(crate) async fn list<T>(
        &self,
        collection: Collection,
        find: Find,
        read: impl Fn(&Document) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        if find.limit == Some(0) {
            return Ok(Vec::new());
        }
        Counters::count(&self.counters.reads);
        let from = self.collection(collection);
        let mut action = from.find(find.filter).batch_size(BATCH);
        if let Some(sort) = find.sort {
            action = action.sort(sort);
        }
        if let Some(limit) = find.limit {
            action = action.limit(i64::try_from(limit).unwrap_or(i64::MAX));
        }
        if let Some(fields) = find.fields {
            action = action.projection(fields);
        }
        let documents: Vec<Document> = action.await?.try_collect().await?;
        documents.iter().map(read).collect()
    }

    pub(crate) async fn find<T>(
        &self,
        collection: Collection,
        filter: Document,
        read: impl Fn(&Document) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Counters::count(&self.counters.reads);
        let document = self.collection(collection).find_one(filter).await?;
        document.as_ref().map(read).transpose()
    }

    pub(crate) async fn exists(&self, collection: Collection, filter: Document) -> Result<bool, Error> {
        let found = self.list(
            collection,
            Find::all(filter).limited(1).only(&["_id"]),
            |_| Ok(()),
        );
        Ok(!found.await?.is_empty())
    }

    /// How many there are, counted up to `limit`.
    pub(crate) async fn count(
        &self,
        collection: Collection,
        filter: Document,
        limit: Option<usize>,
    ) -> Result<u64, Error> {
        Counters::count(&self.counters.reads);
        let from = self.collection(collection);
        let mut action = from.count_documents(filter);
        if let Some(limit) = limit {
            action = action.limit(u64::try_from(limit).unwrap_or(u64::MAX));
        }
        Ok(action.await?)
    }

    pub(crate) async fn aggregate<T>(
        &self,
        collection: Collection,
        pipeline: Vec<Document>,
        read: impl Fn(&Document) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        Counters::count(&self.counters.reads);
        let from = self.collection(collection);
        let cursor = from.aggregate(pipeline).batch_size(BATCH).await?;
        let documents: Vec<Document> = cursor.try_collect().await?;
        documents.iter().map(read).collect()
    }

    /// Runs updates of one collection. Those that meet an `_id` which is there already have nothing to do any more.
    pub(crate) async fn update(&self, collection: Collection, updates: &[Document]) -> Result<(), Error> {
        let answer = self
            .command(doc! {
                "update": self.name(collection),
                "updates": updates,
                "ordered": false,
                "writeConcern": write_concern_document(),
            })
            .await?;
        for failure in answer.get_array("writeErrors").into_iter().flatten() {
            let code = failure
                .as_document()
                .map_or(0, |failure| failure.get_i32("code").unwrap_or(0));
            if code != crate::error::code::DUPLICATE_KEY {
                return Err(Error::Refused(code));
            }
        }
        match answer.get_document("writeConcernError") {
            Ok(failure) => Err(Error::Refused(failure.get_i32("code").unwrap_or(0))),
            Err(_) => Ok(()),
        }
    }
}
