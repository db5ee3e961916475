//! The plans SQLite makes for hot statements, as tests: a rewrite that loses its index fails here, not in production.

use sqlx::{ConnectOptions, Row, SqliteConnection};

use super::{
    attachment, connect_options, conversation, facts, history, inbox, mention, message, moderation, outbox,
    personal, purge, reaction, receipt, retention, scheduled, search, star, sync, user,
};
use crate::config::SqliteConfig;
use crate::schema;

/// Every statement that runs often, by name.
const HOT: &[(&str, &str)] = &[
    ("facts of a conversation", facts::CONVERSATION),
    ("facts of a direct", facts::DIRECT),
    ("facts of members", facts::CONVERSATION_MEMBERS),
    ("facts of a direct's members", facts::DIRECT_MEMBERS),
    ("facts of a send", facts::CONVERSATION_REPLAY),
    ("facts of a send in a direct", facts::DIRECT_REPLAY),
    ("facts of all members", facts::MEMBERS),
    ("facts of messages", facts::MESSAGES),
    ("facts of hides", facts::HIDDEN),
    ("facts of a replay", facts::REPLAY),
    ("facts of reactions", facts::REACTIONS),
    ("facts of blocks", facts::BLOCKS),
    ("facts of files", facts::ATTACHMENTS),
    ("facts of pins", facts::PINS),
    ("facts of restrictions", facts::RESTRICTIONS),
    ("facts of an open report", moderation::OPEN),
    ("inbox", inbox::LIST),
    ("inbox by id", inbox::BY_ID),
    ("badge", inbox::TOTALS),
    ("counts of the list", inbox::COUNTS),
    ("mentions", mention::LIST),
    ("search of people", user::INDEXED),
    ("history down", history::ANY.down),
    ("history up", history::ANY.up),
    ("history exists", history::ANY.exists),
    ("history of texts", history::TEXT.down),
    ("history of a kind down", history::OTHER.down),
    ("history of a kind up", history::OTHER.up),
    ("history of a kind exists", history::OTHER.exists),
    ("search", search::INDEXED),
    ("search of a short text", search::SCANNED),
    ("changed conversations", sync::CHANGED),
    ("changed conversations of several", sync::CHANGED_FOR),
    ("rev at a position", sync::REV_AT),
    ("changed messages", sync::MESSAGES),
    ("changed and expired messages", sync::EXPIRED),
    ("changed hides", sync::HIDES),
    ("marks", receipt::FIRST_STEPS),
    ("marks before blocks", receipt::BEFORE_BLOCKS),
    ("reactions", reaction::SUMMARIES),
    ("purged texts", purge::INDEXED),
    ("purged hides", purge::HANGING[0]),
    ("purged reactions", purge::HANGING[1]),
    ("purged uses of files", purge::HANGING[2]),
    ("purged former texts", purge::HANGING[3]),
    ("purged stars", purge::HANGING[4]),
    ("purged mentions", purge::HANGING[5]),
    ("purged messages", purge::MESSAGES),
    ("due by policy", retention::DUE_BY_POLICY),
    ("due by themselves", retention::DUE_BY_THEMSELVES),
    ("oldest messages", retention::OLDEST),
    ("memberships", personal::MEMBERSHIPS),
    ("sent messages", personal::SENT),
    ("reactions of a user", personal::REACTIONS),
    ("hides of a user", personal::HIDES),
    ("steps of a user", personal::STEPS),
    ("blocks of a user", personal::BLOCKS),
    ("uploads of a user", personal::UPLOADS),
    ("reports of a user", personal::REPORTS),
    ("erased rows, 0", personal::ERASE[0]),
    ("erased rows, 1", personal::ERASE[1]),
    ("erased rows, 2", personal::ERASE[2]),
    ("erased rows, 3", personal::ERASE[3]),
    ("erased rows, 4", personal::ERASE[4]),
    ("erased rows, 5", personal::ERASE[5]),
    ("erased rows, 6", personal::ERASE[6]),
    ("erased rows, 7", personal::ERASE[7]),
    ("erased rows, 8", personal::ERASE[8]),
    ("old steps", retention::OLD_STEPS),
    ("superseded steps", retention::SUPERSEDED),
    ("due entries", outbox::DUE),
    ("entries of a lease", outbox::RELEASE),
    ("keys with entries", outbox::KEYS),
    ("backlog", outbox::BACKLOG),
    ("pending scheduled messages", scheduled::PENDING),
    ("scheduled messages", scheduled::LIST),
    ("changed scheduled messages", scheduled::CHANGED),
    ("whether one is due", scheduled::IS_DUE),
    ("claims", scheduled::CLAIM),
    ("old scheduled messages", scheduled::FORGET),
    ("messages", message::GET),
    ("pinned messages", message::PINNED),
    ("starred messages", star::STARRED),
    ("starred among", star::AMONG),
    ("changed stars", star::CHANGES),
    ("count of stars", star::COUNT),
    ("who has starred", message::STARRED_BY),
    ("messages that show a file", attachment::SHOWN_BY),
    ("expired messages", message::EXPIRED),
    ("members", conversation::MEMBERS),
    ("members of several", conversation::MEMBERS_OF),
    ("member ids", conversation::MEMBER_IDS),
    ("contacts", conversation::CONTACTS),
];

async fn plan(connection: &mut SqliteConnection, text: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
    let rows = sqlx::query(explain).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(3)).collect()
}

