//! The server of the protocol suites.

use std::path::Path;
use std::process::{Command, Stdio};

use super::wait_until_listening;
use crate::Failure;
use crate::process::Group;

/// A server for the protocol suites that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct EchoServer {
    _group: Group,
    /// `http://127.0.0.1:<port>`
    pub(crate) url: String,
}

impl EchoServer {
    pub(crate) fn start(program: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut group = Group::start(&mut command)?;
        let line = wait_until_listening(&mut group)?;
        let url = line.rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { _group: group, url })
    }
}
