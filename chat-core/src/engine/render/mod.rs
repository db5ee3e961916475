//! From kept rows to what one viewer sees, batch by batch: a page costs a constant number of store calls.

mod broadcast;
mod conversation;
mod event;
mod message;
mod sightline;
mod user;

pub(crate) use sightline::Sightline;
