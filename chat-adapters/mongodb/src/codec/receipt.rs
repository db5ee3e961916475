//! The log of marks, reactions, hides and former texts: what hangs on messages.

use chat_core::model::{Advance, FormerText, Hide, Reaction, ReadAudience};
use mongodb::bson::{Document, doc};

use crate::error::Error;
use crate::row::{Row, int, time, uuid};

/// The `step` field of the log of marks.
pub(crate) const fn step(read: Option<ReadAudience>) -> i64 {
    match read {
        None => 0,
        Some(ReadAudience::Nobody) => 1,
        Some(ReadAudience::Contacts) => 2,
        Some(ReadAudience::Everyone) => 3,
    }
}

pub(crate) fn audience(step: i64) -> Result<Option<ReadAudience>, Error> {
    match step {
        0 => Ok(None),
        1 => Ok(Some(ReadAudience::Nobody)),
        2 => Ok(Some(ReadAudience::Contacts)),
        3 => Ok(Some(ReadAudience::Everyone)),
        _ => Err(Error::Decode("step")),
    }
}

pub(crate) fn advance_to_document(row: &Advance) -> Document {
    doc! {
        "conversation_id": uuid(row.conversation_id.as_uuid()),
        "user_id": row.user_id.as_str(),
        "step": step(row.read),
        "from_seq": int(row.from),
        "to_seq": int(row.to),
        "at": time(row.at),
        "timeless": false,
    }
}

/// `place` orders reactions of one time.
pub(crate) fn reaction_to_document(row: &Reaction, place: i64) -> Document {
    doc! {
        "conversation_id": uuid(row.conversation_id.as_uuid()),
        "message_id": uuid(row.message_id.as_uuid()),
        "user_id": row.user_id.as_str(),
        "emoji": row.emoji.as_str(),
        "at": time(row.at),
        "place": place,
    }
}

pub(crate) fn reaction_from_document(document: &Document) -> Result<Reaction, Error> {
    let row = Row(document);
    Ok(Reaction {
        conversation_id: row.conversation("conversation_id")?,
        message_id: row.message("message_id")?,
        user_id: row.user("user_id")?,
        emoji: row.text("emoji")?,
        at: row.time("at")?,
    })
}

pub(crate) fn hide_to_document(row: &Hide) -> Document {
    doc! {
        "user_id": row.user_id.as_str(),
        "conversation_id": uuid(row.conversation_id.as_uuid()),
        "message_id": uuid(row.message_id.as_uuid()),
        "seq": int(row.seq),
        "rev": int(row.rev),
    }
}

pub(crate) fn hide_from_document(document: &Document) -> Result<Hide, Error> {
    let row = Row(document);
    Ok(Hide {
        user_id: row.user("user_id")?,
        conversation_id: row.conversation("conversation_id")?,
        message_id: row.message("message_id")?,
        seq: row.uint("seq")?,
        rev: row.uint("rev")?,
    })
}

pub(crate) fn former_text_to_document(row: &FormerText) -> Document {
    doc! {
        "conversation_id": uuid(row.conversation_id.as_uuid()),
        "message_id": uuid(row.message_id.as_uuid()),
        "version": i64::from(row.version),
        "text": row.text.as_str(),
        "edited_at": time(row.edited_at),
    }
}

pub(crate) fn former_text_from_document(document: &Document) -> Result<FormerText, Error> {
    let row = Row(document);
    Ok(FormerText {
        conversation_id: row.conversation("conversation_id")?,
        message_id: row.message("message_id")?,
        version: row.small("version")?,
        text: row.text("text")?,
        edited_at: row.time("edited_at")?,
    })
}
