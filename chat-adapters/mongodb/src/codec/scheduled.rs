use chat_core::id::{ConversationId, MessageId, ScheduledId};
use chat_core::model::Scheduled;
use mongodb::bson::{Document, doc};

use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, int, json, opt, time, uuid};

pub(crate) fn to_document(row: &Scheduled) -> Result<Document, Error> {
    let mut fields = doc! {
        "user_id": row.user_id.as_str(),
        "message": json(&row.message)?,
        "send_at": time(row.send_at),
        "state": row.state.column(),
        "version": i64::from(row.version),
        "user_rev": int(row.user_rev),
        "claims": i64::from(row.claims),
        "created_at": time(row.created_at),
        "changed_at": time(row.changed_at),
    };
    opt(
        &mut fields,
        "client_id",
        row.client_id.as_ref().map(|id| id.as_str()),
    );
    opt(&mut fields, "payload_hash", row.payload_hash.as_deref());
    opt(
        &mut fields,
        "conversation_id",
        row.conversation_id.map(|id| uuid(id.as_uuid())),
    );
    opt(
        &mut fields,
        "recipient_id",
        row.recipient_id.as_ref().map(|user| user.as_str()),
    );
    opt(
        &mut fields,
        "message_id",
        row.message_id.map(|id| uuid(id.as_uuid())),
    );
    opt(&mut fields, "error_code", row.error_code.as_deref());
    opt(&mut fields, "claimed_until", row.claimed_until.map(time));
    Ok(fields)
}

pub(crate) fn from_document(document: &Document) -> Result<Scheduled, Error> {
    let row = Row(document);
    Ok(Scheduled {
        id: ScheduledId::from_uuid(row.uuid("_id")?),
        user_id: row.user("user_id")?,
        client_id: row.opt_client("client_id")?,
        payload_hash: row.opt_text("payload_hash")?,
        conversation_id: row.opt_uuid("conversation_id")?.map(ConversationId::from_uuid),
        recipient_id: row.opt_user("recipient_id")?,
        message: row.must_json("message")?,
        send_at: row.time("send_at")?,
        state: row.name("state")?,
        message_id: row.opt_uuid("message_id")?.map(MessageId::from_uuid),
        error_code: row.opt_text("error_code")?,
        version: row.small("version")?,
        user_rev: row.uint("user_rev")?,
        claims: row.small("claims")?,
        claimed_until: row.opt_time("claimed_until")?,
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
    })
}
