//! Everything the database holds, row by row, in the order of `_id` unless the port names another.

use async_trait::async_trait;
use chat_core::archive::{
    ArchiveKind, ArchiveRow, ArchiveStore, ArchivedAdvance, ArchivedBlock, ArchivedMute, ArchivedOutbox,
};
use chat_core::error::BackendResult;
use chat_core::model::Advance;
use mongodb::bson::{Bson, Document, doc};

use super::writes::Draft;
use super::{MongoStore, Named, outbox};
use crate::codec::{
    attachment, conversation, key, member, message, moderation, personal, receipt, scheduled, user,
};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::row::{Row, int, muted, opt, time, uuid};

const fn collection(kind: ArchiveKind) -> Collection {
    match kind {
        ArchiveKind::Users => Collection::Users,
        ArchiveKind::Accounts => Collection::Accounts,
        ArchiveKind::Logins => Collection::Sessions,
        ArchiveKind::Devices => Collection::Devices,
        ArchiveKind::Attachments => Collection::Attachments,
        ArchiveKind::Conversations => Collection::Conversations,
        ArchiveKind::Members => Collection::Members,
        ArchiveKind::Messages => Collection::Messages,
        ArchiveKind::FormerTexts => Collection::FormerTexts,
        ArchiveKind::Reactions => Collection::Reactions,
        ArchiveKind::Advances => Collection::Advances,
        ArchiveKind::Hides => Collection::Hides,
        ArchiveKind::Stars => Collection::Stars,
        ArchiveKind::Blocks => Collection::Blocks,
        ArchiveKind::Mutes => Collection::Mutes,
        ArchiveKind::Reports => Collection::Reports,
        ArchiveKind::Audit => Collection::Audit,
        ArchiveKind::Scheduled => Collection::Scheduled,
        ArchiveKind::Outbox => Collection::Outbox,
    }
}

/// Every document but the graves.
fn there() -> Document {
    doc! { "gone": null }
}

fn read(kind: ArchiveKind, found: &Document) -> Result<ArchiveRow, Error> {
    let row = Row(found);
    Ok(match kind {
        ArchiveKind::Users => ArchiveRow::User(Box::new(user::from_document(found)?)),
        ArchiveKind::Accounts => ArchiveRow::Account(user::account_from_document(found)?),
        ArchiveKind::Logins => ArchiveRow::Login(user::session_from_document(found)?),
        ArchiveKind::Devices => ArchiveRow::Device(user::device_from_document(found)?),
        ArchiveKind::Attachments => ArchiveRow::Attachment(attachment::from_document(found)?),
        ArchiveKind::Conversations => ArchiveRow::Conversation(Box::new(conversation::from_document(found)?)),
        ArchiveKind::Members => ArchiveRow::Member(Box::new(member::from_document(found)?)),
        ArchiveKind::Messages => ArchiveRow::Message(Box::new(message::from_document(found)?)),
        ArchiveKind::FormerTexts => ArchiveRow::FormerText(receipt::former_text_from_document(found)?),
        ArchiveKind::Reactions => ArchiveRow::Reaction(receipt::reaction_from_document(found)?),
        ArchiveKind::Advances => ArchiveRow::Advance(ArchivedAdvance {
            advance: Advance {
                conversation_id: row.conversation("conversation_id")?,
                user_id: row.user("user_id")?,
                read: receipt::audience(row.int("step")?)?,
                from: row.uint("from_seq")?,
                to: row.uint("to_seq")?,
                at: row.time("at")?,
            },
            timeless: row.flag("timeless")?,
        }),
        ArchiveKind::Hides => ArchiveRow::Hide(receipt::hide_from_document(found)?),
        ArchiveKind::Stars => ArchiveRow::Star(personal::star_from_document(found)?),
        ArchiveKind::Blocks => ArchiveRow::Block(ArchivedBlock {
            block: personal::block_from_document(found)?,
            stands: row.flag("active")?,
            user_rev: row.uint("user_rev")?,
        }),
        ArchiveKind::Mutes => ArchiveRow::Mute(ArchivedMute {
            user: row.user("user_id")?,
            muted: row.user("muted")?,
            until: row.opt_muted("until")?,
            user_rev: row.uint("user_rev")?,
        }),
        ArchiveKind::Reports => ArchiveRow::Report(Box::new(moderation::report_from_document(found)?)),
        ArchiveKind::Audit => ArchiveRow::Audit(Box::new(moderation::audit_from_document(found)?)),
        ArchiveKind::Scheduled => ArchiveRow::Scheduled(Box::new(scheduled::from_document(found)?)),
        ArchiveKind::Outbox => {
            let claimed = outbox::entry(found)?;
            ArchiveRow::Outbox(ArchivedOutbox {
                entry: claimed.entry,
                attempts: claimed.attempts,
            })
        }
    })
}

