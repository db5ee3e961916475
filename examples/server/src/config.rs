//! What the environment says, checked once at the start.

use std::fmt;
use std::path::{Path, PathBuf};

use chat_adapters::postgres::SchemaName;
use chat_adapters::webhook::{Webhook, WebhookSecret};
use chat_core::origin::OriginPolicy;
use clap::{Args, Parser, Subcommand};

use crate::pushes::{self, Pushing};

/// The command line: without a command, the server.
#[derive(Parser, Debug)]
#[command(
    name = "chat-server",
    version,
    about = "A chat server: REST, Socket.IO, WebSocket and a web page"
)]
pub struct CommandLine {
    /// The settings.
    #[command(flatten)]
    pub environment: Environment,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// Work on a store that no server is using.
#[derive(Subcommand, Debug, Clone)]
pub enum Task {
    /// Copy everything from one store into another, empty one; stop the servers first
    Copy {
        /// The store to read: sqlite, postgres or mongodb, where the other settings say it is
        #[arg(long)]
        from: String,
        /// The store to fill: sqlite, postgres or mongodb
        #[arg(long)]
        to: String,
    },
    /// Count everything in the store anew and tell where its summaries say something else
    Verify,
}

/// The environment variables as they are. Each has a default that needs nothing installed; an empty one counts as
/// absent.
#[derive(Args, Clone, Default)]
pub struct Environment {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, env = "HOST", hide_env_values = true)]
    pub host: Option<String>,
    /// Port to listen on; 0 takes a free one [default: 3000]
    #[arg(long, env = "PORT", hide_env_values = true)]
    pub port: Option<String>,
    /// Folder of the database, uploads and the made secret [default: ./data]
    #[arg(long, env = "CHAT_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<String>,
    /// Where chats are kept: sqlite, postgres, mongodb or memory [default: sqlite]
    #[arg(long, env = "CHAT_STORE", hide_env_values = true)]
    pub store: Option<String>,
    /// The database of the store postgres: postgres://user:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The schema in it that the tables lie in [default: chat]
    #[arg(long, env = "CHAT_DATABASE_SCHEMA", hide_env_values = true)]
    pub database_schema: Option<String>,
    /// The database of the store mongodb: mongodb://user:password@host:port/database
    #[arg(long, env = "MONGODB_URL", hide_env_values = true)]
    pub mongodb_url: Option<String>,
    /// What the names of its collections begin with [default: chat_]
    #[arg(long, env = "CHAT_MONGODB_PREFIX", hide_env_values = true)]
    pub mongodb_prefix: Option<String>,
    /// Secret of HS256 tokens; 32 bytes or more, or it may be guessed [default: made and kept in the data folder]
    #[arg(long, env = "CHAT_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,
    /// Where uploads are kept, a file:// URL [default: the folder media in the data folder]
    #[arg(long, env = "CHAT_MEDIA_URL", hide_env_values = true)]
    pub media_url: Option<String>,
    /// Origins of web pages that may call, separated by commas [default: this server's own pages only]
    #[arg(long, env = "CHAT_ALLOWED_ORIGINS", hide_env_values = true)]
    pub allowed_origins: Option<String>,
    /// Whether people can sign up here: on or off [default: on]
    #[arg(long, env = "CHAT_ACCOUNTS", hide_env_values = true)]
    pub accounts: Option<String>,
    /// Where events go as signed webhooks, an https:// URL; needs CHAT_WEBHOOK_SECRET [default: nowhere]
    #[arg(long, env = "CHAT_WEBHOOK_URL", hide_env_values = true)]
    pub webhook_url: Option<String>,
    /// Secrets that sign webhooks, whsec_ and Base64; several separated by commas, the newest first
    #[arg(long, env = "CHAT_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// Service account that sends pushes through FCM, a JSON file [default: no pushes]
    #[arg(long, env = "CHAT_FCM_CREDENTIALS", hide_env_values = true)]
    pub fcm_credentials: Option<String>,
    /// Another FCM server than Google's, such as http://127.0.0.1:9000
    #[arg(long, env = "CHAT_FCM_ENDPOINT", hide_env_values = true)]
    pub fcm_endpoint: Option<String>,
    /// For development: log instead of FCM [default: no pushes]
    #[arg(long, env = "CHAT_PUSHES", hide_env_values = true)]
    pub pushes: Option<String>,
    /// Redis through which several nodes hear of each other: redis://user:password@host:port [default: one node]
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// What its keys and channels begin with [default: chat]
    #[arg(long, env = "CHAT_REDIS_PREFIX", hide_env_values = true)]
    pub redis_prefix: Option<String>,
    /// What is logged to standard error, such as `info` or `chat_core=debug` [default: info]
    #[arg(long, env = "RUST_LOG", hide_env_values = true)]
    pub log: Option<String>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(…)")
    }
}

