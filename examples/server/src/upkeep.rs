//! What is done to a store that no server is using: copying it, and counting it anew.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use chat_core::archive::{ArchiveKind, Copied, VerifyOptions, copy as copy_rows, verify as verify_rows};
use chat_core::config::ChatConfig;
use chat_core::time::{Clock, SystemClock};
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::{Environment, SettingError, Settings, StoreSetting, Task};
use crate::storage::{SQLITE_FILE, Storage, chain};

/// Findings that are printed; further ones are only counted.
const PRINTED: usize = 100;

/// The store does not agree with itself.
const DISAGREES: u8 = 1;

/// Does the task and says on standard output what came of it.
///
/// # Errors
/// One line, when it could not be done.
pub async fn upkeep(task: &Task, environment: &Environment) -> Result<ExitCode, String> {
    match task {
        Task::Copy { from, to } => copy(environment, from, to).await,
        Task::Verify => verify(environment).await,
    }
}

/// The settings with this store instead of the one they name.
fn with_store(environment: &Environment, store: &str) -> Result<Settings, SettingError> {
    Settings::read(&Environment {
        store: Some(store.to_owned()),
        ..environment.clone()
    })
}

async fn open(settings: &Settings, must_be_there: bool) -> Result<Storage, String> {
    match settings.store {
        StoreSetting::Memory => {
            return Err("the store memory ends with its server; there is nothing to open".to_owned());
        }
        StoreSetting::Sqlite if must_be_there && !settings.data_dir.join(SQLITE_FILE).exists() => {
            return Err(format!("CHAT_DATA_DIR: there is no {SQLITE_FILE} in it"));
        }
        _ => {}
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Storage::open(&settings.store, &settings.data_dir, &clock)
        .await
        .map_err(|error| error.to_string())
}

async fn copy(environment: &Environment, from: &str, to: &str) -> Result<ExitCode, String> {
    if from == to {
        return Err("--from and --to name the same store".to_owned());
    }
    let read = |store| with_store(environment, store).map_err(|error| error.to_string());
    let (source, target) = (read(from)?, read(to)?);
    let source = open(&source, true).await?;
    let target = open(&target, false).await?;
    let mut progress = Progress::new();
    let copied = copy_rows(&*source.whole(), &*target.whole(), &mut |copied| {
        progress.show(copied)
    })
    .await;
    progress.end();
    source.close().await;
    target.close().await;
    let rows = copied.map_err(|error| chain(&error))?;
    say(&format!("copied {rows} rows from {from} to {to}"));
    Ok(ExitCode::SUCCESS)
}

async fn verify(environment: &Environment) -> Result<ExitCode, String> {
    let settings = Settings::read(environment).map_err(|error| error.to_string())?;
    let storage = open(&settings, true).await?;
    let options = VerifyOptions {
        now: SystemClock.now(),
        blocked_in_group: ChatConfig::default().policies.blocked_in_group,
        keep: PRINTED,
    };
    let findings = verify_rows(&*storage.whole(), &options).await;
    storage.close().await;
    let findings = findings.map_err(|error| chain(&error))?;
    for finding in &findings.kept {
        say(&finding.to_string());
    }
    say(&format!(
        "{} rows read, the views of {} memberships counted anew: {} disagreements",
        findings.rows, findings.recounts, findings.total
    ));
    Ok(if findings.total == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DISAGREES)
    })
}

/// A bar per kind of rows where somebody watches, a line per kind where nobody does.
struct Progress {
    kind: Option<ArchiveKind>,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new() -> Self {
        Self {
            kind: None,
            bar: None,
        }
    }

    fn show(&mut self, copied: Copied) {
        if self.kind != Some(copied.kind) {
            self.end();
            self.kind = Some(copied.kind);
            self.bar = std::io::stderr().is_terminal().then(|| {
                let style =
                    ProgressStyle::with_template("{msg:>20} {wide_bar} {human_pos}/{human_len} {eta}");
                let bar = ProgressBar::new(copied.of).with_message(copied.kind.name());
                style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
            });
        }
        match &self.bar {
            Some(bar) => bar.set_position(copied.done),
            None if copied.done >= copied.of => say(&format!("{}: {}", copied.kind, copied.done)),
            None => {}
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

fn say(line: &str) {
    // Nobody may be reading; the work is done all the same.
    let _unread = writeln!(std::io::stdout().lock(), "{line}");
}
