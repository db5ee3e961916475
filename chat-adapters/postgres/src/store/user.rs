use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{AttachmentState, Erasure, NewUser, OwnPresence, User, UserPatch};
use chat_core::store::{UserSearch, UserStore};
use chat_core::text::fold;
use chat_core::time::Timestamp;
use sqlx::types::Json;

use super::PostgresStore;
use super::attachment::move_file;
use super::search::{TRIGRAM, pattern};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, Statement, int, muted, size, statement, time, users};
use crate::transaction::Transaction;

/// Columns of a user `u`, as [`user`] reads them.
macro_rules! user_columns {
    () => {
        "u.id, u.name, u.avatar_url, u.avatar, u.kind, u.email, u.phone, u.custom, u.settings, u.suspended, \
         u.suspended_until, u.muted_until, u.created_at, u.last_seen_at, u.user_rev, u.presence, u.erased_at, u.erased_messages, \
         u.erasure_done"
    };
}
pub(super) use user_columns;

const GET: &str = concat!("SELECT ", user_columns!(), " FROM chat_users u WHERE u.id = $1");
const LOCK: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE u.id = $1 FOR NO KEY UPDATE"
);
const LIST: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE u.id = ANY($1)"
);
/// Users whom a search finds, in order of id.
macro_rules! found {
    ($proposed:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM chat_users u WHERE ($3::text IS NULL OR u.id > $3)",
            $proposed,
            " AND (strpos(u.folded_name, $1) > 0 OR u.email = $2 OR u.phone = $2) ORDER BY u.id LIMIT $4"
        )
    };
}

/// LIKE is what the trigram index understands.
pub(super) const PROPOSED: &str = found!(" AND (u.folded_name LIKE $5 OR u.email = $2 OR u.phone = $2)");
/// For texts too short for the index: through all users.
const SCANNED: &str = found!("");
pub(super) const ADD: &str = "INSERT INTO chat_users (id, name, folded_name, avatar_url, avatar, kind, email, phone, custom, \
    settings, suspended, suspended_until, muted_until, created_at, last_seen_at, user_rev, presence, erased_at, \
    erased_messages, erasure_done) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (id) DO NOTHING";
const PUT: &str = "UPDATE chat_users SET name = $2, folded_name = $3, avatar_url = $4, avatar = $5, kind = $6, \
    email = $7, phone = $8, custom = $9, settings = $10, suspended = $11, suspended_until = $12, muted_until = $13, \
    created_at = $14, last_seen_at = $15, user_rev = $16, presence = $17, erased_at = $18, erased_messages = $19, \
    erasure_done = $20 WHERE id = $1";

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
        erased: match (
            cells.opt_time()?,
            cells.opt_name()?,
            cells.take::<Option<bool>>()?,
        ) {
            (Some(at), Some(messages), Some(done)) => Some(Erasure { at, messages, done }),
            _ => None,
        },
    })
}

pub(super) fn bind(query: Statement, user: &User) -> Statement {
    query
        .bind(user.id.as_str())
        .bind(user.name.as_str())
        .bind(fold(&user.name))
        .bind(user.avatar_url.as_deref())
        .bind(user.avatar.map(|id| id.as_uuid()))
        .bind(user.kind.column())
        .bind(user.email.as_deref())
        .bind(user.phone.as_deref())
        .bind((!user.custom.is_empty()).then_some(Json(&user.custom)))
        .bind(Json(&user.settings))
        .bind(user.suspended)
        .bind(time(user.suspended_until))
        .bind(muted(user.muted))
        .bind(user.created_at.as_millis())
        .bind(time(user.last_seen_at))
        .bind(int(user.user_rev))
        .bind((user.presence != OwnPresence::default()).then_some(Json(&user.presence)))
        .bind(user.erased.map(|erasure| erasure.at.as_millis()))
        .bind(user.erased.map(|erasure| erasure.messages.column()))
        .bind(user.erased.map(|erasure| erasure.done))
}

