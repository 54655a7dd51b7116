use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{PrivatePostgresError, io};
use super::layout::Layout;

/// Enough for PostgreSQL's reason and what led to it.
const TAIL_LINES: usize = 20;

/// Begins a new log and keeps that of the run before, so that the logs do not grow for ever and the
/// reason of a crash is still there after the restart.
pub(super) fn begin(layout: &Layout) -> Result<File, PrivatePostgresError> {
    let path = &layout.log;
    if path.exists() {
        fs::rename(path, &layout.previous_log).map_err(io("put aside the log", path))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(io("open the log", path))
}

/// The last lines from a place in the log on.
pub(super) fn tail(path: &Path, from: u64) -> String {
    let text = read_from(path, from).unwrap_or_else(|error| format!("(the log cannot be read: {error})").into_bytes());
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n")
}

fn read_from(path: &Path, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
