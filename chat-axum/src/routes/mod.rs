//! One file per resource. A handler decodes, names the caller and calls one [`Actor`](chat_core::Actor) method.

mod attachments;
mod auth;
mod blocks;
mod conversations;
mod devices;
mod marks;
mod me;
mod members;
mod mentions;
mod messages;
mod meta;
mod moderation;
mod mutes;
mod personal;
mod pins;
mod queries;
mod reports;
mod scheduled;
mod search;
mod stars;
mod sync;
mod users;

use utoipa_axum::router::OpenApiRouter;

use crate::state::ApiState;

pub(crate) use attachments::ENVELOPE_BYTES;
pub(crate) use meta::{health, ready};

/// Every route of the contract, with its description.
pub(crate) fn all(accounts: bool) -> OpenApiRouter<ApiState> {
    let router = OpenApiRouter::new()
        .merge(me::router())
        .merge(personal::router())
        .merge(users::router())
        .merge(blocks::router())
        .merge(mutes::router())
        .merge(reports::router())
        .merge(moderation::router())
        .merge(conversations::router())
        .merge(members::router())
        .merge(marks::router())
        .merge(messages::router())
        .merge(mentions::router())
        .merge(pins::router())
        .merge(stars::router())
        .merge(scheduled::router())
        .merge(search::router())
        .merge(attachments::router())
        .merge(devices::router())
        .merge(sync::router())
        .merge(meta::router());
    if accounts {
        router.merge(auth::router())
    } else {
        router
    }
}
