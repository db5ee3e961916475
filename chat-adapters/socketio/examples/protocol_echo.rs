//! A server for the official Engine.IO and Socket.IO test suites: `cargo xtask protocol` runs them against it.
#![allow(clippy::print_stdout, reason = "a program that says where it listens")]

#[path = "../tests/it/echo.rs"]
mod echo;

use std::net::{Ipv4Addr, SocketAddr};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = echo::app().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await
}
