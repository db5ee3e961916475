//! The store against the conformance suite, on a real server.

use crate::space::open;

chat_conformance::store!(open, "postgres");
chat_conformance::accounts!(open, "postgres");
chat_conformance::archive!(open, "postgres");
