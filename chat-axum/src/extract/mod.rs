//! Strict reading of requests: everything that is not asked for is refused by name.

mod body;
mod path;
mod percent;
mod query;

pub(crate) use body::{NoBody, Payload, PayloadOrNothing, SyncPayload};
pub(crate) use path::{At, Emoji, MessageThere};
pub(crate) use query::{FromQuery, Params, Query, check_unread};
