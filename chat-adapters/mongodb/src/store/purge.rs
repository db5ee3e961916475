//! The beginning of a conversation that goes, with everything that hangs on its messages.

use chat_core::store::Purge;
use futures::future::try_join_all;
use mongodb::bson::{Bson, Document, doc};

use crate::codec::message;
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::row::{int, uuid, uuids};

fn id(document: &Document) -> Result<Bson, Error> {
    document.get("_id").cloned().ok_or(Error::Decode("_id"))
}

/// Documents that go with it.
pub(super) async fn goes(database: &Database, purge: Purge) -> Result<Vec<(Collection, Bson)>, Error> {
    let beginning = doc! {
        "conversation_id": uuid(purge.conversation_id.as_uuid()), "seq": { "$lt": int(purge.below) },
    };
    let read = |found: &Document| Ok((message::id(found)?, id(found)?));
    let find = Find::all(beginning).only(&["id"]);
    let messages = database.list(Collection::Messages, find, read).await?;
    let ids = uuids(messages.iter().map(|(id, _)| id.as_uuid()));
    let hanging = [
        Collection::Hides,
        Collection::Reactions,
        Collection::FormerTexts,
        Collection::Stars,
    ];
    let lists = hanging.map(|collection| {
        let find = Find::all(doc! { "message_id": { "$in": ids.clone() } }).only(&["_id"]);
        database.list(collection, find, move |found| Ok((collection, id(found)?)))
    });
    let mut all: Vec<(Collection, Bson)> = try_join_all(lists).await?.into_iter().flatten().collect();
    all.extend(messages.into_iter().map(|(_, id)| (Collection::Messages, id)));
    Ok(all)
}
