//! The spool's directory: its lock, its segments, and what a former run left in them.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::{error, info};
use uuid::Uuid;

use super::frame::{self, Found, HEAD};
use super::record;
use super::state::{Segment, State, Waiting};
use crate::intake::Delivery;
use crate::metrics;

/// Why a spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error(
        "the spool's directory {directory} cannot be used (cannot {doing}): {source}; give --spool one that this user may write"
    )]
    Unusable { directory: PathBuf, doing: &'static str, source: std::io::Error },
    #[error("another service uses the spool's directory {0}; each needs one of its own")]
    Taken(PathBuf),
}

const LOCK: &str = "lock";
/// A former service may still be ending.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// Makes the directory, unless it is there, and locks it; the lock is held as long as the file is open.
pub fn lock(directory: &Path) -> Result<File, SpoolError> {
    let cannot = |doing| move |source| SpoolError::Unusable { directory: directory.to_owned(), doing, source };
    // Bodies hold names and addresses of people: they are nobody else's.
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(cannot("create it"))?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(directory.join(LOCK));
    let lock = lock.map_err(cannot("write in it"))?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_LIMIT => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken(directory.to_owned())),
            Err(TryLockError::Error(source)) => return Err(cannot("lock it")(source)),
        }
    }
    sync(directory).map_err(cannot("make it durable"))?;
    Ok(lock)
}

pub fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:012}.spool"))
}

/// Makes what was created, renamed or removed in a directory durable.
pub fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Whether the disk takes a file, durably.
///
/// # Errors
/// Where it does not.
pub fn try_disk(directory: &Path) -> std::io::Result<()> {
    let path = directory.join("trial");
    let mut file = File::create(&path)?;
    file.write_all(b"trial")?;
    file.sync_all()?;
    fs::remove_file(&path)
}

/// Removes a segment of which nothing waits; one with unreadable bytes in it is kept under another name.
pub fn put_away(directory: &Path, number: u64, segment: Segment) -> std::io::Result<()> {
    let path = segment_path(directory, number);
    let put =
        if segment.is_evidence { fs::rename(&path, path.with_extension("damaged")) } else { fs::remove_file(&path) };
    match put {
        Err(gone) if gone.kind() == ErrorKind::NotFound => Ok(()),
        put => put,
    }
}

/// The numbers of the segments that were set aside.
pub fn damaged(directory: &Path) -> std::io::Result<Vec<u64>> {
    numbers(directory, ".damaged")
}

fn numbers(directory: &Path, suffix: &str) -> std::io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(suffix)).and_then(|number| number.parse().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}

/// Finds what a former run left: whatever is whole waits to be taken in, whatever is not is told and kept.
pub fn recover(directory: &Path) -> Result<State, SpoolError> {
    let cannot = |doing| move |source| SpoolError::Unusable { directory: directory.to_owned(), doing, source };
    let mut numbers = numbers(directory, ".spool").map_err(cannot("list it"))?;
    numbers.sort_unstable();
    let mut state = State::default();
    for number in numbers {
        let bytes = fs::read(segment_path(directory, number)).map_err(cannot("read a segment of it"))?;
        recover_segment(&mut state, number, &bytes);
    }
    if !state.waiting.is_empty() {
        info!(deliveries = state.waiting.len(), bytes = state.bytes(), "the spool holds deliveries of a former run");
    }
    Ok(state)
}

fn recover_segment(state: &mut State, number: u64, bytes: &[u8]) {
    let mut segment = Segment { bytes: size(bytes.len()), is_evidence: false };
    for found in frame::scan(bytes, number) {
        let (range, delivery) = match found {
            Found::Record(range) => {
                let delivery = bytes.get(range.start + HEAD..range.end).and_then(record::read);
                (range, delivery)
            }
            Found::Damage(range) => (range, None),
        };
        let (at, length) = (size(range.start), size(range.len()));
        if let Some(delivery) = delivery {
            state.waiting.push_back(Waiting { segment: number, at, length, received_at: delivery.received_at });
            continue;
        }
        segment.is_evidence = true;
        let is_tail = range.end == bytes.len();
        tell_damage(number, at, length, is_tail);
    }
    state.segments.insert(number, segment);
}

/// Says it loudly: what is damaged may have been acknowledged.
pub fn tell_damage(segment: u64, at: u64, length: u64, is_tail: bool) {
    metrics::get().spool.damaged_bytes.inc_by(length);
    let what = if is_tail {
        "the end of a spool segment is torn or damaged: usually a write that a crash cut off and nobody was told was kept"
    } else {
        "a spool segment is damaged: deliveries that were acknowledged may be lost from it"
    };
    error!(segment, at, length, "{what}; the file is kept as {segment:012}.damaged when the rest was taken in");
}

/// Says as loudly that a delivery is whole and the database takes it in no form.
pub fn tell_refused(delivery: Uuid, waiting: Waiting) {
    metrics::get().spool.damaged_bytes.inc_by(waiting.length);
    let Waiting { segment, at, .. } = waiting;
    error!(
        delivery_id = %delivery, segment, at,
        "a spooled delivery cannot be taken in, in no form; the file is kept as {segment:012}.damaged"
    );
}

/// Reads a delivery that waits; `None` where it is damaged by now, or gone.
///
/// # Errors
/// Where the file cannot be read now. That tells nothing of what is in it.
pub fn read(directory: &Path, waiting: Waiting) -> std::io::Result<Option<Delivery>> {
    match read_record(directory, waiting) {
        Err(torn) if torn.kind() == ErrorKind::UnexpectedEof => Ok(None),
        // Where even the lock is not there, the disk is away, and may come back.
        Err(gone) if gone.kind() == ErrorKind::NotFound && directory.join(LOCK).exists() => Ok(None),
        read => Ok(frame::record(&read?, waiting.segment, waiting.at).and_then(record::read)),
    }
}

fn read_record(directory: &Path, waiting: Waiting) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(segment_path(directory, waiting.segment))?;
    file.seek(SeekFrom::Start(waiting.at))?;
    let mut bytes = vec![0; usize::try_from(waiting.length).unwrap_or(0)];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
