//! Accounts and logins are written past the slot: each is one document, unique by index, and no decision looks at them.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{Account, AccountSession};
use chat_core::store::AccountStore;
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::{MongoStore, Named};
use crate::codec::user;
use crate::collection::Collection;
use crate::database::{Counters, Find};
use crate::error::{Error, is_duplicate};
use crate::row::time;

#[async_trait]
impl AccountStore for MongoStore {
    async fn add_account(&self, account: Account) -> BackendResult<bool> {
        let document = user::account_to_document(&account);
        Counters::count(&self.database().counters.writes);
        let added = self
            .database()
            .collection(Collection::Accounts)
            .insert_one(document)
            .await;
        match added {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(Error::Driver(error).of_write().into_backend("add_account")),
        }
    }

    async fn account_by_email(&self, email: &str) -> BackendResult<Option<Account>> {
        let found = self.database().find(
            Collection::Accounts,
            doc! { "email": email },
            user::account_from_document,
        );
        found.await.named("account_by_email")
    }

    async fn account(&self, user: &UserId) -> BackendResult<Option<Account>> {
        let one = doc! { "_id": user.as_str() };
        let found = self
            .database()
            .find(Collection::Accounts, one, user::account_from_document);
        found.await.named("account")
    }

    async fn account_sessions(&self, user: &UserId) -> BackendResult<Vec<AccountSession>> {
        let find = Find::all(doc! { "user_id": user.as_str() }).sorted(doc! { "_id": 1 });
        let found = self
            .database()
            .list(Collection::Sessions, find, user::session_from_document);
        found.await.named("account_sessions")
    }

    async fn erase_account(&self, user: &UserId) -> BackendResult<()> {
        const OPERATION: &str = "erase_account";
        // The account first: without it nobody logs in any more.
        self.delete(Collection::Accounts, doc! { "_id": user.as_str() })
            .await
            .named(OPERATION)?;
        self.delete(Collection::Sessions, doc! { "user_id": user.as_str() })
            .await
            .named(OPERATION)?;
        Ok(())
    }

    async fn add_account_session(&self, session: AccountSession, now: Timestamp) -> BackendResult<()> {
        const OPERATION: &str = "add_account_session";
        let expired = doc! { "user_id": session.user_id.as_str(), "expires_at": { "$lte": time(now) } };
        self.delete(Collection::Sessions, expired)
            .await
            .named(OPERATION)?;
        let document = user::session_to_document(&session);
        Counters::count(&self.database().counters.writes);
        self.database()
            .collection(Collection::Sessions)
            .replace_one(doc! { "_id": session.id.as_str() }, document)
            .upsert(true)
            .await
            .map_err(|error| Error::Driver(error).of_write())
            .named(OPERATION)?;
        Ok(())
    }

    async fn account_session(&self, id: &str) -> BackendResult<Option<AccountSession>> {
        let one = doc! { "_id": id };
        let found = self
            .database()
            .find(Collection::Sessions, one, user::session_from_document);
        found.await.named("account_session")
    }

    async fn end_account_session(&self, user: &UserId, id: &str) -> BackendResult<bool> {
        let one = doc! { "_id": id, "user_id": user.as_str() };
        let gone = self.delete(Collection::Sessions, one).await;
        Ok(gone.named("end_account_session")? > 0)
    }
}

impl MongoStore {
    async fn delete(&self, collection: Collection, filter: Document) -> Result<u64, Error> {
        Counters::count(&self.database().counters.writes);
        let gone = self.database().collection(collection).delete_many(filter).await;
        let gone = gone.map_err(|error| Error::Driver(error).of_write())?;
        Ok(gone.deleted_count)
    }
}
