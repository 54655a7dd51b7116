//! Where deliveries wait on this machine's own disk while the database cannot take them.
//!
//! An append-only log in segments: what is appended is on the disk before it is acknowledged, and a segment is
//! removed when all of it is in the database. Deliveries keep their ids and times of receipt, so that it makes no
//! difference when, in which order or how often they are taken in.
//!
//! It is a plain log rather than an embedded database because of what happens when the disk goes wrong: a damaged
//! page of a tree can take all else with it, a damaged record here costs itself, is told, and is kept to be looked at.
//!
//! # Layout
//! * `frame` – a record in a file, with its checksum
//! * `record` – a delivery as bytes
//! * `state` – what waits where
//! * `files` – the directory: lock, segments, recovery
//! * `writer` – the thread that appends and removes
//! * `drain` – the thread that takes what waits into the database

mod drain;
mod files;
mod frame;
mod record;
mod state;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tracing::{info, warn};

use crate::intake::Delivery;
use crate::metrics;
use state::{Settled, State};
use writer::{Job, Writer};

pub use drain::start_draining;
pub use files::SpoolError;

/// Where a spool lies and how large it may become.
#[derive(Clone, Debug)]
pub struct SpoolSettings {
    pub directory: PathBuf,
    pub max_bytes: u64,
    /// How long a delivery waits for the database before it goes into the spool.
    pub patience: Duration,
}

/// Why a delivery was not spooled. It may be kept all the same; nobody is told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSpooled {
    #[error("the spool is full")]
    Full,
    #[error("the spool cannot be written")]
    Failed,
}

/// How a spool fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolStatus {
    /// Deliveries that wait.
    pub deliveries: usize,
    /// Of these, those whose files could not be read when that was tried last.
    pub unreadable: usize,
    /// And those that the database did not take while it took others.
    pub untakeable: usize,
    /// The room that its files take.
    pub bytes: u64,
    pub max_bytes: u64,
    /// When the one that waits longest was received.
    pub oldest: Option<DateTime<Utc>>,
    /// The database is taken to be away: deliveries go into the spool at once.
    pub is_away: bool,
    /// The last append failed, and the disk has taken nothing since.
    pub is_failing: bool,
}

impl SpoolStatus {
    /// A spool with less room left, of its own or on its disk, may take no more deliveries.
    pub const LOW: u64 = 128 * 1024;

    /// Whether there is too little room left of what it may take.
    pub fn is_full(&self) -> bool {
        self.bytes.saturating_add(Self::LOW) > self.max_bytes
    }
}

/// An open spool. The directory is this one's alone until it is dropped.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    max_bytes: u64,
    pub(crate) patience: Duration,
    state: Arc<Mutex<State>>,
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    away: AtomicBool,
    failing: AtomicBool,
    wake: Notify,
    _lock: File,
}

/// So many appends wait for the disk at most, and so many kilobytes of them.
const WAITING: usize = 4096;
const KILOBYTES: usize = 256 * 1024;

impl Spool {
    /// Opens the directory, which is made where there is none, and finds what a former run left in it.
    ///
    /// # Errors
    /// Where it cannot be written, or another service uses it.
    pub fn open(settings: &SpoolSettings) -> Result<Arc<Self>, SpoolError> {
        let lock = files::lock(&settings.directory)?;
        let state = files::recover(&settings.directory)?;
        // A number that was set aside is not given again: one file would take the other's place.
        let aside = files::damaged(&settings.directory).map_err(|source| SpoolError::Unusable {
            directory: settings.directory.clone(),
            doing: "list it",
            source,
        })?;
        let next_number = state.segments.keys().chain(&aside).max().map_or(1, |last| last + 1);
        let state = Arc::new(Mutex::new(state));
        let writer = Writer {
            directory: settings.directory.clone(),
            max: settings.max_bytes,
            state: Arc::clone(&state),
            open: None,
            next_number,
        };
        let (jobs, waiting) = mpsc::channel(WAITING);
        let cannot =
            |source| SpoolError::Unusable { directory: settings.directory.clone(), doing: "start its thread", source };
        std::thread::Builder::new().name("spool".to_owned()).spawn(move || writer.run(waiting)).map_err(cannot)?;
        Ok(Arc::new(Self {
            directory: settings.directory.clone(),
            max_bytes: settings.max_bytes,
            patience: settings.patience,
            state,
            jobs,
            room: Arc::new(Semaphore::new(KILOBYTES)),
            away: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            wake: Notify::new(),
            _lock: lock,
        }))
    }

    /// Keeps a delivery. When it returns, the delivery is on the disk.
    ///
    /// # Errors
    /// Where there is no room, or the disk does not take it.
    pub async fn append(&self, delivery: Delivery) -> Result<(), NotSpooled> {
        let appended = self.try_append(delivery).await;
        self.failing.store(appended == Err(NotSpooled::Failed), Ordering::Relaxed);
        match appended {
            Ok(()) => {
                metrics::get().spool.appended.inc();
                self.wake.notify_one();
            }
            Err(_) => {
                metrics::get().spool.refused.inc();
            }
        }
        appended
    }

    async fn try_append(&self, delivery: Delivery) -> Result<(), NotSpooled> {
        let received_at = delivery.received_at;
        let record = record::written(delivery).ok_or(NotSpooled::Failed)?;
        let kilobytes = u32::try_from(record.len() / 1024 + 1).map_err(|_| NotSpooled::Full)?;
        // Memory is bounded too: what the disk does not take fast enough is not held.
        let _room = self.room.try_acquire_many(kilobytes).map_err(|_| NotSpooled::Full)?;
        let (reply, kept) = oneshot::channel();
        self.jobs.try_send(Job::Append { record, received_at, reply }).map_err(|_| NotSpooled::Full)?;
        kept.await.map_err(|_| NotSpooled::Failed)?
    }

    /// Looks whether a disk that did not take a delivery takes anything again: while nothing comes in, nobody else
    /// would find out.
    fn look_after_disk(&self) {
        if self.failing.load(Ordering::Relaxed) && files::try_disk(&self.directory).is_ok() {
            info!("the spool can be written again");
            self.failing.store(false, Ordering::Relaxed);
        }
    }

    pub fn status(&self) -> SpoolStatus {
        let state = self.state();
        let (unreadable, untakeable) = state.troubled();
        SpoolStatus {
            deliveries: state.deliveries(),
            unreadable,
            untakeable,
            bytes: state.bytes(),
            max_bytes: self.max_bytes,
            oldest: state.oldest(),
            is_away: self.is_away(),
            is_failing: self.failing.load(Ordering::Relaxed),
        }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many files were set aside because something in them could not be read or taken in; none where that cannot be
    /// told now.
    pub fn damaged_files(&self) -> usize {
        files::damaged(&self.directory).map_or(0, |numbers| numbers.len())
    }

    /// Whether the database is taken to be away.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// The database did not take a delivery. Until it was seen to take some again, none is tried on it.
    pub fn database_is_away(&self) {
        if !self.away.swap(true, Ordering::Relaxed) {
            warn!("the database cannot take deliveries; they go into the spool until it can");
        }
        self.wake.notify_one();
    }

    fn database_is_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            info!("the database takes deliveries again");
        }
    }

    /// What became of deliveries that were to be taken in.
    fn settle(&self, settled: Settled) {
        self.state().settle(settled);
        // Where it is not asked now, it is after the next ones.
        let _ = self.jobs.try_send(Job::Tidy);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
