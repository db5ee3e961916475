//! Servers for tests, each on a private port of the loopback address with its data in a temporary folder.

mod chat;
mod mongodb;
mod postgres;

use std::net::{Ipv4Addr, TcpListener};

pub(crate) use chat::ChatServer;
pub(crate) use mongodb::MongoServer;
pub(crate) use postgres::PostgresServer;

use crate::Failure;

/// A port nobody listens on.
fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Something nobody guesses, without a dependency for it: the standard library seeds every hasher at random.
fn secret() -> String {
    use std::hash::{BuildHasher, Hasher};
    (0..4)
        .map(|_| format!("{:016x}", std::hash::RandomState::new().build_hasher().finish()))
        .collect()
}
