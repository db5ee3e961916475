//! Collections, indexes and the version of both.

use mongodb::bson::{Document, doc};
use uuid::Uuid;

use crate::collection::Collection;
use crate::database::Database;
use crate::error::{Error, OpenError, is_duplicate};
use crate::row::Row;
use crate::slot::SLOT;

/// The version this crate reads and writes.
const VERSION: i64 = 1;
const SCHEMA: &str = "schema";
/// How long the grave of a document stays, in seconds: far longer than any writer can be late.
const GRAVE_SECONDS: i32 = 86_400;

struct Index {
    collection: Collection,
    name: &'static str,
    keys: Document,
    /// Only documents that have this field.
    only_with: Option<&'static str>,
    unique: bool,
}

fn index(collection: Collection, name: &'static str, keys: Document) -> Index {
    Index {
        collection,
        name,
        keys,
        only_with: None,
        unique: false,
    }
}

impl Index {
    fn only_with(mut self, field: &'static str) -> Self {
        self.only_with = Some(field);
        self
    }

    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

/// Every index but those of graves. What is unique among the documents of commits is so by `_id` or by decisions that
/// see every commit before them, so only accounts, which are written past the slot, need unique indexes.
fn indexes() -> Vec<Index> {
    use Collection::{
        Accounts, Advances, Attachments, Audit, Blocks, Conversations, Devices, FormerTexts, Hides, Members,
        Messages, Mutes, Outbox, Reactions, Reports, Scheduled, Sessions, Stars, Users,
    };
    vec![
        index(Users, "email", doc! { "email": 1 }).only_with("email"),
        index(Users, "phone", doc! { "phone": 1 }).only_with("phone"),
        index(Users, "erasing", doc! { "erasure_done": 1 }).only_with("erasure_done"),
        index(Conversations, "pair", doc! { "pair": 1 }).only_with("pair"),
        index(Conversations, "pair_low", doc! { "pair_low": 1 }).only_with("pair_low"),
        index(Conversations, "pair_high", doc! { "pair_high": 1 }).only_with("pair_high"),
        index(
            Conversations,
            "oldest",
            doc! { "kind": 1, "oldest_at": 1, "_id": 1 },
        )
        .only_with("oldest_at"),
        index(Conversations, "due", doc! { "due_at": 1, "_id": 1 }).only_with("due_at"),
        index(Members, "user", doc! { "user_id": 1, "conversation_id": 1 }),
        index(
            Members,
            "conversation",
            doc! { "conversation_id": 1, "user_id": 1 },
        ),
        index(Members, "rev", doc! { "conversation_id": 1, "rev": -1 }),
        index(Messages, "seq", doc! { "conversation_id": 1, "seq": 1 }),
        index(Messages, "rev", doc! { "conversation_id": 1, "rev": 1 }),
        index(
            Messages,
            "time",
            doc! { "conversation_id": 1, "created_at": -1, "id": -1 },
        ),
        index(
            Messages,
            "kind",
            doc! { "conversation_id": 1, "kind": 1, "seq": 1 },
        ),
        index(Messages, "id", doc! { "id": 1 }).only_with("id"),
        index(Messages, "send", doc! { "send": 1 }).only_with("send"),
        index(
            Messages,
            "mentions",
            doc! { "mentions": 1, "created_at": -1, "id": -1 },
        )
        .only_with("mentions"),
        index(Messages, "files", doc! { "files": 1, "id": 1 }).only_with("files"),
        index(Messages, "expiry", doc! { "expires_at": 1, "id": 1 }).only_with("expires_at"),
        index(
            Messages,
            "pins",
            doc! { "conversation_id": 1, "pinned_at": -1, "seq": -1 },
        )
        .only_with("pinned_at"),
        index(
            Reactions,
            "message",
            doc! { "message_id": 1, "at": 1, "place": 1 },
        ),
        index(Reactions, "place", doc! { "place": 1 }),
        index(
            Reactions,
            "user",
            doc! { "user_id": 1, "message_id": 1, "emoji": 1 },
        ),
        index(
            Hides,
            "user",
            doc! { "user_id": 1, "conversation_id": 1, "rev": -1 },
        ),
        index(Hides, "user_message", doc! { "user_id": 1, "message_id": 1 }),
        index(Hides, "message", doc! { "message_id": 1 }),
        index(
            Advances,
            "to",
            doc! { "conversation_id": 1, "user_id": 1, "step": 1, "to_seq": 1 },
        ),
        index(Advances, "at", doc! { "timeless": 1, "at": 1 }),
        index(Advances, "user", doc! { "user_id": 1 }),
        index(FormerTexts, "message", doc! { "message_id": 1, "version": -1 }),
        index(Blocks, "blocker", doc! { "blocker": 1, "blocked": 1 }),
        index(Blocks, "blocked", doc! { "blocked": 1, "blocker": 1 }),
        index(Blocks, "rev", doc! { "blocker": 1, "user_rev": 1 }),
        index(Mutes, "user", doc! { "user_id": 1, "muted": 1 }),
        index(Mutes, "rev", doc! { "user_id": 1, "user_rev": 1 }),
        index(Stars, "rev", doc! { "user_id": 1, "user_rev": -1 }),
        index(Stars, "message", doc! { "message_id": 1 }),
        index(Reports, "open", doc! { "open_key": 1 }).only_with("open_key"),
        index(Reports, "files", doc! { "files": 1 }).only_with("files"),
        index(Reports, "newest", doc! { "open": 1, "created_at": -1, "_id": -1 }),
        index(Reports, "reporter", doc! { "reporter": 1, "_id": 1 }),
        index(Audit, "at", doc! { "at": -1, "_id": -1 }),
        index(Audit, "actor", doc! { "actor": 1, "at": -1, "_id": -1 }),
        index(Audit, "target", doc! { "target_id": 1, "at": -1, "_id": -1 }),
        index(Audit, "action", doc! { "action": 1, "at": -1, "_id": -1 }),
        index(Attachments, "uploader", doc! { "uploader": 1, "_id": 1 }),
        index(Attachments, "stale", doc! { "state": 1, "_id": 1 }),
        index(Outbox, "key", doc! { "topic": 1, "key": 1, "_id": 1 }),
        index(
            Outbox,
            "due",
            doc! { "topic": 1, "head": 1, "due_at": 1, "_id": 1 },
        ),
        index(Outbox, "id", doc! { "id": 1 }).only_with("id"),
        index(Outbox, "lease", doc! { "lease": 1 }).only_with("lease"),
        index(Scheduled, "due", doc! { "state": 1, "send_at": 1, "_id": 1 }),
        index(Scheduled, "user", doc! { "user_id": 1, "send_at": 1, "_id": 1 }),
        index(Scheduled, "changed", doc! { "user_id": 1, "user_rev": 1 }),
        index(Scheduled, "over", doc! { "changed_at": 1 }),
        index(Devices, "user", doc! { "user_id": 1, "refreshed_at": -1 }),
        index(Accounts, "email", doc! { "email": 1 }).unique(),
        index(Accounts, "phone", doc! { "phone": 1 })
            .only_with("phone")
            .unique(),
        index(Sessions, "user", doc! { "user_id": 1 }),
    ]
}

fn specification(index: &Index) -> Document {
    let mut specification = doc! { "name": index.name, "key": index.keys.clone() };
    if let Some(field) = index.only_with {
        specification.insert("partialFilterExpression", doc! { field: { "$exists": true } });
    }
    if index.unique {
        specification.insert("unique", true);
    }
    specification
}

fn of_graves() -> Document {
    doc! {
        "name": "graves",
        "key": { "gone": 1 },
        "partialFilterExpression": { "gone": { "$exists": true } },
        "expireAfterSeconds": GRAVE_SECONDS,
    }
}

/// The commands that make every index, for hosts that make them themselves.
pub(crate) fn commands(prefix: &str) -> Vec<Document> {
    let indexes = indexes();
    Collection::ALL
        .into_iter()
        .filter_map(|collection| {
            let own = indexes.iter().filter(|index| index.collection == collection);
            let mut wanted: Vec<Document> = own.map(specification).collect();
            if collection.has_graves() {
                wanted.push(of_graves());
            }
            let name = format!("{prefix}{}", collection.name());
            (!wanted.is_empty()).then(|| doc! { "createIndexes": name, "indexes": wanted })
        })
        .collect()
}

/// Makes what is missing. Several may do it at once.
pub(crate) async fn setup(database: &Database, prefix: &str) -> Result<(), OpenError> {
    let found = version(database).await?;
    if found > VERSION {
        return Err(OpenError::SchemaNewer {
            found,
            known: VERSION,
        });
    }
    for command in commands(prefix) {
        match database.command(command).await {
            Ok(_) => {}
            Err(Error::Driver(error))
                if crate::error::code_of(&error) == Some(crate::error::code::NAMESPACE_EXISTS) => {}
            Err(error) => return Err(as_open_error(error)),
        }
    }
    // The slot before the version: whoever finds the version finds all the rest.
    let slot = doc! { "_id": SLOT, "no": 0_i64, "pending": false };
    let epoch = i64::try_from(Uuid::new_v4().as_u64_pair().0 >> 1).unwrap_or(0);
    let schema = doc! { "_id": SCHEMA, "version": VERSION, "epoch": epoch };
    for document in [slot, schema] {
        match database.collection(Collection::State).insert_one(document).await {
            Err(error) if !is_duplicate(&error) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses data that is not of the version this crate was written for.
pub(crate) async fn check(database: &Database) -> Result<(), OpenError> {
    match version(database).await? {
        VERSION => Ok(()),
        found if found > VERSION => Err(OpenError::SchemaNewer {
            found,
            known: VERSION,
        }),
        found => Err(OpenError::SchemaOlder {
            found,
            known: VERSION,
        }),
    }
}

async fn version(database: &Database) -> Result<i64, OpenError> {
    let schema = database
        .collection(Collection::State)
        .find_one(doc! { "_id": SCHEMA })
        .await?;
    Ok(schema.map_or(0, |schema| Row(&schema).int("version").unwrap_or(i64::MAX)))
}

/// The line of sync positions: drawn when the data came to be.
pub(crate) async fn epoch(database: &Database) -> Result<u64, Error> {
    let read = |schema: &Document| Row(schema).uint("epoch");
    let found = database
        .find(Collection::State, doc! { "_id": SCHEMA }, read)
        .await?;
    found.ok_or(Error::NotSetUp)
}

fn as_open_error(error: Error) -> OpenError {
    match error {
        Error::Driver(error) => OpenError::Database(error),
        other => OpenError::Database(mongodb::error::Error::custom(other.to_string())),
    }
}
