//! Every table of the schema against the export and the erasure of a user: a new one fails here until somebody has
//! decided what becomes of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failed expectation is a panic"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chat_core::ChatEngine;
use chat_core::command::{
    ConversationSettings, CreateGroup, DeleteMessage, DeletionScope, EditMessage, Marks, NewReport,
    OpenDirect, ReactTo, RegisterDevice, ScheduleMessage, SendMessage, StarMessage,
};
use chat_core::id::{AttachmentId, ClientId, ConversationId, UserId};
use chat_core::model::{
    Account, AccountSession, Attachment, AttachmentKind, AttachmentState, ErasedMessages, MessageKind, Muted,
    NewUser, Platform, Provider, ReportReason,
};
use chat_core::store::{AccountStore, AttachmentStore, UserStore};
use chat_core::time::{SystemClock, Timestamp};
use chat_sqlite::SqliteStore;
use futures::StreamExt;
use sqlx::{Connection, Row, SqliteConnection};

/// Who is erased; a name that occurs in nothing else.
const ZOE: &str = "zoe-the-erased";

/// Every table: what of it is in an export, and what becomes of it when its user is erased.
const TABLES: &[(&str, &str, &str)] = &[
    ("chat_state", "nothing of users", "nothing"),
    ("chat_migrations", "nothing of users", "nothing"),
    ("chat_users", "`user` and `settings`", "wiped; the id stays taken"),
    (
        "chat_conversations",
        "id, kind and name, in `membership`",
        "stays: the others'; directs are frozen",
    ),
    (
        "chat_members",
        "`membership`",
        "settings go; role, intervals and marks stay for the others' counts",
    ),
    ("chat_member_intervals", "derived from chat_members", "stays"),
    ("chat_messages", "`message`", "tombstones, or stay by `keep`"),
    (
        "chat_search",
        "derived from chat_messages",
        "entries go with the texts",
    ),
    (
        "chat_message_files",
        "derived from chat_messages",
        "with the messages",
    ),
    (
        "chat_outbox",
        "nothing: on its way out to the host",
        "goes by itself when it was delivered or given up",
    ),
    (
        "chat_mutes",
        "`mute`",
        "his own gone; others' mutes of him are theirs and end by themselves",
    ),
    (
        "chat_reports",
        "`report`",
        "his own gone; those about him stay with the moderators",
    ),
    (
        "chat_report_files",
        "derived from chat_reports",
        "with the reports",
    ),
    ("chat_audit", "nothing: the host's log", "stays: the host's log"),
    ("chat_stars", "`star`", "gone"),
    (
        "chat_former_texts",
        "`former_text`",
        "gone with the message, or stay by `keep`",
    ),
    (
        "chat_user_search",
        "derived from chat_users",
        "entries go with the names",
    ),
    (
        "chat_mentions",
        "derived from the messages of others",
        "stays: theirs",
    ),
    ("chat_hides", "`hide`", "gone"),
    ("chat_advances", "`mark`", "gone"),
    ("chat_reactions", "`reaction`", "gone, or stay by `keep`"),
    ("chat_blocks", "`block`", "his own gone, others' lifted"),
    ("chat_devices", "`device`", "gone"),
    ("chat_scheduled", "`scheduled`", "gone"),
    (
        "chat_attachments",
        "`attachment`",
        "unused ones gone, others with their message",
    ),
    (
        "chat_accounts",
        "`other` of the part `account`",
        "gone, by the part `account`",
    ),
    (
        "chat_account_sessions",
        "`other` of the part `account`",
        "gone, by the part `account`",
    ),
];

/// Where his id may stand after his erasure: it names nobody any more.
const ID_STAYS: &[(&str, &str)] = &[
    ("chat_users", "id"),
    ("chat_conversations", "pair_low"),
    ("chat_conversations", "pair_high"),
    ("chat_conversations", "created_by"),
    ("chat_conversations", "last_countable_sender"),
    ("chat_members", "user_id"),
    ("chat_member_intervals", "user_id"),
    ("chat_messages", "sender_id"),
    ("chat_messages", "content"),
    ("chat_messages", "mentions"),
    ("chat_messages", "kept_by"),
    ("chat_messages", "pinned_by"),
    ("chat_mentions", "user_id"),
    // The lifted block is an entry of the blocker's change log.
    ("chat_blocks", "blocked"),
    // His name in the list of somebody who muted him.
    ("chat_mutes", "muted"),
    ("chat_attachments", "uploader"),
];

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

