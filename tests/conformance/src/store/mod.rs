//! Cases for stores, one file per facet. The name of a case is the rule it checks.

pub mod accounts;
pub mod attachments;
pub mod blocks;
pub mod commit;
pub mod conversations;
pub mod devices;
pub mod edits;
pub mod facts;
pub mod history;
pub mod inbox;
pub mod lists;
pub mod mentions;
pub mod messages;
pub mod moderation;
pub mod mutes;
pub mod outbox;
pub mod personal;
pub mod pins;
pub mod receipts;
pub mod retention;
pub mod scheduled;
pub mod search;
pub mod stars;
pub mod sync;
pub mod uniqueness;
pub mod users;
