use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use super::error::{PrivatePostgresError, io};
use super::layout::Layout;

/// Held for as long as we use the data directory. The kernel lets go of it when the process dies,
/// however it dies.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file would not do: a child process which another thread is just starting has it
    /// open too until its `exec`.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes the exclusive lock of the data directory, or says who has it.
pub(super) fn take(layout: &Layout) -> Result<Lock, PrivatePostgresError> {
    let path = &layout.lock;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io("open the lock file", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = recorded_pid(&mut file);
            return Err(PrivatePostgresError::AlreadyRunning { data_dir: layout.data_dir.clone(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(io("lock", path)(error)),
    }
    let mut lock = Lock(file);
    record_pid(&mut lock.0).map_err(io("write", path))?;
    Ok(lock)
}

/// Only for the message to the next one; the lock is what counts.
fn record_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn recorded_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
