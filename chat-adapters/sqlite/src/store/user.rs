use std::ops::DerefMut;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{AttachmentState, Erasure, NewUser, OwnPresence, User, UserPatch};
use chat_core::store::{UserSearch, UserStore};
use chat_core::text::fold;
use chat_core::time::Timestamp;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::attachment::move_file;
use super::trigram::trigrams;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, Session, blob, int, json, muted, size, statement, time, user_list};
use crate::transaction::Transaction;

/// Columns of a user `u`, as [`user`] reads them.
macro_rules! user_columns {
    () => {
        "u.id, u.name, u.avatar_url, u.avatar, u.kind, u.email, u.phone, u.custom, u.settings, u.suspended, \
         u.suspended_until, u.muted_until, u.created_at, u.last_seen_at, u.user_rev, u.presence, u.erased_at, \
         u.erased_messages, u.erasure_done"
    };
}
pub(super) use user_columns;

const GET: &str = concat!("SELECT ", user_columns!(), " FROM chat_users u WHERE u.id = ?1");
const LIST: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE u.id IN (SELECT value FROM json_each(?1))"
);
/// Users whom a search finds, of those that `$from` proposes.
macro_rules! found {
    ($from:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            $from,
            " AND u.id > ?3 AND (instr(u.folded_name, ?1) > 0 OR u.email = ?2 OR u.phone = ?2) \
             ORDER BY u.id LIMIT ?4"
        )
    };
}

/// From the indexes of names and addresses to the users.
pub(super) const INDEXED: &str = found!(
    " FROM chat_users u WHERE u.row_id IN (SELECT rowid FROM chat_user_search WHERE chat_user_search MATCH ?5 \
     UNION ALL SELECT e.row_id FROM chat_users e WHERE e.email = ?2 \
     UNION ALL SELECT p.row_id FROM chat_users p WHERE p.phone = ?2)"
);
/// For texts too short for the index, or in so many names that a page is found soon: through all users in order.
const SCANNED: &str = found!(" FROM chat_users u WHERE ?5 IS NULL");
/// How many names the index proposes, counted up to [`MANY`].
const PROPOSED: &str =
    "SELECT count(*) FROM (SELECT 1 FROM chat_user_search WHERE chat_user_search MATCH ?1 LIMIT ?2)";
const MANY: usize = 1_000;
const PUT: &str = "INSERT INTO chat_users (id, name, folded_name, avatar_url, avatar, kind, email, phone, custom, \
    settings, suspended, suspended_until, muted_until, created_at, last_seen_at, user_rev, presence, erased_at, \
    erased_messages, erasure_done) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, folded_name = excluded.folded_name, \
    avatar_url = excluded.avatar_url, avatar = excluded.avatar, kind = excluded.kind, email = excluded.email, \
    phone = excluded.phone, custom = excluded.custom, settings = excluded.settings, \
    suspended = excluded.suspended, suspended_until = excluded.suspended_until, \
    muted_until = excluded.muted_until, created_at = excluded.created_at, last_seen_at = excluded.last_seen_at, \
    user_rev = excluded.user_rev, presence = excluded.presence, erased_at = excluded.erased_at, \
    erased_messages = excluded.erased_messages, erasure_done = excluded.erasure_done RETURNING row_id";

pub(super) fn user(cells: &mut Cells<'_>) -> Result<User, Error> {
    Ok(User {
        id: cells.user()?,
        name: cells.text()?,
        avatar_url: cells.opt_text()?,
        avatar: cells.opt_attachment()?,
        kind: cells.name()?,
        email: cells.opt_text()?,
        phone: cells.opt_text()?,
        custom: cells.json()?,
        settings: cells.json()?,
        suspended: cells.flag()?,
        suspended_until: cells.opt_time()?,
        muted: cells.opt_muted()?,
        created_at: cells.time()?,
        last_seen_at: cells.opt_time()?,
        user_rev: cells.uint()?,
        presence: cells.json()?,
        erased: match (cells.opt_time()?, cells.opt_name()?, cells.take::<Option<i64>>()?) {
            (Some(at), Some(messages), Some(done)) => Some(Erasure {
                at,
                messages,
                done: done != 0,
            }),
            _ => None,
        },
    })
}

