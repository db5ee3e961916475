//! The secret of tokens, made at the first start and kept for the next ones.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::config::SettingError;

const FILE: &str = "jwt-secret";

/// The secret kept in the data folder; made when there is none.
pub(crate) fn kept(data_dir: &Path) -> Result<String, SettingError> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(text.trim().to_owned()),
        Ok(_) => {
            return Err(SettingError::new(
                "CHAT_DATA_DIR",
                format!("the file {FILE} in it is damaged; delete it to have a new one made"),
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(&error)),
    }
    let secret = made()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            file.write_all(secret.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(|error| unusable(&error))?;
            Ok(secret)
        }
        // Somebody else started at the same moment: his secret counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(&path)
            .map(|text| text.trim().to_owned())
            .map_err(|error| unusable(&error)),
        Err(error) => Err(unusable(&error)),
    }
}

fn unusable(error: &std::io::Error) -> SettingError {
    SettingError::new(
        "CHAT_DATA_DIR",
        format!("the file {FILE} in it cannot be used: {error}"),
    )
}

fn made() -> Result<String, SettingError> {
    let mut bytes = [0_u8; 48];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|rand_failed: ring::error::Unspecified| {
            SettingError::new("CHAT_JWT_SECRET", rand_failed.to_string())
        })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The key of cursors and sync tokens: bound to the secret, but of no use for making tokens.
pub(crate) fn cursor_key(secret: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, b"cursors and sync tokens").as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let first = kept(folder.path()).unwrap();
        assert!(first.len() >= 43);
        assert_eq!(kept(folder.path()).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join(FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "short").unwrap();
        assert_eq!(kept(folder.path()).unwrap_err().variable, "CHAT_DATA_DIR");
    }
}
