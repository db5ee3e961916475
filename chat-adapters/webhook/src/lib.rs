#![doc = include_str!("../README.md")]

mod client;
mod secret;
mod webhook;

pub use secret::WebhookSecret;
pub use webhook::{Webhook, WebhookError};
