#![doc = include_str!("../README.md")]

mod account;
mod answer;
mod fcm;
mod message;
mod request;
mod token;

pub use account::ServiceAccount;
pub use fcm::{Fcm, FcmError};