async fn find(transaction: &mut Transaction, id: &UserId) -> Result<Option<User>, Error> {
    transaction.find(statement(GET).bind(id.as_str()), user).await
}

/// Writes a user, and his name into the index when it is another than before.
pub(super) async fn put_user(
    transaction: &mut Transaction,
    user: &User,
    old_name: Option<&str>,
) -> Result<(), Error> {
    let folded = fold(&user.name);
    let custom = (!user.custom.is_empty())
        .then(|| json(&user.custom))
        .transpose()?;
    let presence = (user.presence != OwnPresence::default())
        .then(|| json(&user.presence))
        .transpose()?;
    let query = statement(PUT)
        .bind(user.id.as_str())
        .bind(user.name.as_str())
        .bind(folded.clone())
        .bind(user.avatar_url.as_deref())
        .bind(user.avatar.map(|id| blob(id.as_uuid())))
        .bind(user.kind.column())
        .bind(user.email.as_deref())
        .bind(user.phone.as_deref())
        .bind(custom)
        .bind(json(&user.settings)?)
        .bind(i64::from(user.suspended))
        .bind(time(user.suspended_until))
        .bind(muted(user.muted))
        .bind(user.created_at.as_millis())
        .bind(time(user.last_seen_at))
        .bind(int(user.user_rev))
        .bind(presence)
        .bind(user.erased.map(|erasure| erasure.at.as_millis()))
        .bind(user.erased.map(|erasure| erasure.messages.column()))
        .bind(user.erased.map(|erasure| i64::from(erasure.done)));
    let row = transaction.find(query, |cells| cells.take::<i64>()).await?;
    let row_id = row.ok_or(Error::Broken("a user was not written"))?;
    if old_name.is_some_and(|old| fold(old) == folded) {
        return Ok(());
    }
    if old_name.is_some() {
        const CLEAR: &str = "DELETE FROM chat_user_search WHERE rowid = ?1";
        transaction.run(statement(CLEAR).bind(row_id)).await?;
    }
    const ADD: &str = "INSERT INTO chat_user_search (rowid, folded) VALUES (?1, ?2)";
    transaction.run(statement(ADD).bind(row_id).bind(folded)).await?;
    Ok(())
}

async fn search<C>(session: &mut Session<C>, search: &UserSearch) -> Result<Vec<User>, Error>
where
    C: DerefMut<Target = SqliteConnection>,
{
    let mut words = trigrams(&search.query);
    if let Some(proposing) = &words {
        let query = statement(PROPOSED).bind(proposing.clone()).bind(size(MANY));
        let proposed = session.find(query, |cells| cells.uint()).await?;
        words = words.filter(|_| proposed.is_none_or(|count| count < MANY as u64));
    }
    let query = statement(if words.is_some() { INDEXED } else { SCANNED })
        .bind(search.query.as_str())
        .bind(search.exact.as_str())
        .bind(search.after.as_ref().map_or("", UserId::as_str))
        .bind(size(search.limit))
        .bind(words);
    session.list(query, user).await
}

