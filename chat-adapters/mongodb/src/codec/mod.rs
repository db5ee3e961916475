//! Rows as documents and back. What is derived for queries stands beside what it is derived from.

pub(crate) mod attachment;
pub(crate) mod conversation;
pub(crate) mod key;
pub(crate) mod member;
pub(crate) mod message;
pub(crate) mod moderation;
pub(crate) mod personal;
pub(crate) mod receipt;
pub(crate) mod scheduled;
pub(crate) mod user;
