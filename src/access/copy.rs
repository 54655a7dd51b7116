//! A copy of who has access, on this machine's disk beside the spool: a service that starts while the database is away
//! judges by it, so that senders do not notice.
//!
//! It is as secret as the database: webhook secrets and signing keys are in it as they are.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use crate::store::AccessRows;

/// The copy, and what was written to it last.
#[derive(Debug)]
pub struct Copy {
    path: PathBuf,
    written: Mutex<Option<Vec<u8>>>,
    has_warned: AtomicBool,
}

impl Copy {
    /// The copy in this directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join("access.json"), written: Mutex::default(), has_warned: AtomicBool::new(false) }
    }

    /// What it says; none where there is none that can be read.
    pub fn read(&self) -> Option<AccessRows> {
        let bytes = fs::read(&self.path).ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(rows) => Some(rows),
            Err(cause) => {
                warn!(path = %self.path.display(), %cause, "the copy of who has access cannot be read");
                None
            }
        }
    }

    /// Makes it say this, unless it does.
    pub fn write(&self, rows: &AccessRows) {
        let Ok(bytes) = serde_json::to_vec(rows) else { return };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.as_ref() == Some(&bytes) {
            return;
        }
        match self.replace(&bytes) {
            Ok(()) => {
                info!(path = %self.path.display(), "who has access was copied beside the spool");
                *written = Some(bytes);
                self.has_warned.store(false, Ordering::Relaxed);
            }
            // It is tried again each time: who was disabled must not stay in the copy. It is told once.
            Err(cause) if !self.has_warned.swap(true, Ordering::Relaxed) => {
                warn!(path = %self.path.display(), %cause, "who has access cannot be copied beside the spool; a service that \
                    starts while the database is away judges by the copy before, if there is one");
            }
            Err(_) => {}
        }
    }

    /// It is the former one or the new one, whatever happens meanwhile.
    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let _ = fs::remove_file(&new);
        let replaced = self.replace_by(&new, bytes);
        if replaced.is_err() {
            let _ = fs::remove_file(&new);
        }
        replaced
    }

    fn replace_by(&self, new: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(new, &self.path)?;
        self.path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }
}