async fn tables(raw: &mut SqliteConnection) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
         AND name NOT LIKE 'chat_search_%' AND name NOT LIKE 'chat_user_search_%' ORDER BY name",
    )
    .fetch_all(raw)
    .await
    .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Columns, as table and name, that hold a text somewhere.
async fn holding(raw: &mut SqliteConnection, text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for table in tables(raw).await {
        if table.ends_with("_search") {
            // An index without texts of its own.
            continue;
        }
        let columns = sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA table_info({table})")))
            .fetch_all(&mut *raw)
            .await
            .unwrap();
        for column in columns {
            let column: String = column.get("name");
            let count = sqlx::AssertSqlSafe(format!(
                "SELECT count(*) FROM {table} WHERE instr(CAST({column} AS TEXT), ?1) > 0"
            ));
            let count: i64 = sqlx::query(count)
                .bind(text.to_owned())
                .fetch_one(&mut *raw)
                .await
                .unwrap()
                .get(0);
            if count > 0 {
                found.insert((table.clone(), column));
            }
        }
    }
    found
}

fn upload(uploader: &UserId) -> Attachment {
    Attachment {
        id: AttachmentId::from_uuid(uuid::Uuid::now_v7()),
        uploader: uploader.clone(),
        kind: AttachmentKind::Image,
        filename: "secret.png".to_owned(),
        mime_type: "image/png".to_owned(),
        size: 1,
        width: None,
        height: None,
        duration_ms: None,
        state: AttachmentState::Pending,
        created_at: Timestamp::from_millis(1),
    }
}

/// Puts something of the user into every table that can hold something of a user.
async fn live(engine: &ChatEngine, store: &SqliteStore) -> ConversationId {
    let [zoe, ben, cem] = [ZOE, "ben", "cem"].map(user);
    let new = NewUser {
        name: Some("secret name".to_owned()),
        avatar_url: Some("https://example.com/secret".to_owned()),
        email: Some("secret@example.com".to_owned()),
        phone: Some("secret phone".to_owned()),
        ..NewUser::new(zoe.clone())
    };
    store.ensure_user(new, Timestamp::default()).await.unwrap();
    for other in [&ben, &cem] {
        store
            .ensure_user(NewUser::new(other.clone()), Timestamp::default())
            .await
            .unwrap();
    }
    let account = Account {
        user_id: zoe.clone(),
        email: "secret@example.com".to_owned(),
        phone: None,
        password_hash: "secret hash".to_owned(),
        created_at: Timestamp::default(),
    };
    assert!(store.add_account(account).await.unwrap());
    let login = AccountSession {
        id: "secret login".to_owned(),
        user_id: zoe.clone(),
        expires_at: Timestamp::from_millis(9),
    };
    store
        .add_account_session(login, Timestamp::default())
        .await
        .unwrap();
    let (me, peer) = (engine.as_user(&zoe), engine.as_user(&ben));
    let open = OpenDirect { user_id: ben.clone() };
    let direct = me.open_direct(open).await.unwrap().conversation.id;
    let group = CreateGroup {
        name: "Trip".to_owned(),
        member_ids: vec![ben.clone(), cem.clone()],
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    };
    let group = me.create_group(group).await.unwrap().conversation.id;
    let keyed = SendMessage {
        client_id: Some(ClientId::new("secret key").unwrap()),
        mentions: vec![ben.clone()],
        ..SendMessage::text(group, "secret text")
    };
    let sent = me.send(keyed).await.unwrap().message;
    let edit = EditMessage {
        message_id: sent.id,
        text: "secret text, edited".to_owned(),
        mentions: None,
        expected_version: None,
    };
    me.edit(edit).await.unwrap();
    let (shown, unused) = (upload(&zoe), upload(&zoe));
    for file in [&shown, &unused] {
        store.add_attachment(file.clone()).await.unwrap();
    }
    let picture = SendMessage {
        conversation_id: Some(direct),
        kind: MessageKind::Image,
        attachment_ids: vec![shown.id],
        ..SendMessage::default()
    };
    me.send(picture).await.unwrap();
    let theirs = SendMessage {
        mentions: vec![zoe.clone()],
        ..SendMessage::text(group, "of ben")
    };
    let theirs = peer.send(theirs).await.unwrap().message;
    let react = ReactTo {
        message_id: theirs.id,
        emoji: "👍".to_owned(),
    };
    me.add_reaction(react).await.unwrap();
    let read = Marks {
        conversation_id: Some(group),
        seq: Some(theirs.seq),
        marks: None,
    };
    me.mark_read(read).await.unwrap();
    let hide = DeleteMessage {
        message_id: theirs.id,
        scope: DeletionScope::Me,
    };
    me.delete_message(hide).await.unwrap();
    let settings = ConversationSettings {
        muted_until: Some(Some(Muted::Forever)),
        ..ConversationSettings::default()
    };
    me.update_conversation_settings(group, settings).await.unwrap();
    let device = RegisterDevice {
        token: "secret token".to_owned(),
        platform: Platform::Web,
        provider: Provider::Fcm,
    };
    me.register_device(device).await.unwrap();
    let later = engine.now().after(Duration::from_secs(3600));
    let later = ScheduleMessage::new(SendMessage::text(group, "secret plan"), later);
    me.schedule(later).await.unwrap();
    let other = peer
        .send(SendMessage::text(group, "also of ben"))
        .await
        .unwrap()
        .message;
    let report = NewReport {
        note: Some("secret note".to_owned()),
        ..NewReport::of_message(other.id, ReportReason::Spam)
    };
    me.report(report).await.unwrap();
    me.mute_user(&ben, Muted::Forever).await.unwrap();
    let star = StarMessage { message_id: other.id };
    me.star_message(star).await.unwrap();
    me.block(&cem).await.unwrap();
    engine.as_user(&cem).block(&zoe).await.unwrap();
    group
}

