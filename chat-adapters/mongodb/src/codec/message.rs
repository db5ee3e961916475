use chat_core::id::MessageId;
use chat_core::model::{Deletion, Kept, Message, Pin, ReplyTarget};
use chat_core::text::fold;
use mongodb::bson::{Document, doc};

use super::key;
use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, int, opt, opt_json, texts, time, uuid, uuids};

/// `born` is the number of the commit that sent it: a reader who knows of commits up to a number leaves later ones out,
/// and so never sees one message of a commit without those before it.
pub(crate) fn to_document(row: &Message, born: i64) -> Result<Document, Error> {
    let mut fields = doc! {
        "id": uuid(row.id.as_uuid()),
        "conversation_id": uuid(row.conversation_id.as_uuid()),
        "seq": int(row.seq),
        "rev": int(row.rev),
        "born": born,
        "sender_id": row.sender_id.as_str(),
        "kind": row.kind.column(),
        "text": row.text.as_str(),
        "folded": fold(&row.text),
        "format": row.format.column(),
        "mentions_all": row.mentions_all,
        "silent": row.silent,
        "countable": row.countable,
        "created_at": time(row.created_at),
        "version": i64::from(row.version),
        "has_content": row.has_content(),
    };
    if let Some(client_id) = &row.client_id {
        fields.insert("client_id", client_id.as_str());
        fields.insert("send", key::send(row.conversation_id, &row.sender_id, client_id));
    }
    opt(&mut fields, "payload_hash", row.payload_hash.as_deref());
    opt_json(&mut fields, "content", &row.content)?;
    if !row.content.attachments.is_empty() {
        let files = row.content.attachments.iter().map(|id| id.as_uuid());
        fields.insert("files", uuids(files));
    }
    if let Some(target) = row.reply_to {
        fields.insert("reply_to_id", uuid(target.message_id.as_uuid()));
        fields.insert("reply_to_seq", int(target.seq));
    }
    if !row.mentions.is_empty() {
        fields.insert("mentions", texts(&row.mentions));
    }
    opt(&mut fields, "client_time", row.client_time.map(time));
    opt(&mut fields, "edited_at", row.edited_at.map(time));
    if let Some(deletion) = row.deleted {
        fields.insert("deleted_at", time(deletion.at));
        fields.insert("deleted_by", deletion.by.column());
    }
    opt(&mut fields, "expires_at", row.expires_at.map(time));
    if let Some(kept) = &row.kept {
        fields.insert("kept_at", time(kept.at));
        fields.insert("kept_by", kept.by.as_str());
        fields.insert("kept_expires_at", time(kept.expires_at));
    }
    if let Some(pin) = &row.pinned {
        fields.insert("pinned_at", time(pin.at));
        fields.insert("pinned_by", pin.by.as_str());
    }
    Ok(fields)
}

pub(crate) fn id(document: &Document) -> Result<MessageId, Error> {
    Row(document).message("id")
}

pub(crate) fn from_document(document: &Document) -> Result<Message, Error> {
    let row = Row(document);
    Ok(Message {
        id: id(document)?,
        conversation_id: row.conversation("conversation_id")?,
        seq: row.uint("seq")?,
        rev: row.uint("rev")?,
        sender_id: row.user("sender_id")?,
        client_id: row.opt_client("client_id")?,
        payload_hash: row.opt_text("payload_hash")?,
        kind: row.name("kind")?,
        text: row.text("text")?,
        format: row.name("format")?,
        content: row.json("content")?,
        reply_to: match (row.opt_uuid("reply_to_id")?, row.opt_uint("reply_to_seq")?) {
            (Some(message_id), Some(seq)) => Some(ReplyTarget {
                message_id: MessageId::from_uuid(message_id),
                seq,
            }),
            _ => None,
        },
        mentions: row.users("mentions")?,
        mentions_all: row.flag("mentions_all")?,
        silent: row.flag("silent")?,
        countable: row.flag("countable")?,
        client_time: row.opt_time("client_time")?,
        created_at: row.time("created_at")?,
        edited_at: row.opt_time("edited_at")?,
        version: row.small("version")?,
        deleted: match (row.opt_time("deleted_at")?, row.opt_name("deleted_by")?) {
            (Some(at), Some(by)) => Some(Deletion { at, by }),
            _ => None,
        },
        expires_at: row.opt_time("expires_at")?,
        kept: match (
            row.opt_time("kept_at")?,
            row.opt_user("kept_by")?,
            row.opt_time("kept_expires_at")?,
        ) {
            (Some(at), Some(by), Some(expires_at)) => Some(Kept { at, by, expires_at }),
            _ => None,
        },
        pinned: match (row.opt_time("pinned_at")?, row.opt_user("pinned_by")?) {
            (Some(at), Some(by)) => Some(Pin { at, by }),
            _ => None,
        },
    })
}
