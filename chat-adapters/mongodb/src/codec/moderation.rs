use chat_core::id::{AuditId, ConversationId, ReportId};
use chat_core::model::{AuditEntry, Report, ReportTarget, Resolution};
use mongodb::bson::{Document, doc};

use super::key;
use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, json, opt, opt_json, time, uuid, uuids};

pub(crate) fn report_to_document(row: &Report) -> Result<Document, Error> {
    let mut fields = doc! {
        "reporter": row.reporter.as_str(),
        "target_kind": row.target.kind(),
        "target_id": row.target.id(),
        "user_id": row.user_id.as_str(),
        "reason": row.reason.column(),
        "created_at": time(row.created_at),
        "open": row.resolution.is_none(),
    };
    opt(
        &mut fields,
        "conversation_id",
        row.conversation_id.map(|id| uuid(id.as_uuid())),
    );
    opt(&mut fields, "note", row.note.as_deref());
    opt(
        &mut fields,
        "message",
        row.message.as_ref().map(json).transpose()?,
    );
    match &row.resolution {
        // Only of open ones: what there is one of, and the files that are not swept.
        None => {
            fields.insert("open_key", key::report(&row.reporter, &row.target));
            if !row.files().is_empty() {
                fields.insert("files", uuids(row.files().iter().map(|id| id.as_uuid())));
            }
        }
        Some(resolution) => {
            fields.insert("resolved_at", time(resolution.at));
            fields.insert("resolved_by", resolution.by.as_str());
            fields.insert("action", resolution.action.column());
            opt(&mut fields, "resolution_note", resolution.note.as_deref());
        }
    }
    Ok(fields)
}

pub(crate) fn report_id(document: &Document) -> Result<ReportId, Error> {
    Row(document).uuid("_id").map(ReportId::from_uuid)
}

pub(crate) fn report_from_document(document: &Document) -> Result<Report, Error> {
    let row = Row(document);
    let (kind, id) = (row.text("target_kind")?, row.text("target_id")?);
    Ok(Report {
        id: report_id(document)?,
        reporter: row.user("reporter")?,
        target: ReportTarget::parse(&kind, &id).ok_or(Error::Decode("target"))?,
        user_id: row.user("user_id")?,
        conversation_id: row.opt_uuid("conversation_id")?.map(ConversationId::from_uuid),
        reason: row.name("reason")?,
        note: row.opt_text("note")?,
        created_at: row.time("created_at")?,
        message: match row.opt_text("message")? {
            Some(text) => Some(serde_json::from_str(&text)?),
            None => None,
        },
        resolution: match (
            row.opt_time("resolved_at")?,
            row.opt_user("resolved_by")?,
            row.opt_name("action")?,
        ) {
            (Some(at), Some(by), Some(action)) => Some(Resolution {
                at,
                by,
                action,
                note: row.opt_text("resolution_note")?,
            }),
            _ => None,
        },
    })
}

pub(crate) fn audit_to_document(row: &AuditEntry) -> Result<Document, Error> {
    let mut fields = doc! {
        "at": time(row.at),
        "action": row.action.column(),
        "target_kind": row.target.column(),
        "target_id": row.target_id.as_str(),
    };
    opt(&mut fields, "actor", row.actor.as_ref().map(|user| user.as_str()));
    opt(
        &mut fields,
        "conversation_id",
        row.conversation_id.map(|id| uuid(id.as_uuid())),
    );
    opt_json(&mut fields, "details", &row.details)?;
    Ok(fields)
}

pub(crate) fn audit_from_document(document: &Document) -> Result<AuditEntry, Error> {
    let row = Row(document);
    Ok(AuditEntry {
        id: AuditId::from_uuid(row.uuid("_id")?),
        at: row.time("at")?,
        actor: row.opt_user("actor")?,
        action: row.name("action")?,
        target: row.name("target_kind")?,
        target_id: row.text("target_id")?,
        conversation_id: row.opt_uuid("conversation_id")?.map(ConversationId::from_uuid),
        details: row.json("details")?,
    })
}