#[derive(Debug)]
struct AccountPart(SqliteStore);

#[async_trait::async_trait]
impl chat_core::port::UserData for AccountPart {
    fn name(&self) -> &'static str {
        "account"
    }

    async fn export(&self, user: &UserId) -> chat_core::error::ChatResult<Vec<serde_json::Value>> {
        let account = self.0.account(user).await?;
        Ok(account.into_iter().map(|account| account.email.into()).collect())
    }

    async fn erase(&self, user: &UserId) -> chat_core::error::ChatResult<()> {
        Ok(self.0.erase_account(user).await?)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_exported_and_erased_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let store = SqliteStore::from_path(&path, Arc::new(SystemClock))
        .await
        .unwrap();
    let engine = ChatEngine::builder(Arc::new(store.clone()))
        .with_user_data(Arc::new(AccountPart(store.clone())))
        .build();
    live(&engine, &store).await;
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let listed: BTreeSet<String> = TABLES.iter().map(|(table, ..)| (*table).to_owned()).collect();
    let present: BTreeSet<String> = tables(&mut raw).await.into_iter().collect();
    assert_eq!(
        present, listed,
        "what becomes of a new table when its user is exported or erased?"
    );
    // Every kind of record the table above promises is there.
    let records: Vec<serde_json::Value> = engine
        .export_user(&user(ZOE))
        .await
        .unwrap()
        .map(|record| serde_json::to_value(record.unwrap()).unwrap())
        .collect()
        .await;
    let kinds: BTreeSet<&str> = records
        .iter()
        .map(|record| record["type"].as_str().unwrap())
        .collect();
    let promised: BTreeSet<&str> = (TABLES.iter())
        .flat_map(|(_, exported, _)| exported.split('`').skip(1).step_by(2))
        .filter(|kind| *kind != "account")
        .chain(["end"])
        .collect();
    assert_eq!(kinds, promised);
    let before = holding(&mut raw, "secret").await;
    assert!(before.len() >= 9, "{before:?}");
    engine
        .erase_user(&user(ZOE), ErasedMessages::Delete)
        .await
        .unwrap();
    let allowed: BTreeSet<(String, String)> = (ID_STAYS.iter())
        .map(|(table, column)| ((*table).to_owned(), (*column).to_owned()))
        .collect();
    let left: Vec<_> = holding(&mut raw, ZOE)
        .await
        .into_iter()
        .filter(|place| !allowed.contains(place))
        .collect();
    assert_eq!(left, []);
    // A deleted file keeps its name until its bytes are gone, a tombstone its sender's key.
    let left: Vec<_> = holding(&mut raw, "secret").await.into_iter().collect();
    let named = |table: &str, column: &str| (table.to_owned(), column.to_owned());
    let meant = [
        named("chat_attachments", "filename"),
        named("chat_messages", "client_id"),
    ];
    assert!(left.iter().all(|place| meant.contains(place)), "{left:?}");
    let files = sqlx::query("SELECT count(*) FROM chat_attachments WHERE state <> 'deleted'")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(files.get::<i64, _>(0), 0);
}
