//! What happened, as everybody outside the server saw it: one JSON object a line, in order of time.

mod digest;
mod line;
mod seen;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

pub use digest::digest;
pub use line::{Kind, Line};
pub use seen::{Seen, token_in, tokens_in};

use crate::Failure;

/// Reads a history from its file.
///
/// # Errors
/// The file cannot be read, or a line of it is no [`Line`].
pub fn read(file: &Path) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for (number, text) in BufReader::new(File::open(file)?).lines().enumerate() {
        let line = serde_json::from_str(&text?).map_err(|error| format!("line {}: {error}", number + 1))?;
        lines.push(line);
    }
    Ok(lines)
}
