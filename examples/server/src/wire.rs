//! From settings to an engine with its adapters, and from there to the routes.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use chat_adapters::media_fs::FsMediaStore;
use chat_adapters::redis::{OpenError as RedisOpenError, RedisBus, RedisConfig, RedisPresence};
use chat_adapters::socketio::{SocketIoConfig, SocketIoGateway};
use chat_adapters::websocket::{WebSocketConfig, WebSocketGateway};
use chat_axum::{AccountData, Accounts, ChatApi, InvalidKey, JwtAuthenticator, JwtKey};
use chat_core::origin::OriginPolicy;
use chat_core::port::Authenticator;
use chat_core::time::{Clock, SystemClock};
use chat_core::{ChatEngine, ChatEngineBuilder};

use crate::config::{RedisSetting, SettingError, Settings};
use crate::metrics::Metrics;
use crate::storage::{Storage, chain};
use crate::{cors, health, secret, web};

/// Where the REST API is mounted.
const API: &str = "/api";

/// The engine and everything it was wired with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Wired {
    /// The engine.
    pub engine: ChatEngine,
    /// Who callers are.
    pub auth: Arc<dyn Authenticator>,
    accounts: Option<Arc<Accounts>>,
    origins: OriginPolicy,
    storage: Storage,
}

impl Wired {
    /// Opens what the settings name and builds the engine.
    ///
    /// # Errors
    /// The variable behind what cannot be opened.
    pub async fn new(settings: &Settings) -> Result<Self, SettingError> {
        make_folder("CHAT_DATA_DIR", &settings.data_dir)?;
        make_folder("CHAT_MEDIA_URL", &settings.media_dir)?;
        let secret = match &settings.jwt_secret {
            Some(secret) => secret.clone(),
            None => secret::kept(&settings.data_dir)?,
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let storage = Storage::open(&settings.store, &settings.data_dir, &clock).await?;
        let media = FsMediaStore::open(&settings.media_dir)
            .await
            .map_err(|error| SettingError::new("CHAT_MEDIA_URL", chain(&error)))?;
        let builder = ChatEngine::builder(storage.store())
            .with_clock(Arc::clone(&clock))
            .with_media(Arc::new(media))
            .with_media_url(format!("{API}/attachments"))
            .with_secret(secret::cursor_key(&secret))
            .with_user_data(Arc::new(AccountData::new(storage.accounts())));
        let builder = match &settings.webhook {
            Some(webhook) => builder.with_relay(Arc::new(webhook.clone())),
            None => builder,
        };
        let builder = match &settings.redis {
            Some(redis) => on_redis(builder, redis)?,
            None => builder,
        };
        let engine = match settings.pushing.notifier() {
            Some(notifier) => builder.with_notifier(notifier).build(),
            None => builder.build(),
        };
        let key = JwtKey::hs256(&secret).map_err(unusable_secret)?;
        let tokens: Arc<dyn Authenticator> =
            Arc::new(JwtAuthenticator::new([key]).with_clock(Arc::clone(&clock)));
        let mut accounts = None;
        let mut auth = Arc::clone(&tokens);
        if settings.accounts {
            let own = Accounts::new(storage.accounts(), &secret).map_err(unusable_secret)?;
            let own = Arc::new(own.with_clock(clock));
            auth = Arc::new(own.authenticator(Some(tokens)));
            accounts = Some(own);
        }
        Ok(Self {
            engine,
            auth,
            accounts,
            origins: settings.origins.clone(),
            storage,
        })
    }

    /// Finishes what the store has queued and closes it. Later commands are refused.
    pub async fn close(&self) {
        self.storage.close().await;
    }
}

/// All routes: the page, the API, both gateways, health and metrics.
pub fn app(wired: &Wired, metrics: &Metrics) -> Router {
    let Wired {
        engine,
        auth,
        origins,
        ..
    } = wired;
    let mut api = ChatApi::new(engine.clone(), Arc::clone(auth));
    if let Some(accounts) = &wired.accounts {
        api = api.with_accounts(Arc::clone(accounts));
    }
    let cross_origin = from_fn_with_state(origins.clone(), cors::check);
    let api = api.router().layer(cross_origin.clone());
    let websocket = WebSocketConfig::default().with_origins(origins.clone());
    let socketio = SocketIoConfig::default().with_origins(origins.clone());
    Router::new()
        .nest(API, api)
        .merge(WebSocketGateway::new(engine.clone(), Arc::clone(auth), websocket).router())
        // Polling is plain HTTP: pages of listed sites need the headers there as well.
        .merge(
            SocketIoGateway::new(engine.clone(), Arc::clone(auth), socketio)
                .router()
                .layer(cross_origin),
        )
        .merge(health::routes(engine.clone(), metrics.clone()))
        .merge(web::routes())
        .method_not_allowed_fallback(web::wrong_method)
}

fn unusable_secret(error: InvalidKey) -> SettingError {
    SettingError::new("CHAT_JWT_SECRET", error.to_string())
}

/// For the owner only: what people write lies in it.
/// One node of several.
fn on_redis(builder: ChatEngineBuilder, redis: &RedisSetting) -> Result<ChatEngineBuilder, SettingError> {
    let config = RedisConfig::default().with_prefix(redis.prefix.clone());
    let unusable = |error: RedisOpenError| SettingError::new("REDIS_URL", error.to_string());
    let bus = RedisBus::new(&redis.url, &config).map_err(unusable)?;
    let presence = RedisPresence::new(&redis.url, config).map_err(unusable)?;
    Ok(builder.with_bus(Arc::new(bus)).with_presence(Arc::new(presence)))
}

fn make_folder(variable: &'static str, folder: &Path) -> Result<(), SettingError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| SettingError::new(variable, format!("the folder cannot be made: {error}")))
}
