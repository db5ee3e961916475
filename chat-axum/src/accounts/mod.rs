//! Password accounts for hosts without users of their own: sign-up, login and logout on an [`AccountStore`].

mod authenticator;
mod contact;
mod data;
mod password;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use chat_core::ChatEngine;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::id::UserId;
use chat_core::model::{Account, AccountSession, NewUser};
use chat_core::port::RateScope;
use chat_core::store::AccountStore;
use chat_core::text::is_blank;
use chat_core::time::{Clock, SystemClock, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use authenticator::AccountAuthenticator;
use contact::{Email, Phone};
pub use data::AccountData;
use password::Passwords;

use crate::jwt::{JwtAuthenticator, JwtKey, issue};

/// Marks the tokens that are given here, and the key they are signed with.
const KID: &str = "chat-accounts";
/// How long a login lasts unless the host says otherwise.
const TOKEN_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Sign-up, login and logout. Share it with [`ChatApi::with_accounts`](crate::ChatApi::with_accounts) and take the
/// authenticator of its tokens from [`Accounts::authenticator`].
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    key: hmac::Key,
    verifier: JwtAuthenticator,
    passwords: Passwords,
    token_life: Duration,
    clock: Arc<dyn Clock>,
}

/// `POST /auth/signup`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUp {
    /// 1-120 characters.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// The login name.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// With country code.
    #[serde(default)]
    phone: Option<String>,
    /// 8-128 characters.
    #[schema(format = "password", min_length = 8, max_length = 128)]
    password: String,
}

/// `POST /auth/login`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    /// The login name.
    #[schema(format = "email")]
    email: String,
    /// The password.
    #[schema(format = "password")]
    password: String,
}

/// A login that was made.
pub(crate) struct NewLogin {
    pub(crate) user: UserId,
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

#[derive(Serialize)]
struct IssuedClaims<'a> {
    sub: &'a UserId,
    iat: i64,
    exp: i64,
    jti: &'a str,
}