/// Changes a user as [`UserPatch::apply`] says, with the pictures the patch claims and retires.
pub(super) async fn change_user(
    transaction: &mut Transaction,
    id: &UserId,
    patch: UserPatch,
) -> Result<Option<User>, Error> {
    use AttachmentState::{Avatar, Deleted, Pending};
    let Some(mut user) = find(transaction, id).await? else {
        return Ok(None);
    };
    if let Some(upload) = patch.claims(&user)
        && !move_file(transaction, upload, Pending, Avatar).await?
    {
        return Ok(Some(user));
    }
    if let Some(old) = patch.retires(&user) {
        move_file(transaction, old, Avatar, Deleted).await?;
    }
    let private = patch.settings.is_some();
    let old_name = user.name.clone();
    patch.apply(&mut user);
    user.user_rev += u64::from(private);
    put_user(transaction, &user, Some(&old_name)).await?;
    Ok(Some(user))
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn ensure_user(&self, new: NewUser, now: Timestamp) -> BackendResult<(User, bool)> {
        const OPERATION: &str = "ensure_user";
        // Nearly always the user is known, and then the writer is left alone.
        let query = statement(GET).bind(new.id.as_str());
        let known = async { self.read().await?.find(query, user).await };
        if let Some(known) = known.await.map_err(|error| error.into_backend(OPERATION))? {
            return Ok((known, false));
        }
        self.writer()
            .write_step(OPERATION, move |transaction| {
                Box::pin(async move {
                    if let Some(known) = find(transaction, &new.id).await? {
                        return Ok((known, false));
                    }
                    let user = new.into_user(now);
                    put_user(transaction, &user, None).await?;
                    Ok((user, true))
                })
            })
            .await
    }

    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>> {
        let id = id.clone();
        self.writer()
            .write_step("update_user", move |transaction| {
                Box::pin(async move { change_user(transaction, &id, patch).await })
            })
            .await
    }

    async fn users(&self, ids: &[UserId]) -> BackendResult<Vec<User>> {
        let found = async {
            let query = statement(LIST).bind(user_list(ids)?);
            self.read().await?.list(query, user).await
        };
        found.await.map_err(|error| error.into_backend("users"))
    }

    async fn search_users(&self, wanted: &UserSearch) -> BackendResult<Vec<User>> {
        let found = async { search(&mut self.read().await?, wanted).await };
        found.await.map_err(|error| error.into_backend("search_users"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use chat_core::store::UserSearch;
    use sqlx::ConnectOptions;

    use super::super::connect_options;
    use super::search;
    use crate::config::SqliteConfig;
    use crate::schema;
    use crate::statement::Session;

    /// How many of so many users a search finds, and how many hundreds of SQLite's steps it takes.
    async fn steps(users: u32, text: &str) -> (usize, u64) {
        let mut connection = connect_options(&SqliteConfig::in_memory())
            .connect()
            .await
            .unwrap();
        schema::migrate(&mut connection).await.unwrap();
        let seed = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users}) \
             INSERT INTO chat_users (row_id, id, name, folded_name, kind, settings, suspended, created_at, user_rev) \
             SELECT i, printf('u-%d', i), iif(i = {users}, 'wanted', 'other'), iif(i = {users}, 'wanted', 'other'), \
               'user', '{{}}', 0, 0, 0 FROM n; \
             INSERT INTO chat_user_search (rowid, folded) SELECT row_id, folded_name FROM chat_users;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(seed))
            .execute(&mut connection)
            .await
            .unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let mut handle = connection.lock_handle().await.unwrap();
        handle.set_progress_handler(100, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        });
        drop(handle);
        let wanted = UserSearch {
            query: text.to_owned(),
            exact: text.to_owned(),
            after: None,
            limit: 20,
        };
        let mut session = Session::reading(&mut connection, Arc::default());
        let found = search(&mut session, &wanted).await.unwrap();
        (found.len(), steps.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn people_are_found_without_walking_all_of_them() {
        for (text, hits) in [("wanted", 1), ("other", 20), ("nobody", 0)] {
            let (few_hits, few) = steps(1_500, text).await;
            let (many_hits, many) = steps(30_000, text).await;
            assert_eq!((few_hits, many_hits), (hits, hits), "{text}");
            assert!(many <= few * 2 + 10, "{text}: {few} and {many} hundred steps");
        }
        assert_eq!(steps(100, "wa").await.0, 1, "short texts are found too");
    }
}
