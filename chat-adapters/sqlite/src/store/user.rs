use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{AttachmentState, NewUser, User, UserPatch};
use chat_core::store::{UserSearch, UserStore};
use chat_core::text::fold;
use chat_core::time::Timestamp;

use super::SqliteStore;
use super::attachment::move_file;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, blob, int, json, size, statement, time, user_list};
use crate::transaction::Transaction;

/// Columns of a user `u`, as [`user`] reads them.
macro_rules! user_columns {
    () => {
        "u.id, u.name, u.avatar_url, u.avatar, u.kind, u.email, u.phone, u.custom, u.settings, u.suspended, \
         u.created_at, u.last_seen_at, u.user_rev"
    };
}

const GET: &str = concat!("SELECT ", user_columns!(), " FROM chat_users u WHERE u.id = ?1");
const LIST: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE u.id IN (SELECT value FROM json_each(?1))"
);
const SEARCH: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE (?3 IS NULL OR u.id > ?3) \
     AND (instr(u.folded_name, ?1) > 0 OR u.email = ?2 OR u.phone = ?2) ORDER BY u.id LIMIT ?4"
);
const PUT: &str = "INSERT INTO chat_users (id, name, folded_name, avatar_url, avatar, kind, email, phone, custom, \
    settings, suspended, created_at, last_seen_at, user_rev) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, folded_name = excluded.folded_name, \
    avatar_url = excluded.avatar_url, avatar = excluded.avatar, kind = excluded.kind, email = excluded.email, \
    phone = excluded.phone, custom = excluded.custom, settings = excluded.settings, \
    suspended = excluded.suspended, created_at = excluded.created_at, last_seen_at = excluded.last_seen_at, \
    user_rev = excluded.user_rev";

fn user(cells: &mut Cells<'_>) -> Result<User, Error> {
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
        created_at: cells.time()?,
        last_seen_at: cells.opt_time()?,
        user_rev: cells.uint()?,
    })
}

async fn find(transaction: &mut Transaction, id: &UserId) -> Result<Option<User>, Error> {
    transaction.find(statement(GET).bind(id.as_str()), user).await
}

async fn put(transaction: &mut Transaction, user: &User) -> Result<(), Error> {
    let custom = (!user.custom.is_empty())
        .then(|| json(&user.custom))
        .transpose()?;
    let query = statement(PUT)
        .bind(user.id.as_str())
        .bind(user.name.as_str())
        .bind(fold(&user.name))
        .bind(user.avatar_url.as_deref())
        .bind(user.avatar.map(|id| blob(id.as_uuid())))
        .bind(user.kind.column())
        .bind(user.email.as_deref())
        .bind(user.phone.as_deref())
        .bind(custom)
        .bind(json(&user.settings)?)
        .bind(i64::from(user.suspended))
        .bind(user.created_at.as_millis())
        .bind(time(user.last_seen_at))
        .bind(int(user.user_rev));
    transaction.run(query).await?;
    Ok(())
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
                    put(transaction, &user).await?;
                    Ok((user, true))
                })
            })
            .await
    }

    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>> {
        use AttachmentState::{Avatar, Deleted, Pending};
        let id = id.clone();
        self.writer()
            .write_step("update_user", move |transaction| {
                Box::pin(async move {
                    let Some(mut user) = find(transaction, &id).await? else {
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
                    patch.apply(&mut user);
                    user.user_rev += u64::from(private);
                    put(transaction, &user).await?;
                    Ok(Some(user))
                })
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

    async fn search_users(&self, search: &UserSearch) -> BackendResult<Vec<User>> {
        let query = statement(SEARCH)
            .bind(search.query.as_str())
            .bind(search.exact.as_str())
            .bind(search.after.as_ref().map(UserId::as_str))
            .bind(size(search.limit));
        let found = async { self.read().await?.list(query, user).await };
        found.await.map_err(|error| error.into_backend("search_users"))
    }
}
