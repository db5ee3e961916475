//! Adapters of the chat engine, each in a crate of its own and behind a feature of its own here.

#[cfg(feature = "fcm")]
pub use chat_fcm as fcm;
#[cfg(feature = "media-fs")]
pub use chat_media_fs as media_fs;
#[cfg(feature = "mongodb")]
pub use chat_mongodb as mongodb;
#[cfg(feature = "postgres")]
pub use chat_postgres as postgres;
#[cfg(feature = "redis")]
pub use chat_redis as redis;
#[cfg(feature = "socketioxide")]
pub use chat_socketio as socketio;
#[cfg(feature = "sqlite")]
pub use chat_sqlite as sqlite;
#[cfg(feature = "webhook")]
pub use chat_webhook as webhook;
#[cfg(feature = "websocket")]
pub use chat_websocket as websocket;
