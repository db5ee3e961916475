//! Servers for tests, each on a private port of the loopback address with its data in a temporary folder.

mod chat;
mod echo;
mod mongodb;
mod postgres;
mod redis;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

pub(crate) use chat::ChatServer;
pub(crate) use echo::EchoServer;
pub(crate) use mongodb::MongoServer;
pub(crate) use postgres::{PostgresServer, Prepared as PreparedPostgres};
pub(crate) use redis::redis_program;

use crate::Failure;
use crate::process::Group;

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

/// Waits until a server says that it listens, and returns what it said. Its standard output has to be a pipe.
fn wait_until_listening(group: &mut Group) -> Result<String, Failure> {
    let (ready, is_ready) = mpsc::channel();
    if let Some(stdout) = group.child().stdout.take() {
        std::thread::spawn(move || {
            // Read to the end, so that the server never waits for us.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.contains("listening on ") {
                    // Nobody waits for a second one.
                    let _sent = ready.send(line);
                }
            }
        });
    }
    Ok(is_ready
        .recv_timeout(Duration::from_secs(30))
        .map_err(|_| "it did not say that it listens")?)
}
