//! Blocks, mutes and stars. Those lifted stay with their `user_rev`: they are the change log that sync reads.

use chat_core::model::{Block, Star};
use chat_core::store::StarChange;
use mongodb::bson::{Document, doc};

use crate::error::Error;
use crate::row::{Row, int, time, uuid};

pub(crate) fn block_from_document(document: &Document) -> Result<Block, Error> {
    let row = Row(document);
    Ok(Block {
        blocker: row.user("blocker")?,
        blocked: row.user("blocked")?,
        at: row.time("at")?,
    })
}

pub(crate) fn block_to_document(row: &Block, active: bool, user_rev: u64) -> Document {
    doc! {
        "blocker": row.blocker.as_str(),
        "blocked": row.blocked.as_str(),
        "active": active,
        "user_rev": int(user_rev),
        "at": time(row.at),
    }
}

pub(crate) fn star_to_document(row: &StarChange) -> Document {
    doc! {
        "user_id": row.star.user_id.as_str(),
        "conversation_id": uuid(row.star.conversation_id.as_uuid()),
        "message_id": uuid(row.star.message_id.as_uuid()),
        "seq": int(row.star.seq),
        "active": row.starred,
        "user_rev": int(row.user_rev),
    }
}

pub(crate) fn star_from_document(document: &Document) -> Result<StarChange, Error> {
    let row = Row(document);
    Ok(StarChange {
        star: Star {
            user_id: row.user("user_id")?,
            conversation_id: row.conversation("conversation_id")?,
            message_id: row.message("message_id")?,
            seq: row.uint("seq")?,
        },
        starred: row.flag("active")?,
        user_rev: row.uint("user_rev")?,
    })
}
