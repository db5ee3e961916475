//! The engine's verbs through its public interface, on the memory store and a clock that stands still.

mod attachments;
mod deletion;
mod devices;
mod editing;
mod history;
mod marks;
mod meetings;
mod reactions;
mod receipts;
mod search;
mod sync;
mod world;