/// Where chats are kept.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreSetting {
    /// `chat.db` in the data folder.
    Sqlite,
    /// A PostgreSQL database.
    Postgres {
        /// Where it is, with its password.
        url: String,
        /// Where in it the tables lie.
        schema: SchemaName,
    },
    /// A MongoDB database.
    Mongodb {
        /// Where it is, with its password.
        url: String,
        /// What the names of its collections begin with.
        prefix: String,
    },
    /// In this process, gone when it ends.
    Memory,
}

impl fmt::Debug for StoreSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres { .. } => "Postgres(…)",
            Self::Mongodb { .. } => "Mongodb(…)",
            Self::Memory => "Memory",
        })
    }
}

/// What is in force.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Folder of everything that is kept.
    pub data_dir: PathBuf,
    /// Where chats are kept.
    pub store: StoreSetting,
    /// The Redis of several nodes.
    pub redis: Option<RedisSetting>,
    /// Secret of tokens; `None`: made and kept in the data folder.
    pub jwt_secret: Option<String>,
    /// Folder of uploads.
    pub media_dir: PathBuf,
    /// Which web pages may call.
    pub origins: OriginPolicy,
    /// Whether people can sign up here.
    pub accounts: bool,
    /// Where events go.
    pub webhook: Option<Webhook>,
    /// Where pushes go.
    pub pushing: Pushing,
    /// What is logged.
    pub log_filter: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("store", &self.store)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

/// A variable that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong with it; never its value when that is a secret.
    pub problem: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl std::error::Error for SettingError {}

impl SettingError {
    pub(crate) fn new(variable: &'static str, problem: impl Into<String>) -> Self {
        Self {
            variable,
            problem: problem.into(),
        }
    }
}

fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|value| !value.is_empty())
}

impl Settings {
    /// Checks every variable.
    ///
    /// # Errors
    /// The first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let port = given(&environment.port).unwrap_or("3000");
        let data_dir = PathBuf::from(given(&environment.data_dir).unwrap_or("./data"));
        Ok(Self {
            host: given(&environment.host).unwrap_or("127.0.0.1").to_owned(),
            port: port
                .parse()
                .map_err(|_| SettingError::new("PORT", format!("{port:?} is no port (0-65535)")))?,
            store: store(environment)?,
            redis: redis(environment)?,
            jwt_secret: given(&environment.jwt_secret).map(str::to_owned),
            media_dir: media_dir(given(&environment.media_url), &data_dir)?,
            origins: origins(given(&environment.allowed_origins))?,
            accounts: match given(&environment.accounts).unwrap_or("on") {
                "on" => true,
                "off" => false,
                other => {
                    return Err(SettingError::new(
                        "CHAT_ACCOUNTS",
                        format!("{other:?} is neither on nor off"),
                    ));
                }
            },
            webhook: webhook(
                given(&environment.webhook_url),
                given(&environment.webhook_secret),
            )?,
            pushing: pushes::read(
                given(&environment.pushes),
                given(&environment.fcm_credentials),
                given(&environment.fcm_endpoint),
            )?,
            log_filter: given(&environment.log).unwrap_or("info").to_owned(),
            data_dir,
        })
    }
}

