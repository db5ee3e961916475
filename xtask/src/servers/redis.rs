//! The program of a Redis server.

use std::path::PathBuf;

use crate::tools::{Missing, install_packages, on_path};

/// From `PATH`, else installed. Its tests kill, empty and freeze servers, so they start their own of it and none that
/// somebody else uses.
pub(crate) fn redis_program() -> Result<PathBuf, Missing> {
    if let Some(program) = on_path("redis-server") {
        return Ok(program);
    }
    install_packages(&["redis-server"]);
    on_path("redis-server").ok_or_else(|| {
        Missing(
            "Redis is missing: install redis-server 6 or later (Debian: apt-get install redis-server)"
                .to_owned(),
        )
    })
}
