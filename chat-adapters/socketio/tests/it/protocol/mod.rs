//! The protocols themselves, statement by statement, on the transport that carries the chat: what the official suites
//! look at as well (`cargo xtask protocol`), but without Node and without guesses about time.

mod engine_io;
mod raw;
mod socket_io;
