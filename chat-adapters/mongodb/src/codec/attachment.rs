use chat_core::id::AttachmentId;
use chat_core::model::Attachment;
use mongodb::bson::{Document, doc};

use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, int, opt, time};

pub(crate) fn to_document(row: &Attachment) -> Document {
    let mut fields = doc! {
        "uploader": row.uploader.as_str(),
        "kind": row.kind.column(),
        "filename": row.filename.as_str(),
        "mime_type": row.mime_type.as_str(),
        "size": int(row.size),
        "state": row.state.column(),
        "created_at": time(row.created_at),
    };
    opt(&mut fields, "width", row.width.map(i64::from));
    opt(&mut fields, "height", row.height.map(i64::from));
    opt(&mut fields, "duration_ms", row.duration_ms.map(int));
    fields
}

pub(crate) fn from_document(document: &Document) -> Result<Attachment, Error> {
    let row = Row(document);
    Ok(Attachment {
        id: AttachmentId::from_uuid(row.uuid("_id")?),
        uploader: row.user("uploader")?,
        kind: row.name("kind")?,
        filename: row.text("filename")?,
        mime_type: row.text("mime_type")?,
        size: row.uint("size")?,
        width: row.opt_small("width")?,
        height: row.opt_small("height")?,
        duration_ms: row.opt_uint("duration_ms")?,
        state: row.name("state")?,
        created_at: row.time("created_at")?,
    })
}
