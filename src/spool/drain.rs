//! The thread that takes into the database what waits in the spool, in order of receipt.
//!
//! Whatever waited may have been taken in before: by a drain whose commit was not answered, or by the intake
//! itself, which took too long to say so. The database knows by the deliveries' ids.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

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

/// One transaction takes so many at most: the intake's own wait behind it where they are about the same orders.
const BATCH: usize = 128;
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// How long a database that is away is left in peace.
const PAUSE: Duration = Duration::from_millis(500);
/// A database that answers nothing for so long has lost the connection.
const LONGEST: Duration = Duration::from_secs(30);

/// Starts the drain. It has a thread and connections of its own, and ends when the spool is dropped.
///
/// # Errors
/// Where the system gives no thread.
pub fn start_draining(spool: &Arc<Spool>, store: &Store, vocabulary: &Arc<Vocabulary>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (spool, store, vocabulary) = (Arc::downgrade(spool), store.clone(), Arc::clone(vocabulary));
    std::thread::Builder::new().name("spool-drain".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let store = store.with_own_connections(1);
            while let Some(rest) = turn(&spool, &store, &vocabulary).await {
                tokio::time::sleep(rest).await;
            }
            store.close().await;
        });
    })?;
    Ok(())
}

/// One turn: takes a batch in, or asks whether the database is there. Gives how long to rest before the next one;
/// `None` at the spool's end.
async fn turn(spool: &Weak<Spool>, store: &Store, vocabulary: &Vocabulary) -> Option<Duration> {
    let spool = spool.upgrade()?;
    let batch = spool.next(BATCH, BATCH_BYTES);
    if batch.is_empty() && !spool.is_away() {
        // The short wait is for the end: whoever drops the spool wakes nobody.
        let _ = timeout(PAUSE, spool.wake.notified()).await;
        return Some(Duration::ZERO);
    }
    let taken = match batch.as_slice() {
        [] => timeout(LONGEST, store.check_writable()).await,
        batch => timeout(LONGEST, take(&spool, store, vocabulary, batch)).await,
    };
    match taken.unwrap_or_else(|_| Err(StoreError::too_slow())) {
        Ok(()) => {
            spool.database_is_back();
            Some(Duration::ZERO)
        }
        Err(cause) => {
            spool.database_is_away();
            warn!(%cause, waiting = batch.len(), "the spool cannot be drained now; it is tried again");
            Some(PAUSE)
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
    match take_again(store, vocabulary, deliveries.clone()).await {
        Err(StoreError::Refused(cause)) => {
            warn!(%cause, deliveries = deliveries.len(), "spooled deliveries are refused; taking them one by one");
        }
        taken => return taken.map(|()| Vec::new()),
    }
    let mut refused = Vec::new();
    for delivery in deliveries {
        let id = delivery.id;
        match take_again(store, vocabulary, vec![delivery]).await {
            Err(StoreError::Refused(cause)) => {
                error!(delivery_id = %id, %cause, "the database refuses a spooled delivery in every form; its segment is kept");
                refused.push(id);
            }
            taken => taken?,
        }
    }
    Ok(refused)
}
