use crate::space::open;

chat_conformance::store!(open, "mongodb");
chat_conformance::accounts!(open, "mongodb");
chat_conformance::archive!(open, "mongodb");
