//! Writes the history. The time of a line is taken while the file is locked, so the order of lines is that of times.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::Failure;
use crate::history::{Kind, Line};

/// Takes lines from everybody.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    file: Mutex<Output>,
    next: AtomicU64,
    /// When something was last written.
    newest: AtomicU64,
}

#[derive(Debug)]
struct Output {
    lines: BufWriter<File>,
    failed: Option<std::io::Error>,
}

/// Who writes a line, and from where.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) process: String,
    pub(crate) user: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) connection: Option<u64>,
}

impl Source {
    /// The conductor of the run.
    pub(crate) fn conductor() -> Self {
        Self {
            process: "conductor".to_owned(),
            ..Self::default()
        }
    }
}

impl Recorder {
    pub(crate) fn create(file: &Path) -> Result<Self, Failure> {
        Ok(Self {
            shared: Arc::new(Shared {
                began: Instant::now(),
                file: Mutex::new(Output {
                    lines: BufWriter::new(File::create(file)?),
                    failed: None,
                }),
                next: AtomicU64::new(1),
                newest: AtomicU64::new(0),
            }),
        })
    }

    /// A number nobody else has: for connections and commands.
    pub(crate) fn number(&self) -> u64 {
        self.shared.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Nanoseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.shared.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// When the newest line was written, in nanoseconds since the beginning.
    pub(crate) fn newest(&self) -> u64 {
        self.shared.newest.load(Ordering::Relaxed)
    }

    pub(crate) fn write(&self, source: &Source, kind: Kind, op: &str, id: Option<&str>, a: Value, v: Value) {
        let mut file = self.shared.file.lock().unwrap_or_else(PoisonError::into_inner);
        let line = Line {
            t: self.now(),
            p: source.process.clone(),
            u: source.user.clone(),
            d: source.device.clone(),
            conn: source.connection,
            k: kind,
            op: op.to_owned(),
            id: id.map(str::to_owned),
            a,
            v,
        };
        self.shared.newest.store(line.t, Ordering::Relaxed);
        let written = serde_json::to_writer(&mut file.lines, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| file.lines.write_all(b"\n"));
        // A history with holes would be judged as if nothing were missing, so the run fails with this in the end.
        file.failed = file.failed.take().or(written.err());
    }

    /// Everything is in the file afterwards.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        let mut file = self.shared.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.failed.take() {
            Some(error) => Err(error.into()),
            None => Ok(file.lines.flush()?),
        }
    }
}
