//! The REST API as clients see it.

mod accounts;
mod attachments;
mod chat;
mod document;
mod mounting;
mod problems;
mod requests;
mod support;
mod tokens;
