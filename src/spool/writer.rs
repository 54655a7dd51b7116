//! The thread that writes: what arrives while it waits for the disk goes together to the disk next.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::NotSpooled;
use super::files::{put_away, segment_path, sync};
use super::frame::{self, HEAD};
use super::state::{Segment, State, Waiting};
use crate::trial;

/// A segment of more bytes is closed, and removed as soon as all of it was taken in.
const SEGMENT: u64 = 8 * 1024 * 1024;
/// So many bytes go to the disk together at most.
const TOGETHER: usize = 4 * 1024 * 1024;

/// What the writer is asked to do.
#[derive(Debug)]
pub enum Job {
    Append {
        record: Vec<u8>,
        received_at: DateTime<Utc>,
        reply: oneshot::Sender<Result<(), NotSpooled>>,
    },
    /// Deliveries were taken in: segments that nobody needs can go.
    Tidy,
}

type Append = (Vec<u8>, DateTime<Utc>, oneshot::Sender<Result<(), NotSpooled>>);

pub struct Writer {
    pub directory: PathBuf,
    pub max: u64,
    pub state: Arc<Mutex<State>>,
    /// The segment that is written: its number, its file, its length.
    pub open: Option<(u64, File, u64)>,
    pub next_number: u64,
}

impl Writer {
    /// Works until nobody can ask any more.
    pub fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let (mut appends, mut bytes, mut tidy) = (Vec::new(), 0, false);
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Append { record, received_at, reply } => {
                        bytes += record.len() + HEAD;
                        appends.push((record, received_at, reply));
                    }
                    Job::Tidy => tidy = true,
                }
                next = if bytes < TOGETHER { jobs.try_recv().ok() } else { None };
            }
            if !appends.is_empty() {
                self.append(appends);
            }
            if tidy {
                self.tidy();
            }
        }
    }

    /// Writes the records, waits until the disk has them, and answers.
    fn append(&mut self, appends: Vec<Append>) {
        let room = self.max.saturating_sub(self.state().bytes());
        let mut used = 0;
        let (fitting, too_many): (Vec<Append>, Vec<Append>) = appends.into_iter().partition(|(record, ..)| {
            used += u64::try_from(record.len() + HEAD).unwrap_or(u64::MAX);
            used <= room
        });
        for (.., reply) in too_many {
            let _ = reply.send(Err(NotSpooled::Full));
        }
        if fitting.is_empty() {
            return;
        }
        let written = self.write(&fitting);
        if let Err(cause) = &written {
            error!(%cause, deliveries = fitting.len(), "the spool could not be written; the deliveries are not acknowledged");
        }
        trial::point("spool-after-sync");
        for (.., reply) in fitting {
            // Who asked may have gone away meanwhile; the delivery is kept all the same.
            let _ = reply.send(written.as_ref().copied().map_err(|cause| match cause.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => NotSpooled::Full,
                _ => NotSpooled::Failed,
            }));
        }
    }

    fn write(&mut self, appends: &[Append]) -> std::io::Result<()> {
        let (number, mut file, length) = match self.open.take() {
            Some(open) if open.2 < SEGMENT => open,
            _ => self.begin_segment()?,
        };
        let (mut bytes, mut waiting) = (Vec::new(), Vec::with_capacity(appends.len()));
        for (record, received_at, _) in appends {
            let range = frame::put(&mut bytes, number, length, record).ok_or(std::io::ErrorKind::FileTooLarge)?;
            let (at, length) = (range.start, range.end - range.start);
            waiting.push(Waiting { segment: number, at, length, received_at: *received_at });
        }
        let written = file.write_all(&bytes).and_then(|()| {
            trial::point("spool-before-sync");
            file.sync_data()
        });
        if let Err(cause) = written {
            // After a failed fsync the kernel may hold the pages for clean: this file is not written again.
            // What was not acknowledged is cut off, if that can be done; else it is taken in as well.
            if let Err(cause) = file.set_len(length).and_then(|()| file.sync_all()) {
                warn!(segment = number, %cause, "deliveries that were not acknowledged stay in the spool");
            }
            return Err(cause);
        }
        let length = length + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut state = self.state();
        state.segments.entry(number).or_default().bytes = length;
        state.waiting.extend(waiting);
        drop(state);
        self.open = Some((number, file, length));
        Ok(())
    }

    fn begin_segment(&mut self) -> std::io::Result<(u64, File, u64)> {
        let number = self.next_number;
        self.next_number += 1;
        let path = segment_path(&self.directory, number);
        let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(path)?;
        self.state().segments.insert(number, Segment::default());
        sync(&self.directory)?;
        Ok((number, file, 0))
    }

    /// Removes the segments of which nothing waits, the open one too.
    fn tidy(&mut self) {
        let done = self.state().done();
        for (number, segment) in done {
            self.open.take_if(|(open, ..)| *open == number);
            match put_away(&self.directory, number, segment) {
                Ok(()) => {
                    self.state().segments.remove(&number);
                }
                // It is tried again after the next deliveries; taking the same in again does no harm.
                Err(cause) => warn!(segment = number, %cause, "a spool segment that is done with cannot be removed"),
            }
        }
        // Without it a removed segment could come back after a power failure, which would do no harm either.
        if let Err(cause) = sync(&self.directory) {
            warn!(%cause, "the spool's directory cannot be synchronised");
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
