use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// A file in the making. Dropped before it is kept, also by a caller who went away, it leaves nothing.
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Partial {
    pub(crate) async fn create(folder: &Path) -> io::Result<Self> {
        let path = folder.join(Uuid::new_v4().as_simple().to_string());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        Ok(Self {
            file: options.open(&path).await?,
            path,
            kept: false,
        })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Gives it its name, when its bytes are on the disk, and makes the name last.
    pub(crate) async fn keep_as(mut self, path: &Path) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await?;
            fs::rename(&self.path, path).await?;
            self.kept = true;
            if let Err(error) = sync_folder(folder).await {
                // Whether the name survives a crash is unknown, so it must not be there at all.
                let _ = fs::remove_file(path).await;
                return Err(error);
            }
        }
        Ok(())
    }
}

/// A rename lasts when its folder is on the disk. Windows cannot open folders, and needs not.
async fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            // One system call; a blocking task could outlive the runtime.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