/// The `_id` of a row that has one of its own.
fn id(row: &ArchiveRow) -> Option<Bson> {
    Some(match row {
        ArchiveRow::User(row) => row.id.as_str().into(),
        ArchiveRow::Account(row) => row.user_id.as_str().into(),
        ArchiveRow::Login(row) => row.id.as_str().into(),
        ArchiveRow::Device(row) => row.token.as_str().into(),
        ArchiveRow::Attachment(row) => uuid(row.id.as_uuid()),
        ArchiveRow::Conversation(row) => uuid(row.id.as_uuid()),
        ArchiveRow::Member(row) => key::member(row.conversation_id, &row.user_id).into(),
        ArchiveRow::Message(row) => key::message(row.conversation_id, row.seq).into(),
        ArchiveRow::FormerText(row) => key::former_text(row.message_id, row.version).into(),
        ArchiveRow::Reaction(row) => key::reaction(row.message_id, &row.user_id, &row.emoji).into(),
        ArchiveRow::Hide(row) => key::of_message(&row.user_id, row.message_id).into(),
        ArchiveRow::Star(row) => key::of_message(&row.star.user_id, row.star.message_id).into(),
        ArchiveRow::Block(row) => key::about(&row.block.blocker, &row.block.blocked).into(),
        ArchiveRow::Mute(row) => key::about(&row.user, &row.muted).into(),
        ArchiveRow::Report(row) => uuid(row.id.as_uuid()),
        ArchiveRow::Audit(row) => uuid(row.id.as_uuid()),
        ArchiveRow::Scheduled(row) => uuid(row.id.as_uuid()),
        // Their `_id` is their place in the order of commits.
        ArchiveRow::Advance(_) | ArchiveRow::Outbox(_) => return None,
    })
}

/// What finds a row whose `_id` is its place.
fn by_content(row: &ArchiveRow) -> Document {
    match row {
        ArchiveRow::Advance(ArchivedAdvance { advance, .. }) => doc! {
            "conversation_id": uuid(advance.conversation_id.as_uuid()),
            "user_id": advance.user_id.as_str(),
            "step": receipt::step(advance.read),
            "to_seq": int(advance.to),
        },
        ArchiveRow::Outbox(row) => doc! { "id": uuid(row.entry.id) },
        row => doc! { "_id": id(row).unwrap_or(Bson::Null) },
    }
}

/// Documents behind a row, in the order of their kind.
async fn behind(
    database: &Database,
    kind: ArchiveKind,
    after: Option<&ArchiveRow>,
) -> Result<(Document, Document), Error> {
    let from = collection(kind);
    let mut filter = there();
    let order = match kind {
        ArchiveKind::Reactions => doc! { "place": 1 },
        ArchiveKind::Audit => doc! { "at": 1, "_id": 1 },
        _ => doc! { "_id": 1 },
    };
    match (kind, after) {
        (_, None) => {}
        (ArchiveKind::Reactions, Some(row)) => {
            let place = database
                .find(from, by_content(row), |found| Row(found).int("place"))
                .await?;
            filter.insert("place", doc! { "$gt": place.unwrap_or(0) });
        }
        (ArchiveKind::Advances | ArchiveKind::Outbox, Some(row)) => {
            let place = database
                .find(from, by_content(row), |found| Row(found).int("_id"))
                .await?;
            filter.insert("_id", doc! { "$gt": place.unwrap_or(0) });
        }
        (_, Some(ArchiveRow::Audit(row))) => {
            let (at, id) = (time(row.at), uuid(row.id.as_uuid()));
            let same = doc! { "at": at, "_id": { "$gt": id } };
            filter.insert("$or", vec![doc! { "at": { "$gt": at } }, same]);
        }
        (_, Some(row)) => {
            filter.insert("_id", doc! { "$gt": id(row).unwrap_or(Bson::MinKey) });
        }
    }
    Ok((filter, order))
}

