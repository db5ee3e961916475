//! A chat engine that Rust back ends embed: conversations, messages, receipts, presence and the events between them,
//! without a transport, a database or an account system of its own.
//!
//! A host gives it a [`store`], mounts one or more gateways, and keeps its own users and authentication. Every command
//! lives on an [`Actor`], the identity somebody acts under:
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use chat_core::command::{HistoryRequest, SendMessage};
//! use chat_core::id::UserId;
//! use chat_core::memory::MemoryStore;
//! use chat_core::port::Identity;
//! use chat_core::ChatEngine;
//!
//! let engine = ChatEngine::builder(Arc::new(MemoryStore::default())).build();
//!
//! // Whoever the host has authenticated may come in; the engine keeps a row per user.
//! let (ada, ben) = (UserId::new("ada")?, UserId::new("ben")?);
//! for id in [&ada, &ben] {
//!     engine.admit(&Identity::new(id.clone())).await?;
//! }
//!
//! let sent = engine.as_user(&ada).send(SendMessage::text_to(ben.clone(), "hello")).await?;
//! let id = sent.message.conversation_id;
//!
//! let inbox = engine.as_user(&ben).conversation(id).await?;
//! assert_eq!(inbox.my.unread_count, 1);
//!
//! let page = engine.as_user(&ben).history(id, HistoryRequest::default()).await?;
//! assert_eq!(page.items[0].text.as_deref(), Some("hello"));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "memory"))]
//! # fn main() {}
//! ```
//!
//! # Where things are
//! - [`command`], [`view`], [`event`]: what is asked, what is answered, what happened.
//! - [`access`]: the rules, each in one function: who may see what, who may do what.
//! - [`store`]: the storage port; [`port`]: all others. [`memory`]: the reference store. [`archive`]: copying a store and
//!   counting it anew.
//! - [`live`]: sessions and their bounded queues, for gateways.
//!
//! # Features
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`memory`]: the reference store, for tests and first steps |
//! | `openapi` | no | `utoipa::ToSchema` for all payloads and answers |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod access;
pub mod archive;
pub mod command;
pub mod config;
pub mod decode;
pub mod engine;
pub mod error;
pub mod event;
pub mod id;
pub mod live;
#[cfg(feature = "memory")]
pub mod memory;
pub mod model;
pub mod origin;
pub mod port;
mod seal;
pub mod store;
pub mod text;
pub mod time;
pub mod view;

pub use config::ChatConfig;
pub use engine::{Actor, ChatEngine, ChatEngineBuilder};
pub use error::{ChatError, ChatResult, ErrorCode};