fn store(environment: &Environment) -> Result<StoreSetting, SettingError> {
    match given(&environment.store).unwrap_or("sqlite") {
        "sqlite" => Ok(StoreSetting::Sqlite),
        "memory" => Ok(StoreSetting::Memory),
        "postgres" => postgres(environment),
        "mongodb" => mongodb(environment),
        other => Err(SettingError::new(
            "CHAT_STORE",
            format!("{other:?} is no store; use sqlite, postgres, mongodb or memory"),
        )),
    }
}

fn webhook(url: Option<&str>, secrets: Option<&str>) -> Result<Option<Webhook>, SettingError> {
    const URL: &str = "CHAT_WEBHOOK_URL";
    const SECRET: &str = "CHAT_WEBHOOK_SECRET";
    let (url, secrets) = match (url, secrets) {
        (None, None) => return Ok(None),
        (Some(url), Some(secrets)) => (url, secrets),
        (Some(_), None) => return Err(SettingError::new(SECRET, "needed with CHAT_WEBHOOK_URL")),
        (None, Some(_)) => return Err(SettingError::new(URL, "needed with CHAT_WEBHOOK_SECRET")),
    };
    let secrets: Result<Vec<_>, _> = secrets
        .split(',')
        .map(|one| WebhookSecret::parse(one.trim()))
        .collect();
    let secrets = secrets.map_err(|error| SettingError::new(SECRET, error.to_string()))?;
    let webhook = Webhook::new(url, secrets).map_err(|error| SettingError::new(URL, error.to_string()))?;
    Ok(Some(webhook))
}

fn postgres(environment: &Environment) -> Result<StoreSetting, SettingError> {
    let Some(url) = given(&environment.database_url) else {
        return Err(SettingError::new(
            "DATABASE_URL",
            "the store postgres needs it, as in postgres://user:password@host/database",
        ));
    };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        // Not shown: it may hold a password all the same.
        return Err(SettingError::new("DATABASE_URL", "this is no postgres:// URL"));
    }
    let schema = match given(&environment.database_schema) {
        Some(name) => SchemaName::new(name)
            .map_err(|error| SettingError::new("CHAT_DATABASE_SCHEMA", error.to_string()))?,
        None => SchemaName::default(),
    };
    Ok(StoreSetting::Postgres {
        url: url.to_owned(),
        schema,
    })
}

fn mongodb(environment: &Environment) -> Result<StoreSetting, SettingError> {
    let Some(url) = given(&environment.mongodb_url) else {
        return Err(SettingError::new(
            "MONGODB_URL",
            "the store mongodb needs it, as in mongodb://user:password@host/database",
        ));
    };
    // Not shown: it may hold a password all the same.
    if url.starts_with("mongodb+srv://") {
        return Err(SettingError::new(
            "MONGODB_URL",
            "mongodb+srv:// is not built in; name the hosts in a mongodb:// URL",
        ));
    }
    if !url.starts_with("mongodb://") {
        return Err(SettingError::new("MONGODB_URL", "this is no mongodb:// URL"));
    }
    Ok(StoreSetting::Mongodb {
        url: url.to_owned(),
        prefix: given(&environment.mongodb_prefix).unwrap_or("chat_").to_owned(),
    })
}

/// The Redis of several nodes.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisSetting {
    /// Where it is.
    pub url: String,
    /// What keys and channels begin with.
    pub prefix: String,
}

impl fmt::Debug for RedisSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RedisSetting")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn redis(environment: &Environment) -> Result<Option<RedisSetting>, SettingError> {
    let Some(url) = given(&environment.redis_url) else {
        return Ok(None);
    };
    if !url.starts_with("redis://") {
        return Err(SettingError::new("REDIS_URL", "this is no redis:// URL"));
    }
    Ok(Some(RedisSetting {
        url: url.to_owned(),
        prefix: given(&environment.redis_prefix).unwrap_or("chat").to_owned(),
    }))
}

