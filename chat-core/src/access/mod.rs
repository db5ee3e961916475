//! Who may see what, and who may do what. The only home of these rules: lists, previews, unread, search, push, sync,
//! replies, reactions and files all ask here, and store queries mirror these functions.

mod allowed;
mod presence;
mod push;
mod rollup;
mod visible;

pub use allowed::{Action, Standing, abilities, allowed, heir, may_rejoin};
pub use presence::{KnownPresence, known_presence, shown_status};
pub use push::{NoPush, PushDecision, PushFacts, alert_at, push_decision};
pub use rollup::{is_recipient, known_mark, known_read, roll_up};
pub use visible::{
    Sight, Visibility, counts_as_unread, has_expired, is_collapsed, is_mention, is_previewable, visible,
};
