#![doc = include_str!("../README.md")]

mod answer;
mod origin;

pub use answer::{new_request_id, refuse, view};
pub use origin::check_origin;
