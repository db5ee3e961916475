#![doc = include_str!("../README.md")]

mod accounts;
mod auth;
mod docs;
mod error;
mod extract;
mod jwt;
mod media;
mod observe;
mod openapi;
mod router;
mod routes;
mod state;

pub use accounts::{AccountAuthenticator, AccountData, Accounts};
pub use auth::FnAuthenticator;
pub use jwt::{InvalidKey, JwtAuthenticator, JwtKey};
pub use router::{ChatApi, health_router, router};