impl Accounts {
    /// Accounts in `store`. All nodes need the same `secret`, and it has to outlive restarts, or logins end. The key
    /// of the tokens is derived from it, so it may be the secret of other tokens as well.
    ///
    /// # Errors
    /// [`InvalidKey`](crate::InvalidKey) for an empty secret.
    pub fn new(store: Arc<dyn AccountStore>, secret: impl AsRef<[u8]>) -> Result<Self, crate::InvalidKey> {
        let secret = secret.as_ref();
        // Checks the secret; it is not used as it is.
        JwtKey::hs256(secret)?;
        let derived = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            b"chat account tokens, 1",
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            store,
            key,
            verifier: JwtAuthenticator::new([JwtKey::hs256(derived)?.with_kid(KID)]),
            passwords: Passwords::new(),
            token_life: TOKEN_LIFE,
            clock,
        })
    }

    /// How long a login lasts. Default: 7 days.
    #[must_use]
    pub const fn with_token_life(mut self, life: Duration) -> Self {
        self.token_life = life;
        self
    }

    /// Where the time comes from; the engine's clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.verifier = self.verifier.with_clock(Arc::clone(&clock));
        self.clock = clock;
        self
    }

    /// Takes the tokens given here, and leaves all others to `others`.
    #[must_use]
    pub fn authenticator(
        self: &Arc<Self>,
        others: Option<Arc<dyn chat_core::port::Authenticator>>,
    ) -> AccountAuthenticator {
        AccountAuthenticator::new(Arc::clone(self), others)
    }

    pub(crate) async fn sign_up(
        &self,
        engine: &ChatEngine,
        request: SignUp,
        address: Option<IpAddr>,
    ) -> ChatResult<NewLogin> {
        let name = name(&request.name, engine.config().limits.name_chars)?;
        let email =
            Email::parse(&request.email).ok_or_else(|| ChatError::invalid("email", "not an address"))?;
        let phone = match request.phone.as_deref() {
            None => None,
            Some(phone) => {
                Some(Phone::parse(phone).ok_or_else(|| ChatError::invalid("phone", "not a phone number"))?)
            }
        };
        password::check(&request.password)?;
        take_allowance(engine, &email, address).await?;
        let password_hash = self.passwords.hash(request.password).await?;
        let user = UserId::new(Uuid::now_v7().as_hyphenated().to_string())
            .map_err(|_| ChatError::from(ErrorCode::Internal))?;
        let account = Account {
            user_id: user.clone(),
            email: email.as_str().to_owned(),
            phone: phone.as_ref().map(|phone| phone.as_str().to_owned()),
            password_hash,
            created_at: self.clock.now(),
        };
        // The account first: when it is refused there must be no user that nobody can be. A crash between the two
        // leaves an account whose user is made, without a name, at its first login.
        if !self.store.add_account(account).await? {
            let taken = self.store.account_by_email(email.as_str()).await?.is_some();
            let field = if taken { "email" } else { "phone" };
            return Err(ChatError::new(ErrorCode::Conflict, "there is an account with it").with_field(field));
        }
        let mut new = NewUser::new(user.clone()).with_name(name);
        new.email = Some(email.into_string());
        new.phone = phone.map(Phone::into_string);
        engine.store().ensure_user(new, engine.now()).await?;
        self.open(user).await
    }

    /// One answer for an unknown address and a wrong password, after the same work.
    pub(crate) async fn log_in(
        &self,
        engine: &ChatEngine,
        request: LogIn,
        address: Option<IpAddr>,
    ) -> ChatResult<NewLogin> {
        let refused = || ChatError::new(ErrorCode::Unauthenticated, "e-mail address or password is wrong");
        let email = Email::parse(&request.email).ok_or_else(refused)?;
        take_allowance(engine, &email, address).await?;
        let account = self.store.account_by_email(email.as_str()).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let good = self.passwords.verify(request.password, hash).await?;
        let account = account.filter(|_| good).ok_or_else(refused)?;
        let mut known = NewUser::new(account.user_id.clone());
        known.email = Some(account.email);
        known.phone = account.phone;
        let (user, _) = engine.store().ensure_user(known, engine.now()).await?;
        user.check_welcome(engine.now())?;
        self.open(account.user_id).await
    }

    /// Ends a login: its token is refused from now on, its live sessions end, and the devices it registered go.
    pub(crate) async fn log_out(&self, engine: &ChatEngine, user: &UserId, login: &str) -> ChatResult<()> {
        let Some(id) = session_of(login) else {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "this credential was not given by a login here",
            ));
        };
        self.store.end_account_session(user, id).await?;
        engine.live().end_login(login);
        engine.remove_devices_of_login(user, login).await
    }

    async fn open(&self, user: UserId) -> ChatResult<NewLogin> {
        let now = self.clock.now();
        // Whole seconds, as `exp` is.
        let expires_at = Timestamp::from_millis(now.after(self.token_life).as_millis() / 1000 * 1000);
        let id = Uuid::new_v4().as_hyphenated().to_string();
        let claims = IssuedClaims {
            sub: &user,
            iat: now.as_millis() / 1000,
            exp: expires_at.as_millis() / 1000,
            jti: &id,
        };
        let token = issue(&self.key, KID, &claims);
        let session = AccountSession {
            id,
            user_id: user.clone(),
            expires_at,
        };
        self.store.add_account_session(session, now).await?;
        Ok(NewLogin {
            user,
            token,
            expires_at,
        })
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("store", &self.store)
            .field("token_life", &self.token_life)
            .finish_non_exhaustive()
    }
}

/// How an [`Identity`](chat_core::port::Identity) names a login of this module.
fn login_of(session: &str) -> String {
    format!("{KID}:{session}")
}

/// The session such a name is of.
fn session_of(login: &str) -> Option<&str> {
    login.strip_prefix(KID)?.strip_prefix(':')
}

/// One of the address's room for all accounts, then one of the account's room from this address. Where the host does
/// not say where requests come from there is nobody to count for the first.
async fn take_allowance(engine: &ChatEngine, email: &Email, address: Option<IpAddr>) -> ChatResult<()> {
    if let Some(address) = address {
        let network = network(address).to_string();
        engine.take_allowance(RateScope::Addresses, &network).await?;
    }
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    let key = format!("{}\n{address}", email.as_str());
    engine.take_allowance(RateScope::Logins, &key).await
}

/// What is counted as one address: an IPv4 address, or the /64 that one IPv6 subscriber has for himself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn name(name: &str, max: usize) -> ChatResult<String> {
    let name = name.trim();
    if is_blank(name) || name.chars().any(char::is_control) || name.chars().count() > max {
        return Err(ChatError::invalid("name", format!("1 to {max} characters")));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_is_one_address_and_so_is_a_mapped_ipv4() {
        let of = |address: &str| network(address.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
