//! Messages by their text.

use std::ops::DerefMut;

use chat_core::model::Message;
use chat_core::store::SearchQuery;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{hides, member_sees};
use super::trigram::trigrams;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Session, blob, size, statement, time};

/// Everything but where the candidates come from. The index only proposes: `instr` decides, so that the answer is a
/// literal match, whatever a tokenizer thinks of the text.
macro_rules! hits {
    ($from:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            $from,
            " AND mb.user_id = ?1 AND mb.state = 'active' AND m.deleted_at IS NULL AND m.kind <> 'system' \
             AND instr(coalesce(m.folded, m.text), ?4) > 0 AND (?5 IS NULL OR mb.conversation_id = ?5) \
             AND (?6 IS NULL OR m.sender_id = ?6) AND (?7 IS NULL OR m.kind = ?7) \
             AND (?8 IS NULL OR m.created_at >= ?8) AND (?9 IS NULL OR m.created_at <= ?9) \
             AND (?10 IS NULL OR (m.created_at, m.id) < (?10, ?11)) AND ",
            member_sees!("m"),
            " ORDER BY m.created_at DESC, m.id DESC LIMIT ?12"
        )
    };
}

/// From the index to the messages; then whether the user may see them.
pub(super) const INDEXED: &str = hits!(
    " FROM chat_search CROSS JOIN chat_messages m ON m.row_id = chat_search.rowid \
     CROSS JOIN chat_members mb ON mb.conversation_id = m.conversation_id \
     CROSS JOIN chat_conversations c ON c.id = m.conversation_id WHERE chat_search MATCH ?13"
);
/// For texts too short for the index, or in too many messages: through all the user may see.
pub(super) const SCANNED: &str = hits!(
    " FROM chat_members mb CROSS JOIN chat_conversations c ON c.id = mb.conversation_id \
     CROSS JOIN chat_messages m ON m.conversation_id = mb.conversation_id WHERE ?13 IS NULL"
);

/// How many messages of the whole database the index proposes, counted up to [`MANY`].
const PROPOSED: &str = "SELECT count(*) FROM (SELECT 1 FROM chat_search WHERE chat_search MATCH ?1 LIMIT ?2)";
/// The index knows no members, so it proposes messages of everybody. From so many on a search goes through what its
/// user may see instead: what it costs then depends on him alone, not on what others write.
const MANY: usize = 1_000;

impl SqliteStore {
    pub(super) async fn search_messages(&self, search: &SearchQuery) -> Result<Vec<Message>, Error> {
        find(&mut self.read().await?, search).await
    }
}

async fn find<C>(session: &mut Session<C>, search: &SearchQuery) -> Result<Vec<Message>, Error>
where
    C: DerefMut<Target = SqliteConnection>,
{
    let mut words = trigrams(&search.text);
    if let Some(proposing) = &words {
        let query = statement(PROPOSED).bind(proposing.clone()).bind(size(MANY));
        let proposed = session.find(query, |cells| cells.uint()).await?;
        words = words.filter(|_| proposed.is_none_or(|count| count < MANY as u64));
    }
    let text = if words.is_some() { INDEXED } else { SCANNED };
    let query = statement(text)
        .bind(search.user.as_str())
        .bind(search.now.as_millis())
        .bind(i64::from(hides(search.blocked_in_group)))
        .bind(search.text.as_str())
        .bind(search.conversation.map(|id| blob(id.as_uuid())))
        .bind(search.sender.as_ref().map(|user| user.as_str()))
        .bind(search.kind.map(Named::column))
        .bind(time(search.from))
        .bind(time(search.to))
        .bind(time(search.after.map(|after| after.created_at)))
        .bind(search.after.map(|after| blob(after.id.as_uuid())))
        .bind(size(search.limit))
        .bind(words);
    session.list(query, rows::message).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use chat_core::config::BlockedInGroup;
    use chat_core::id::UserId;
    use chat_core::store::SearchQuery;
    use chat_core::time::Timestamp;
    use sqlx::{ConnectOptions, SqliteConnection};

    use super::super::connect_options;
    use super::find;
    use crate::config::SqliteConfig;
    use crate::schema;
    use crate::statement::Session;

    /// A database in which ann wrote one message in a room of her own, and bob so many in his.
    async fn database(messages_of_others: u32) -> SqliteConnection {
        let mut connection = connect_options(&SqliteConfig::in_memory())
            .connect()
            .await
            .unwrap();
        schema::migrate(&mut connection).await.unwrap();
        let seed = format!(
            "WITH w(id, user) AS (VALUES (x'0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A', 'ann'), (x'0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B', 'bob')) \
             INSERT INTO chat_conversations (id, kind, created_by, created_at, last_activity_at, changed_at, rev, last_seq, \
               last_countable_seq, last_countable_other_seq, last_countable_other_at, members_rev, member_count, permissions, \
               frozen, sends_until, commit_no) SELECT w.id, 'group', w.user, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, '{{}}', 0, 0, 1 FROM w; \
             WITH w(id, user) AS (VALUES (x'0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A', 'ann'), (x'0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B', 'bob')) \
             INSERT INTO chat_members SELECT w.id, w.user, 'owner', 'active', 0, '[]', 0, 0, 0, 0, 0, 1, NULL, NULL, \
               NULL, NULL, NULL, 'all', NULL, NULL, 1, 0, 0, 0, 1, 1 FROM w; \
             WITH w(id, user) AS (VALUES (x'0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A', 'ann'), (x'0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B', 'bob')) \
             INSERT INTO chat_member_intervals SELECT w.id, w.user, 0, 1, 9000000 FROM w; \
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {messages_of_others}) \
             INSERT INTO chat_messages (row_id, id, conversation_id, seq, rev, commit_no, sender_id, kind, format, \
               mentions_all, silent, countable, previewable, created_at, version, text) \
             SELECT i + 1, unhex(printf('%032x', i)), iif(i = 0, x'0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A', x'0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B'), i + 1, 1, 1, \
               iif(i = 0, 'ann', 'bob'), 'text', 'plain', 0, 0, 1, 1, i, 1, 'a needle in hay' FROM n; \
             INSERT INTO chat_search (rowid, folded) SELECT row_id, text FROM chat_messages;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(seed))
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }

    /// Hits of ann's, and how many hundreds of SQLite's steps they took.
    async fn search(messages_of_others: u32) -> (usize, u64) {
        let mut connection = database(messages_of_others).await;
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        connection
            .lock_handle()
            .await
            .unwrap()
            .set_progress_handler(100, move || {
                counted.fetch_add(1, Ordering::Relaxed);
                true
            });
        let query = SearchQuery {
            user: UserId::new("ann").unwrap(),
            now: Timestamp::default(),
            blocked_in_group: BlockedInGroup::Collapse,
            text: "needle".to_owned(),
            conversation: None,
            sender: None,
            kind: None,
            from: None,
            to: None,
            after: None,
            limit: 50,
        };
        let mut session = Session::reading(&mut connection, Arc::default());
        let hits = find(&mut session, &query).await.unwrap();
        (hits.len(), steps.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_others_write_does_not_make_a_search_slower() {
        let (few_hits, few) = search(2_000).await;
        let (many_hits, many) = search(50_000).await;
        assert_eq!((few_hits, many_hits), (1, 1));
        assert!(many <= few * 2, "{few} and {many} hundred steps");
        assert_eq!(search(10).await.0, 1);
    }
}