#[async_trait]
impl UserStore for PostgresStore {
    async fn ensure_user(&self, new: NewUser, now: Timestamp) -> BackendResult<(User, bool)> {
        let ensured = self.ensure(new, now).await;
        ensured.map_err(|error| error.into_backend("ensure_user"))
    }

    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>> {
        let id = id.clone();
        let updated = self.database().write(move |transaction| {
            let (id, patch) = (id.clone(), patch.clone());
            Box::pin(async move { change_user(transaction, &id, patch).await })
        });
        updated.await.map_err(|error| error.into_backend("update_user"))
    }

    async fn users(&self, ids: &[UserId]) -> BackendResult<Vec<User>> {
        let found = self.database().list(statement(LIST).bind(users(ids)), user);
        found.await.map_err(|error| error.into_backend("users"))
    }

    async fn search_users(&self, search: &UserSearch) -> BackendResult<Vec<User>> {
        let indexed = search.query.chars().count() >= TRIGRAM;
        let mut query = statement(if indexed { PROPOSED } else { SCANNED })
            .planned_anew()
            .bind(search.query.as_str())
            .bind(search.exact.as_str())
            .bind(search.after.as_ref().map(UserId::as_str))
            .bind(size(search.limit));
        if indexed {
            query = query.bind(pattern(&search.query));
        }
        let found = self.database().list(query, user);
        found.await.map_err(|error| error.into_backend("search_users"))
    }
}

impl PostgresStore {
    async fn ensure(&self, new: NewUser, now: Timestamp) -> Result<(User, bool), Error> {
        let known = statement(GET).bind(new.id.as_str());
        if let Some(known) = self.database().find(known, user).await? {
            return Ok((known, false));
        }
        let made = new.into_user(now);
        self.database()
            .write(move |transaction| {
                let made = made.clone();
                Box::pin(async move {
                    let added = transaction.run(bind(statement(ADD), &made)).await?;
                    if added.rows_affected() > 0 {
                        return Ok((made, true));
                    }
                    // Somebody else made him meanwhile, and has committed: the insertion waited for that.
                    let known = statement(GET).bind(made.id.as_str());
                    let known = transaction.find(known, user).await?;
                    known.map(|known| (known, false)).ok_or(Error::Raced)
                })
            })
            .await
    }
}

/// Locks a user and gives his `user_rev`; `None` when the id is unknown. Changes of what is one user's own wait for each
/// other here.
pub(super) async fn lock_user_rev(
    transaction: &mut Transaction,
    user: &UserId,
) -> Result<Option<u64>, Error> {
    const LOCK_REV: &str = "SELECT u.user_rev FROM chat_users u WHERE u.id = $1 FOR NO KEY UPDATE";
    let lock = statement(LOCK_REV).bind(user.as_str());
    transaction.find(lock, |cells| cells.uint()).await
}

/// Moves the `user_rev` of a user that is locked.
pub(super) async fn set_user_rev(
    transaction: &mut Transaction,
    user: &UserId,
    user_rev: u64,
) -> Result<(), Error> {
    const SET_REV: &str = "UPDATE chat_users SET user_rev = $2 WHERE id = $1";
    let set = statement(SET_REV).bind(user.as_str()).bind(int(user_rev));
    transaction.run(set).await.map(|_| ())
}

/// Changes a user as [`UserPatch::apply`] says, with the pictures the patch claims and retires.
pub(super) async fn change_user(
    transaction: &mut Transaction,
    id: &UserId,
    patch: UserPatch,
) -> Result<Option<User>, Error> {
    use AttachmentState::{Avatar, Deleted, Pending};
    let lock = statement(LOCK).bind(id.as_str());
    let Some(mut found) = transaction.find(lock, user).await? else {
        return Ok(None);
    };
    if let Some(upload) = patch.claims(&found)
        && !move_file(transaction, upload, Pending, Avatar).await?
    {
        return Ok(Some(found));
    }
    if let Some(old) = patch.retires(&found) {
        move_file(transaction, old, Avatar, Deleted).await?;
    }
    let private = patch.settings.is_some();
    patch.apply(&mut found);
    found.user_rev += u64::from(private);
    transaction.run(bind(statement(PUT), &found)).await?;
    Ok(Some(found))
}
