use chat_core::model::Member;
use mongodb::bson::{Document, doc};

use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, int, json, muted, opt, time, uuid};

pub(crate) fn to_document(row: &Member) -> Result<Document, Error> {
    let mut fields = doc! {
        "conversation_id": uuid(row.conversation_id.as_uuid()),
        "user_id": row.user_id.as_str(),
        "role": row.role.column(),
        "state": row.state.column(),
        "joined_at": time(row.joined_at),
        "intervals": json(&row.intervals)?,
        "delivered_seq": int(row.delivered_seq),
        "read_seq": int(row.read_seq),
        "contacts_read_seq": int(row.contacts_read_seq),
        "public_read_seq": int(row.public_read_seq),
        "unread_floor": int(row.unread_floor),
        "visible_from": int(row.visible_from),
        "notification_level": row.notification_level.column(),
        "rev": int(row.rev),
        "user_rev": int(row.user_rev),
        "reset_user_rev": int(row.reset_user_rev),
    };
    opt(&mut fields, "unread_from", row.unread_from.map(int));
    opt(&mut fields, "pinned_at", row.pinned_at.map(time));
    opt(&mut fields, "muted_until", row.muted.map(muted));
    opt(&mut fields, "archived_seq", row.archived_seq.map(int));
    opt(&mut fields, "hidden_seq", row.hidden_seq.map(int));
    opt(&mut fields, "silenced_until", row.silenced.map(muted));
    opt(&mut fields, "last_sent_at", row.last_sent_at.map(time));
    Ok(fields)
}

pub(crate) fn from_document(document: &Document) -> Result<Member, Error> {
    let row = Row(document);
    Ok(Member {
        conversation_id: row.conversation("conversation_id")?,
        user_id: row.user("user_id")?,
        role: row.name("role")?,
        state: row.name("state")?,
        joined_at: row.time("joined_at")?,
        intervals: row.json("intervals")?,
        delivered_seq: row.uint("delivered_seq")?,
        read_seq: row.uint("read_seq")?,
        contacts_read_seq: row.uint("contacts_read_seq")?,
        public_read_seq: row.uint("public_read_seq")?,
        unread_floor: row.uint("unread_floor")?,
        visible_from: row.uint("visible_from")?,
        unread_from: row.opt_uint("unread_from")?,
        pinned_at: row.opt_time("pinned_at")?,
        muted: row.opt_muted("muted_until")?,
        archived_seq: row.opt_uint("archived_seq")?,
        hidden_seq: row.opt_uint("hidden_seq")?,
        notification_level: row.name("notification_level")?,
        silenced: row.opt_muted("silenced_until")?,
        last_sent_at: row.opt_time("last_sent_at")?,
        rev: row.uint("rev")?,
        user_rev: row.uint("user_rev")?,
        reset_user_rev: row.uint("reset_user_rev")?,
    })
}
