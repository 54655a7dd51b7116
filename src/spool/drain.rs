//! The thread that takes into the database what waits in the spool, in order of receipt.
//!
//! Whatever waited may have been taken in before: by a drain whose commit was not answered, or by the intake
//! itself, which took too long to say so. The database knows by the deliveries' ids.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::Spool;
use super::files;
use super::state::Waiting;
use crate::intake::{Delivery, take_again};
use crate::metrics;
use crate::order::Vocabulary;
use crate::store::{Store, StoreError};
use crate::trial;
use crate::vocabulary::Current;

/// One transaction takes so many at most: the intake's own wait behind it where they are about the same orders.
/// After a failure it takes fewer, so that a batch that is too much for the time it has is not tried for ever.
const BATCH: usize = 128;
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// How long a database that is away is left in peace.
const PAUSE: Duration = Duration::from_millis(500);
/// A database that answers nothing for so long has lost the connection.
const LONGEST: Duration = Duration::from_secs(60);

/// Starts the drain. It has a thread and connections of its own, and ends when the spool is dropped.
///
/// # Errors
/// Where the system gives no thread.
pub fn start_draining(spool: &Arc<Spool>, store: &Store, vocabulary: &Current) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (spool, store, vocabulary) = (Arc::downgrade(spool), store.clone(), vocabulary.clone());
    std::thread::Builder::new().name("spool-drain".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let store = store.with_own_connections(1);
            let mut most = BATCH;
            while is_held(&spool) && !is_ready(&spool, &store, &vocabulary).await {
                tokio::time::sleep(PAUSE).await;
            }
            while let Some(went_well) = turn(&spool, &store, &vocabulary.now(), most).await {
                most = if went_well { BATCH.min(most * 2) } else { (most / 4).max(1) };
                if !went_well {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            store.close().await;
        });
    })?;
    Ok(())
}

fn is_held(spool: &Weak<Spool>) -> bool {
    spool.strong_count() > 0
}

/// Whether a database that may not have been there at the start has this program's schema. What waits is told with the
/// vocabulary that is in it.
async fn is_ready(spool: &Weak<Spool>, store: &Store, vocabulary: &Current) -> bool {
    let asked = async {
        match store.pending_migrations().await? {
            0 => Ok(store.vocabulary().await?),
            pending => Err(StoreError::Schema(format!("it lacks {pending} migrations; run `order-timeline migrate`"))),
        }
    };
    match timeout(LONGEST, asked).await.unwrap_or_else(|_| Err(StoreError::too_slow())) {
        Ok(current) => {
            vocabulary.take(current);
            true
        }
        Err(cause) => {
            warn!(%cause, "the spool waits for the database");
            if let Some(spool) = spool.upgrade() {
                spool.database_is_away();
                spool.look_after_disk();
            }
            false
        }
    }
}

/// One turn: takes a batch of at most so many in, or asks whether the database is there. Gives whether that went
/// well; `None` at the spool's end.
async fn turn(spool: &Weak<Spool>, store: &Store, vocabulary: &Vocabulary, most: usize) -> Option<bool> {
    let spool = spool.upgrade()?;
    spool.look_after_disk();
    let batch = spool.next(most, BATCH_BYTES);
    if batch.is_empty() && !spool.is_away() {
        // The short wait is for the end: whoever drops the spool wakes nobody.
        let _ = timeout(PAUSE, spool.wake.notified()).await;
        return Some(true);
    }
    let taken = match batch.as_slice() {
        [] => timeout(LONGEST, store.check_writable()).await,
        batch => timeout(LONGEST, take(&spool, store, vocabulary, batch)).await,
    };
    match taken.unwrap_or_else(|_| Err(StoreError::too_slow())) {
        Ok(()) => {
            spool.database_is_back();
            Some(true)
        }
        Err(cause) => {
            spool.database_is_away();
            warn!(%cause, waiting = batch.len(), "the spool cannot be drained now; it is tried again");
            Some(false)
        }
    }
}

/// Takes a batch in and lets go of it.
async fn take(spool: &Spool, store: &Store, vocabulary: &Vocabulary, batch: &[Waiting]) -> Result<(), StoreError> {
    let (mut deliveries, mut left) = (Vec::with_capacity(batch.len()), BTreeSet::new());
    let mut places = HashMap::with_capacity(batch.len());
    for waiting in batch {
        match files::read(&spool.directory, *waiting) {
            Ok(Some(delivery)) => {
                places.insert(delivery.id, waiting.segment);
                deliveries.push(delivery);
            }
            Ok(None) => {
                files::tell_damage(waiting.segment, waiting.at, waiting.length, false);
                left.insert(waiting.segment);
            }
            Err(cause) => {
                error!(segment = waiting.segment, at = waiting.at, %cause, "a spooled delivery cannot be read");
                left.insert(waiting.segment);
            }
        }
    }
    let count = deliveries.len();
    let refused = take_what_can_be(store, vocabulary, deliveries).await?;
    trial::point("drain-after-commit");
    left.extend(refused.iter().filter_map(|id| places.get(id).copied()));
    metrics::get().spool.drained.inc_by(u64::try_from(count - refused.len()).unwrap_or(0));
    spool.done(batch.len(), &left.into_iter().collect::<Vec<_>>());
    if spool.status().deliveries == 0 {
        info!("the spool is empty: all of it is in the database");
    }
    Ok(())
}

/// Takes the deliveries in; gives the ids of those that the database refuses in every form, which it should not.
async fn take_what_can_be(
    store: &Store,
    vocabulary: &Vocabulary,
    deliveries: Vec<Delivery>,
) -> Result<Vec<Uuid>, StoreError> {
    if is_taken(store, vocabulary, deliveries.clone()).await? {
        return Ok(Vec::new());
    }
    warn!(deliveries = deliveries.len(), "taking the spooled deliveries one by one");
    let mut refused = Vec::new();
    for delivery in deliveries {
        let id = delivery.id;
        if !is_taken(store, vocabulary, vec![delivery]).await? {
            error!(delivery_id = %id, "a spooled delivery cannot be taken in, in no form; its segment is kept");
            refused.push(id);
        }
    }
    Ok(refused)
}

/// Whether the database took them; that it did not is their own fault, not its.
async fn is_taken(store: &Store, vocabulary: &Vocabulary, deliveries: Vec<Delivery>) -> Result<bool, StoreError> {
    // A panic costs these deliveries, not the drain its life.
    match AssertUnwindSafe(take_again(store, vocabulary, deliveries)).catch_unwind().await {
        Ok(Err(StoreError::Refused(cause))) => {
            warn!(%cause, "spooled deliveries were refused");
            Ok(false)
        }
        Ok(taken) => taken.map(|()| true),
        Err(_) => {
            error!("taking spooled deliveries in panicked");
            Ok(false)
        }
    }
}
