//! What a process uses, as Linux tells it.

use std::path::PathBuf;
use std::time::Duration;

use super::Sample;
use crate::Failure;

pub(super) fn usage(process: u32, at: Duration) -> Result<Sample, Failure> {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let gone = |error| {
        format!("the server's use of memory cannot be read, it is gone or there is no /proc: {error}")
    };
    let status = std::fs::read_to_string(folder.join("status")).map_err(gone)?;
    let files = std::fs::read_dir(folder.join("fd")).map_err(gone)?.count();
    Ok(Sample {
        at,
        memory: resident(&status).ok_or("no resident memory is told")?,
        files: u64::try_from(files)?,
    })
}

/// `VmRSS`, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read() {
        let status = "Name:\tchat-server\nVmPeak:\t  900 kB\nVmRSS:\t   14312 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(14_312 * 1024));
        assert_eq!(resident("Name:\tgone\n"), None);
    }
}
