//! A chat server.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{free_port, secret, wait_until_listening};
use crate::Failure;
use crate::process::{Group, temporary_folder};

/// A chat server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct ChatServer {
    _group: Group,
    /// `http://127.0.0.1:<port>`
    pub(crate) url: String,
    /// What it signs and checks tokens with.
    pub(crate) secret: String,
}

impl ChatServer {
    /// Starts `program` on a store, with the settings that store needs, and waits until it is ready.
    pub(crate) fn start(program: &Path, store: &str, settings: &[(&str, String)]) -> Result<Self, Failure> {
        let folder = temporary_folder()?;
        let secret = secret();
        let port = free_port()?;
        let mut command = Command::new(program);
        for name in [
            "DATABASE_URL",
            "CHAT_DATABASE_SCHEMA",
            "MONGODB_URL",
            "CHAT_MONGODB_PREFIX",
            "REDIS_URL",
            "CHAT_MEDIA_URL",
            "CHAT_FCM_CREDENTIALS",
        ] {
            command.env_remove(name);
        }
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("CHAT_STORE", store)
            .env("CHAT_DATA_DIR", folder.join("data"))
            .env("CHAT_JWT_SECRET", &secret)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "error");
        }
        let mut group = Group::start(&mut command)?;
        wait_until_listening(&mut group)
            .map_err(|failure| format!("the chat server on {store}: {failure}"))?;
        Ok(Self {
            _group: group,
            url: format!("http://127.0.0.1:{port}"),
            secret,
        })
    }
}
