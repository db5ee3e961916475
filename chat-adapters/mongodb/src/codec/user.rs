use chat_core::model::{Account, AccountSession, Device, Erasure, User};
use chat_core::text::fold;
use mongodb::bson::{Document, doc};

use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, int, json, muted, opt, opt_json, time, uuid};

pub(crate) fn to_document(row: &User) -> Result<Document, Error> {
    let mut fields = doc! {
        "name": row.name.as_str(),
        "folded_name": fold(&row.name),
        "kind": row.kind.column(),
        "settings": json(&row.settings)?,
        "suspended": row.suspended,
        "created_at": time(row.created_at),
        "user_rev": int(row.user_rev),
    };
    opt(&mut fields, "avatar_url", row.avatar_url.as_deref());
    opt(&mut fields, "avatar", row.avatar.map(|id| uuid(id.as_uuid())));
    opt(&mut fields, "email", row.email.as_deref());
    opt(&mut fields, "phone", row.phone.as_deref());
    opt_json(&mut fields, "custom", &row.custom)?;
    opt_json(&mut fields, "presence", &row.presence)?;
    opt(&mut fields, "suspended_until", row.suspended_until.map(time));
    opt(&mut fields, "muted_until", row.muted.map(muted));
    opt(&mut fields, "last_seen_at", row.last_seen_at.map(time));
    if let Some(erasure) = row.erased {
        fields.insert("erased_at", time(erasure.at));
        fields.insert("erased_messages", erasure.messages.column());
        fields.insert("erasure_done", erasure.done);
    }
    Ok(fields)
}

pub(crate) fn from_document(document: &Document) -> Result<User, Error> {
    let row = Row(document);
    Ok(User {
        id: row.user("_id")?,
        name: row.text("name")?,
        avatar_url: row.opt_text("avatar_url")?,
        avatar: row.opt_attachment("avatar")?,
        kind: row.name("kind")?,
        email: row.opt_text("email")?,
        phone: row.opt_text("phone")?,
        custom: row.json("custom")?,
        settings: row.json("settings")?,
        presence: row.json("presence")?,
        suspended: row.flag("suspended")?,
        suspended_until: row.opt_time("suspended_until")?,
        muted: row.opt_muted("muted_until")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.opt_time("last_seen_at")?,
        user_rev: row.uint("user_rev")?,
        erased: match (row.opt_time("erased_at")?, row.opt_name("erased_messages")?) {
            (Some(at), Some(messages)) => Some(Erasure {
                at,
                messages,
                done: row.flag("erasure_done")?,
            }),
            _ => None,
        },
    })
}

pub(crate) fn device_to_document(row: &Device) -> Document {
    let mut fields = doc! {
        "_id": row.token.as_str(),
        "user_id": row.user_id.as_str(),
        "platform": row.platform.column(),
        "provider": row.provider.column(),
        "refreshed_at": time(row.refreshed_at),
    };
    opt(&mut fields, "login", row.login.as_deref());
    fields
}

pub(crate) fn device_from_document(document: &Document) -> Result<Device, Error> {
    let row = Row(document);
    Ok(Device {
        token: row.text("_id")?,
        user_id: row.user("user_id")?,
        platform: row.name("platform")?,
        provider: row.name("provider")?,
        refreshed_at: row.time("refreshed_at")?,
        login: row.opt_text("login")?,
    })
}

pub(crate) fn account_to_document(row: &Account) -> Document {
    let mut fields = doc! {
        "_id": row.user_id.as_str(),
        "email": row.email.as_str(),
        "password_hash": row.password_hash.as_str(),
        "created_at": time(row.created_at),
    };
    opt(&mut fields, "phone", row.phone.as_deref());
    fields
}

pub(crate) fn account_from_document(document: &Document) -> Result<Account, Error> {
    let row = Row(document);
    Ok(Account {
        user_id: row.user("_id")?,
        email: row.text("email")?,
        phone: row.opt_text("phone")?,
        password_hash: row.text("password_hash")?,
        created_at: row.time("created_at")?,
    })
}

pub(crate) fn session_to_document(row: &AccountSession) -> Document {
    doc! { "_id": row.id.as_str(), "user_id": row.user_id.as_str(), "expires_at": time(row.expires_at) }
}

pub(crate) fn session_from_document(document: &Document) -> Result<AccountSession, Error> {
    let row = Row(document);
    Ok(AccountSession {
        id: row.text("_id")?,
        user_id: row.user("user_id")?,
        expires_at: row.time("expires_at")?,
    })
}