fn media_dir(url: Option<&str>, data_dir: &Path) -> Result<PathBuf, SettingError> {
    let refused = |problem: &str| Err(SettingError::new("CHAT_MEDIA_URL", problem));
    let Some(url) = url else {
        return Ok(data_dir.join("media"));
    };
    match url.split_once("://") {
        Some(("file", path)) if path.starts_with('/') => Ok(PathBuf::from(path)),
        Some(("file", _)) => refused("a file URL needs an absolute path, as in file:///var/lib/chat/media"),
        Some(("s3" | "gs", _)) => refused("s3 and gs are not built into this version yet; use a file:// URL"),
        _ => refused("this is no file:// URL"),
    }
}

fn origins(list: Option<&str>) -> Result<OriginPolicy, SettingError> {
    let Some(list) = list else {
        return Ok(OriginPolicy::SameOrigin);
    };
    let mut origins = Vec::new();
    for origin in list.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
        let authority = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"))
            .map(|rest| rest.trim_end_matches('/'));
        if !authority.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@', ' ', '*'])) {
            return Err(SettingError::new(
                "CHAT_ALLOWED_ORIGINS",
                format!("{origin:?} is no origin; write it as https://app.example.com"),
            ));
        }
        origins.push(origin.to_owned());
    }
    Ok(OriginPolicy::AllowList(origins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Environment)) -> SettingError {
        let mut environment = Environment::default();
        change(&mut environment);
        Settings::read(&environment).unwrap_err()
    }

    #[test]
    fn everything_has_a_default_and_empty_is_absent() {
        let settings = Settings::read(&Environment {
            redis_url: Some(String::new()),
            port: Some(" ".to_owned()),
            ..Environment::default()
        })
        .unwrap();
        assert_eq!((settings.host.as_str(), settings.port), ("127.0.0.1", 3000));
        assert_eq!(settings.store, StoreSetting::Sqlite);
        assert_eq!(settings.media_dir, Path::new("./data/media"));
        assert_eq!(settings.origins, OriginPolicy::SameOrigin);
        assert!(settings.accounts);
        assert!(settings.webhook.is_none());
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        assert_eq!(refused(|e| e.port = Some("70000".into())).variable, "PORT");
        assert_eq!(
            refused(|e| e.store = Some("oracle".into())).variable,
            "CHAT_STORE"
        );
        assert_eq!(
            refused(|e| e.store = Some("mongodb".into())).variable,
            "MONGODB_URL"
        );
        assert_eq!(
            refused(|e| e.store = Some("postgres".into())).variable,
            "DATABASE_URL"
        );
        let secret = refused(|e| {
            e.store = Some("postgres".into());
            e.database_url = Some("mysql://chat:secret@db/chat".into());
        });
        assert_eq!(secret.variable, "DATABASE_URL");
        assert!(!secret.problem.contains("secret"));
        assert_eq!(
            refused(|e| {
                e.store = Some("postgres".into());
                e.database_url = Some("postgres://db/chat".into());
                e.database_schema = Some("No Schema".into());
            })
            .variable,
            "CHAT_DATABASE_SCHEMA"
        );
        assert_eq!(
            refused(|e| e.media_url = Some("s3://b".into())).variable,
            "CHAT_MEDIA_URL"
        );
        assert_eq!(
            refused(|e| e.media_url = Some("file://b".into())).variable,
            "CHAT_MEDIA_URL"
        );
        assert_eq!(
            refused(|e| e.accounts = Some("yes".into())).variable,
            "CHAT_ACCOUNTS"
        );
        assert_eq!(
            refused(|e| e.redis_url = Some("localhost:6379".into())).variable,
            "REDIS_URL"
        );
        assert_eq!(
            refused(|e| e.allowed_origins = Some("*".into())).variable,
            "CHAT_ALLOWED_ORIGINS"
        );
    }
}