async fn database() -> SqliteConnection {
    let mut connection = connect_options(&SqliteConfig::in_memory())
        .connect()
        .await
        .unwrap();
    schema::migrate(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn no_hot_statement_scans_a_table() {
    let mut connection = database().await;
    for (name, text) in HOT {
        for step in plan(&mut connection, text).await {
            // Lists of parameters, pages made just before and the search index are meant to be walked.
            let walked = [
                "json_each",
                "VIRTUAL TABLE",
                "SCAN p",
                "SCAN (subquery",
                "SCAN o",
                "CONSTANT ROW",
                "SCAN kinds",
                "SCAN x",
                "SCAN since",
            ];
            let meant = walked.iter().any(|part| step.contains(part))
                || ["SCAN r", "SCAN u", "SCAN j"]
                    .iter()
                    .any(|list| step.starts_with(&format!("{list} VIRTUAL")));
            assert!(!step.contains("SCAN") || meant, "{name}: {step}");
        }
    }
}

#[tokio::test]
async fn hot_statements_use_the_index_made_for_them() {
    let mut connection = database().await;
    for (text, index) in [
        (
            history::ANY.down,
            "chat_messages_seq (conversation_id=? AND seq>? AND seq<?)",
        ),
        (
            history::OTHER.down,
            "chat_messages_kind (conversation_id=? AND kind=? AND seq>? AND seq<?)",
        ),
        (
            inbox::LIST,
            "COVERING INDEX chat_messages_unread (conversation_id=? AND seq>?)",
        ),
        (
            inbox::TOTALS,
            "COVERING INDEX chat_messages_unread (conversation_id=? AND seq>?)",
        ),
        (inbox::LIST, "chat_messages_seq (conversation_id=? AND seq>?)"),
        (sync::MESSAGES, "chat_messages_rev (conversation_id=? AND rev>?)"),
        (sync::EXPIRED, "chat_messages_rev (conversation_id=? AND rev>?)"),
        (
            sync::REV_AT,
            "COVERING INDEX chat_messages_rev (conversation_id=?)",
        ),
        (
            sync::HIDES,
            "chat_hides_rev (user_id=? AND conversation_id=? AND rev>?)",
        ),
        (search::SCANNED, "chat_messages_seq (conversation_id=? AND seq>?)"),
        (
            facts::REPLAY,
            "chat_messages_client_id (conversation_id=? AND sender_id=? AND client_id=?)",
        ),
        (
            receipt::FIRST_STEPS,
            "chat_advances_to (conversation_id=? AND user_id=? AND step=? AND to_seq>?)",
        ),
        (star::STARRED, "chat_stars_active (user_id=?"),
        (star::CHANGES, "chat_stars_rev (user_id=? AND user_rev>?)"),
        (message::PINNED, "chat_messages_pins (conversation_id=?"),
        (
            retention::DUE_BY_POLICY,
            "chat_conversations_oldest (kind=? AND (oldest_at,id)>(?,?)",
        ),
        (retention::DUE_BY_THEMSELVES, "chat_conversations_due ("),
        (retention::OLD_STEPS, "chat_advances_at (at<?)"),
        (
            mention::LIST,
            "chat_mentions_time (user_id=? AND (created_at,message_id)<(?,?))",
        ),
        (scheduled::PENDING, "chat_scheduled_list (user_id=?)"),
        (
            scheduled::LIST,
            "chat_scheduled_list (user_id=? AND (send_at,id)>(?,?))",
        ),
        (
            scheduled::CHANGED,
            "chat_scheduled_changed (user_id=? AND user_rev>?)",
        ),
        (scheduled::IS_DUE, "chat_scheduled_due (send_at<?)"),
        (scheduled::CLAIM, "chat_scheduled_due (send_at<?)"),
        (scheduled::FORGET, "chat_scheduled_over (changed_at<?)"),
        (
            message::EXPIRED,
            "chat_messages_expiry ((expires_at,id)>(?,?) AND expires_at<?)",
        ),
        (moderation::NEWEST_OPEN, "INDEX chat_reports_open"),
        (moderation::NEWEST_CLOSED, "INDEX chat_reports_closed"),
        (moderation::LOG, "INDEX chat_audit_at"),
        (moderation::LOG_OF_ACTOR, "INDEX chat_audit_actor (actor=?"),
        (moderation::LOG_OF_TARGET, "INDEX chat_audit_target (target_id=?"),
        (moderation::LOG_OF_ACTION, "INDEX chat_audit_action (action=?"),
    ] {
        let plan = plan(&mut connection, text).await;
        assert!(plan.iter().any(|step| step.contains(index)), "{index}: {plan:#?}");
    }
}

#[tokio::test]
async fn pages_inside_a_conversation_are_read_in_the_order_of_their_index() {
    let mut connection = database().await;
    for text in [sync::MESSAGES, sync::EXPIRED, sync::REV_AT] {
        let plan = plan(&mut connection, text).await;
        assert!(
            !plan.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY"),
            "{plan:#?}"
        );
    }
    // The page itself is sorted once more when its ranges are put together; the candidates are not.
    for text in [history::ANY.down, history::ANY.up] {
        let plan = plan(&mut connection, text).await;
        let sorts = plan.iter().filter(|step| step.contains("TEMP B-TREE")).count();
        assert!(sorts <= 1, "{plan:#?}");
    }
}
