//! Passwords: argon2id, off the async threads, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;

const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 128;
const MAX_BYTES: usize = 1024;

/// 19 MiB, 2 passes, 1 lane: the first choice of the OWASP password storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Stands in for the hash of an account that does not exist, so that asking takes as long. Nobody's password: the
/// hash is not one of anything.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hash in the making may wait so long for its turn.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Whether a password may be chosen.
pub(super) fn check(password: &str) -> ChatResult<()> {
    let chars = password.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&chars) || password.len() > MAX_BYTES {
        return Err(ChatError::invalid(
            "password",
            format!("{MIN_CHARS} to {MAX_CHARS} characters"),
        ));
    }
    Ok(())
}

/// Hashes and compares. Each at a time takes 19 MiB and a core, so there are no more at once than cores.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
}

fn internal() -> ChatError {
    ErrorCode::Internal.into()
}

fn argon2() -> ChatResult<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| internal())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> ChatResult<String> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| internal())?;
    let hash: PasswordHash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|_| internal())?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> ChatResult<bool> {
    let hash = PasswordHash::new(hash).map_err(|_| internal())?;
    Ok(argon2()?.verify_password(password.as_bytes(), &hash).is_ok())
}

impl Passwords {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The PHC string to keep.
    pub(super) async fn hash(&self, password: String) -> ChatResult<String> {
        self.run(move || hash(&password)).await
    }

    /// Whether the password is the one of `hash`. Without a hash it is not, after the same work.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> ChatResult<bool> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        self.run(move || {
            let known = hash.is_some();
            Ok(verify(&password, hash.as_deref().unwrap_or(NOBODY))? && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> ChatResult<T> + Send + 'static,
    ) -> ChatResult<T> {
        let turn = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| {
                ChatError::new(ErrorCode::Overloaded, "too many logins at once")
                    .with_retry_after(Duration::from_secs(1))
            })?
            .map_err(|_| internal())?;
        tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when nobody waits for it any more.
            let _turn = turn;
            work()
        })
        .await
        .map_err(|_| internal())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_good_for_its_password() {
        let kept = hash("correct horse").unwrap();
        assert!(verify("correct horse", &kept).unwrap());
        assert!(!verify("correct horsf", &kept).unwrap());
        assert_ne!(kept, hash("correct horse").unwrap(), "salted");
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let cost = |phc: &str| phc.rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(cost(NOBODY), cost(&hash("correct horse").unwrap()));
        assert!(!verify("anything", NOBODY).unwrap());
    }

    #[test]
    fn passwords_have_bounds() {
        assert!(check("1234567").is_err());
        assert!(check("12345678").is_ok());
        assert!(check(&"ü".repeat(128)).is_ok());
        assert!(check(&"x".repeat(129)).is_err());
    }
}
