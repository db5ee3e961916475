//! What uploads are, and how they are handed out.

mod disposition;
mod range;
mod sniff;

pub(crate) use disposition::{content_disposition, content_type};
pub(crate) use range::{Wanted, wanted};
pub(crate) use sniff::{HEAD_BYTES, sniff};