/// Adds a row to a commit, as if a change had written it.
fn restore(draft: &mut Draft, row: &ArchiveRow, number: i64) -> Result<(), Error> {
    let fields = match row {
        ArchiveRow::User(row) => user::to_document(row)?,
        ArchiveRow::Account(row) => user::account_to_document(row),
        ArchiveRow::Login(row) => user::session_to_document(row),
        ArchiveRow::Device(row) => user::device_to_document(row),
        ArchiveRow::Attachment(row) => attachment::to_document(row),
        ArchiveRow::Conversation(row) => conversation::to_document(row)?,
        ArchiveRow::Member(row) => member::to_document(row)?,
        ArchiveRow::Message(row) => message::to_document(row, number)?,
        ArchiveRow::FormerText(row) => receipt::former_text_to_document(row),
        ArchiveRow::Reaction(row) => receipt::reaction_to_document(row, draft.next(number)),
        ArchiveRow::Hide(row) => receipt::hide_to_document(row),
        ArchiveRow::Star(row) => personal::star_to_document(row),
        ArchiveRow::Block(row) => personal::block_to_document(&row.block, row.stands, row.user_rev),
        ArchiveRow::Mute(row) => {
            let mut fields = doc! {
                "user_id": row.user.as_str(), "muted": row.muted.as_str(), "user_rev": int(row.user_rev),
            };
            opt(&mut fields, "until", row.until.map(muted));
            fields
        }
        ArchiveRow::Report(row) => moderation::report_to_document(row)?,
        ArchiveRow::Audit(row) => moderation::audit_to_document(row)?,
        ArchiveRow::Scheduled(row) => scheduled::to_document(row)?,
        ArchiveRow::Advance(row) => {
            let place = draft.next(number);
            let mut fields = receipt::advance_to_document(&row.advance);
            fields.insert("timeless", row.timeless);
            draft.plan.put(Collection::Advances, place, fields);
            return Ok(());
        }
        ArchiveRow::Outbox(row) => {
            let place = draft.entry(&row.entry, number);
            draft.plan.set(
                Collection::Outbox,
                place,
                doc! { "attempts": i64::from(row.attempts) },
            );
            return Ok(());
        }
    };
    let id = id(row).ok_or(Error::Decode("_id"))?;
    draft.plan.put(collection(row.kind()), id, fields);
    Ok(())
}

#[async_trait]
impl ArchiveStore for MongoStore {
    async fn archive_count(&self, kind: ArchiveKind) -> BackendResult<u64> {
        let counted = async {
            self.settled().await?;
            self.database().count(collection(kind), there(), None).await
        };
        counted.await.named("archive_count")
    }

    async fn archive_rows(
        &self,
        kind: ArchiveKind,
        after: Option<&ArchiveRow>,
        limit: usize,
    ) -> BackendResult<Vec<ArchiveRow>> {
        let after = after.filter(|row| row.kind() == kind);
        let found = async {
            self.settled().await?;
            let (filter, order) = behind(self.database(), kind, after).await?;
            let find = Find::all(filter).sorted(order).limited(limit);
            self.database()
                .list(collection(kind), find, |found| read(kind, found))
                .await
        };
        found.await.named("archive_rows")
    }

    async fn restore_rows(&self, rows: Vec<ArchiveRow>) -> BackendResult<()> {
        let rows: std::sync::Arc<[ArchiveRow]> = rows.into();
        self.write("restore_rows", move |database, first| {
            let rows = std::sync::Arc::clone(&rows);
            Box::pin(async move {
                let mut draft = Draft::default();
                draft.taken_lanes = outbox::lanes(&database, &rows).await?;
                for row in rows.iter() {
                    let number = first.saturating_add(draft.plan.change());
                    restore(&mut draft, row, number)?;
                    draft.plan.next_change();
                }
                Ok((draft.plan, ()))
            })
        })
        .await
    }
}
