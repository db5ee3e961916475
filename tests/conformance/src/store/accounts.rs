//! Cases for [`AccountStore`], an optional facet.

use std::sync::Arc;

use chat_core::model::{Account, AccountSession};
use chat_core::store::AccountStore;

use crate::fixtures::{at, user};

type Accounts = Arc<dyn AccountStore>;

fn account(id: &str, email: &str, phone: Option<&str>) -> Account {
    Account {
        user_id: user(id),
        email: email.to_owned(),
        phone: phone.map(str::to_owned),
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        created_at: at(1),
    }
}

fn session(id: &str, of: &str, ends: u64) -> AccountSession {
    AccountSession {
        id: id.to_owned(),
        user_id: user(of),
        expires_at: at(ends),
    }
}

/// An account comes back whole, by its address.
pub async fn an_account_is_found_by_its_address(accounts: Accounts) {
    let ann = account("ann", "ann@example.org", Some("+49123"));
    let bob = account("bob", "bob@example.org", None);
    assert!(accounts.add_account(ann.clone()).await.unwrap());
    assert!(accounts.add_account(bob.clone()).await.unwrap());
    let by = async |email| accounts.account_by_email(email).await.unwrap();
    assert_eq!(by("ann@example.org").await, Some(ann));
    assert_eq!(by("bob@example.org").await, Some(bob));
    assert_eq!(by("ann@example.or_").await, None);
    assert_eq!(by("ann").await, None);
}

/// A taken address or number refuses the account, and nothing of it is kept.
pub async fn addresses_and_numbers_are_unique(accounts: Accounts) {
    let ann = account("ann", "ann@example.org", Some("+49123"));
    assert!(accounts.add_account(ann.clone()).await.unwrap());
    let same_email = account("bob", "ann@example.org", None);
    assert!(!accounts.add_account(same_email).await.unwrap());
    let same_phone = account("cid", "cid@example.org", Some("+49123"));
    assert!(!accounts.add_account(same_phone).await.unwrap());
    let kept = accounts.account_by_email("ann@example.org").await.unwrap();
    assert_eq!(kept, Some(ann));
    assert_eq!(accounts.account_by_email("cid@example.org").await.unwrap(), None);
}

/// Accounts without a number do not stand in each other's way.
pub async fn a_missing_number_is_no_number(accounts: Accounts) {
    for id in ["ann", "bob", "cid"] {
        let new = account(id, &format!("{id}@example.org"), None);
        assert!(accounts.add_account(new).await.unwrap());
    }
}

/// Of concurrent sign-ups with one address exactly one gets it.
pub async fn of_concurrent_sign_ups_one_succeeds(accounts: Accounts) {
    let calls = (0..12).map(|n| {
        let accounts = accounts.clone();
        let new = account(&format!("u{n}"), "ann@example.org", None);
        tokio::spawn(async move { accounts.add_account(new).await.unwrap() })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let added = answers.into_iter().filter(|added| *added.as_ref().unwrap());
    assert_eq!(added.count(), 1);
}

/// A login stands until it is ended, by its own user.
pub async fn a_login_stands_until_it_is_ended(accounts: Accounts) {
    let login = session("s1", "ann", 100);
    accounts.add_account_session(login.clone(), at(1)).await.unwrap();
    let found = async || accounts.account_session("s1").await.unwrap();
    assert_eq!(found().await, Some(login.clone()));
    assert!(!accounts.end_account_session(&user("bob"), "s1").await.unwrap());
    assert_eq!(found().await, Some(login));
    assert!(accounts.end_account_session(&user("ann"), "s1").await.unwrap());
    assert_eq!(found().await, None);
    assert!(!accounts.end_account_session(&user("ann"), "s1").await.unwrap());
}

/// A new login drops the user's expired ones, and nobody else's.
pub async fn a_new_login_drops_expired_ones(accounts: Accounts) {
    for login in [
        session("s1", "ann", 10),
        session("s2", "ann", 90),
        session("s3", "bob", 10),
    ] {
        accounts.add_account_session(login, at(1)).await.unwrap();
    }
    let newest = session("s4", "ann", 99);
    accounts.add_account_session(newest, at(50)).await.unwrap();
    let mut standing = Vec::new();
    for id in ["s1", "s2", "s3", "s4"] {
        if accounts.account_session(id).await.unwrap().is_some() {
            standing.push(id);
        }
    }
    assert_eq!(standing, ["s2", "s3", "s4"]);
}

/// An account goes with its logins, and its address and number can be taken again; others stay.
pub async fn an_account_is_erased_with_its_logins(accounts: Accounts) {
    let ann = account("ann", "ann@example.org", Some("+49123"));
    let bob = account("bob", "bob@example.org", None);
    for (n, one) in [&ann, &bob].into_iter().enumerate() {
        assert!(accounts.add_account(one.clone()).await.unwrap());
        for login in ["b", "a"] {
            let login = session(&format!("{n}{login}"), one.user_id.as_str(), 100);
            accounts.add_account_session(login, at(1)).await.unwrap();
        }
    }
    assert_eq!(accounts.account(&user("ann")).await.unwrap(), Some(ann.clone()));
    let logins = accounts.account_sessions(&user("ann")).await.unwrap();
    assert_eq!(
        logins.iter().map(|login| login.id.as_str()).collect::<Vec<_>>(),
        ["0a", "0b"]
    );
    accounts.erase_account(&user("ann")).await.unwrap();
    accounts.erase_account(&user("ann")).await.unwrap();
    assert_eq!(accounts.account(&user("ann")).await.unwrap(), None);
    assert_eq!(accounts.account_by_email("ann@example.org").await.unwrap(), None);
    assert!(accounts.account_sessions(&user("ann")).await.unwrap().is_empty());
    assert_eq!(accounts.account_session("0a").await.unwrap(), None);
    assert_eq!(accounts.account(&user("bob")).await.unwrap(), Some(bob));
    assert_eq!(accounts.account_sessions(&user("bob")).await.unwrap().len(), 2);
    let again = account("cem", "ann@example.org", Some("+49123"));
    assert!(accounts.add_account(again).await.unwrap());
}
