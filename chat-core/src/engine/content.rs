//! Validation of content.
