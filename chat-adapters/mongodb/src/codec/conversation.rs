use std::time::Duration;

use chat_core::id::ConversationId;
use chat_core::model::{Conversation, DirectPair, Horizon, LastCountable, Retention};
use chat_core::text::fold;
use mongodb::bson::{Document, doc};

use super::key;
use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, int, json, opt, opt_json, time, uuid};

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn to_document(row: &Conversation) -> Result<Document, Error> {
    let countable = &row.last_countable;
    let mut fields = doc! {
        "kind": row.kind.column(),
        "created_by": row.created_by.as_str(),
        "created_at": time(row.created_at),
        "last_activity_at": time(row.last_activity_at),
        "changed_at": time(row.changed_at),
        "rev": int(row.rev),
        "last_seq": int(row.last_seq),
        "last_countable_seq": int(countable.seq),
        "last_countable_other_seq": int(countable.other_seq),
        "last_countable_other_at": time(countable.other_at),
        "members_rev": int(row.members_rev),
        "member_count": i64::from(row.member_count),
        "permissions": json(&row.permissions)?,
        "frozen": row.frozen,
        "sends_until": time(row.sends_until),
        "first_seq": int(row.horizon.first_seq),
        "min_rev": int(row.horizon.min_rev),
    };
    if let Some(pair) = &row.pair {
        fields.insert("pair", key::pair(pair));
        fields.insert("pair_low", pair.low().as_str());
        fields.insert("pair_high", pair.high().as_str());
    }
    opt(&mut fields, "name", row.name.as_deref());
    opt(&mut fields, "folded_name", row.name.as_deref().map(fold));
    opt(&mut fields, "description", row.description.as_deref());
    opt(&mut fields, "avatar", row.avatar.map(|id| uuid(id.as_uuid())));
    opt(
        &mut fields,
        "last_countable_sender",
        countable.sender.as_ref().map(|user| user.as_str()),
    );
    opt(&mut fields, "message_ttl_ms", row.message_ttl_ms.map(int));
    opt(&mut fields, "slow_mode_ms", row.slow_mode.map(millis));
    opt_json(&mut fields, "custom", &row.custom)?;
    opt(&mut fields, "dissolved_at", row.dissolved_at.map(time));
    opt(&mut fields, "oldest_at", row.horizon.oldest_at.map(time));
    // Derived: when the oldest message is past a retention of its own.
    match row.horizon.retention {
        None => {}
        Some(Retention::Forever) => {
            fields.insert("retention", -1_i64);
        }
        Some(Retention::For(time)) => {
            fields.insert("retention", millis(time));
            opt(
                &mut fields,
                "due_at",
                row.horizon.oldest_at.map(|at| at.after(time).as_millis()),
            );
        }
    }
    Ok(fields)
}

pub(crate) fn id(document: &Document) -> Result<ConversationId, Error> {
    Row(document).conversation("_id")
}

pub(crate) fn from_document(document: &Document) -> Result<Conversation, Error> {
    let row = Row(document);
    Ok(Conversation {
        id: id(document)?,
        kind: row.name("kind")?,
        pair: match (row.opt_user("pair_low")?, row.opt_user("pair_high")?) {
            (Some(low), Some(high)) => {
                Some(DirectPair::new(&low, &high).ok_or(Error::Decode("a pair of one"))?)
            }
            _ => None,
        },
        name: row.opt_text("name")?,
        description: row.opt_text("description")?,
        avatar: row.opt_attachment("avatar")?,
        created_by: row.user("created_by")?,
        created_at: row.time("created_at")?,
        last_activity_at: row.time("last_activity_at")?,
        changed_at: row.time("changed_at")?,
        rev: row.uint("rev")?,
        last_seq: row.uint("last_seq")?,
        last_countable: LastCountable {
            seq: row.uint("last_countable_seq")?,
            sender: row.opt_user("last_countable_sender")?,
            other_seq: row.uint("last_countable_other_seq")?,
            other_at: row.time("last_countable_other_at")?,
        },
        members_rev: row.uint("members_rev")?,
        member_count: row.small("member_count")?,
        permissions: row.must_json("permissions")?,
        frozen: row.flag("frozen")?,
        message_ttl_ms: row.opt_uint("message_ttl_ms")?,
        slow_mode: row.opt_uint("slow_mode_ms")?.map(Duration::from_millis),
        sends_until: row.time("sends_until")?,
        custom: row.json("custom")?,
        dissolved_at: row.opt_time("dissolved_at")?,
        horizon: Horizon {
            first_seq: row.uint("first_seq")?,
            min_rev: row.uint("min_rev")?,
            oldest_at: row.opt_time("oldest_at")?,
            retention: row.opt_int("retention")?.map(|millis| {
                u64::try_from(millis).map_or(Retention::Forever, |millis| {
                    Retention::For(Duration::from_millis(millis))
                })
            }),
        },
    })
}
