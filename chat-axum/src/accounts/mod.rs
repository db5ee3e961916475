//! Password accounts.
/// Accounts.
#[derive(Debug)]
pub struct Accounts {}
