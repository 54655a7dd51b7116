//! The thread that takes into the database what waits in the spool, in order of receipt.
//!
//! Whatever waited may have been taken in before: by a drain whose commit was not answered, or by the intake
//! itself, which took too long to say so. The database knows by the deliveries' ids.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::Spool;
use super::files;
use super::state::{Settled, Trouble, Waiting};
use crate::intake::{Delivery, SEVERAL, incoming, take_again};
use crate::metrics;
use crate::order::Vocabulary;
use crate::store::{OrderKey, Store, StoreError};
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
    match in_time(asked).await {
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
    let batch = spool.state().next(most, BATCH_BYTES);
    if batch.is_empty() && !spool.is_away() {
        // The short wait is for the end: whoever drops the spool wakes nobody.
        let _ = timeout(PAUSE, spool.wake.notified()).await;
        return Some(true);
    }
    let taken = if batch.is_empty() {
        in_time(store.check_writable()).await
    } else {
        take(&spool, store, vocabulary, &batch).await
    };
    match taken {
        Ok(()) => {
            if spool.is_away() {
                // What was connected before it went away is not connected now.
                store.doubt_connections();
            }
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

async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(LONGEST, asked).await.unwrap_or_else(|_| Err(StoreError::too_slow()))
}

/// Takes a batch in and lets go of what is in the database. What cannot be read now, or not be taken in while the
/// database takes other deliveries, is put behind the others and tried again.
///
/// # Errors
/// Where the database takes nothing.
async fn take(spool: &Spool, store: &Store, vocabulary: &Vocabulary, batch: &[Waiting]) -> Result<(), StoreError> {
    let (mut whole, mut settled) = (Vec::with_capacity(batch.len()), Settled::default());
    let (resting, mut unread) = (spool.state().resting(), Vec::new());
    for waiting in batch {
        match files::read(&spool.directory, *waiting) {
            Ok(Some(delivery)) => match order_of(&delivery).filter(|order| resting.contains(order)) {
                Some(order) => settled.later.push((*waiting, Trouble::Untakeable(order))),
                None => whole.push((*waiting, delivery)),
            },
            Ok(None) => {
                files::tell_damage(waiting.segment, waiting.at, waiting.length, false);
                settled.done.push(*waiting);
                settled.evidence.insert(waiting.segment);
            }
            // Too many open files, say, or a disk that is away: the delivery itself may be all right.
            Err(cause) => {
                settled.later.push((*waiting, Trouble::Unreadable));
                unread.push((waiting.segment, cause));
            }
        }
    }
    if let Some((segment, cause)) = unread.first() {
        let deliveries = unread.len();
        error!(deliveries, segment, %cause, "spooled deliveries cannot be read now; they are tried again after a while");
    }
    let taken = take_whole(store, vocabulary, whole, &mut settled).await;
    trial::point("drain-after-commit");
    spool.settle(settled);
    if spool.status().deliveries == 0 {
        info!("the spool is empty: all of it is in the database");
    }
    taken
}

/// The order of a delivery.
fn order_of(delivery: &Delivery) -> Option<OrderKey> {
    let read = AssertUnwindSafe(|| incoming(delivery.clone()).order_key);
    std::panic::catch_unwind(read).ok()
}

/// Takes deliveries in, together or, where that fails for what may be one delivery's fault, each by itself.
async fn take_whole(
    store: &Store,
    vocabulary: &Vocabulary,
    whole: Vec<(Waiting, Delivery)>,
    settled: &mut Settled,
) -> Result<(), StoreError> {
    let deliveries: Vec<_> = whole.iter().map(|(_, delivery)| delivery.clone()).collect();
    let is_one = deliveries.len() == 1;
    let may_be_poison = |cause: &StoreError| cause.may_be_its_own() || (is_one && cause.is_silence());
    match is_taken(store, vocabulary, deliveries).await {
        Ok(true) => {
            metrics::get().spool.drained.inc_by(u64::try_from(whole.len()).unwrap_or(0));
            settled.done.extend(whole.into_iter().map(|(waiting, _)| waiting));
            return Ok(());
        }
        Ok(false) => {}
        // One that is too much, or that ends the connection, is found by taking fewer and fewer.
        Err(cause) if may_be_poison(&cause) => in_time(store.check_writable()).await.map_err(|_| cause)?,
        Err(cause) => return Err(cause),
    }
    warn!(deliveries = whole.len(), "taking the spooled deliveries one by one");
    let mut has_taken = false;
    for (waiting, delivery) in whole {
        let (id, order) = (delivery.id, order_of(&delivery));
        if let Some(order) = order.filter(|order| settled.failed.contains(order)) {
            settled.later.push((waiting, Trouble::Untakeable(order)));
            continue;
        }
        match (is_taken(store, vocabulary, vec![delivery]).await, order) {
            (Ok(true), _) => {
                metrics::get().spool.drained.inc();
                settled.done.push(waiting);
                has_taken = true;
            }
            (Ok(false), _) => {
                files::tell_refused(id, waiting);
                settled.done.push(waiting);
                settled.evidence.insert(waiting.segment);
            }
            (Err(cause), Some(order)) if may_be_poison(&cause) => {
                in_time(store.check_writable()).await?;
                error!(
                    delivery_id = %id, order_key = %order.0, %cause,
                    "a spooled delivery cannot be taken in while others can; it is tried again after a while"
                );
                settled.later.push((waiting, Trouble::Untakeable(order)));
                settled.failed.insert(order);
                if !has_taken && settled.failed.len() >= SEVERAL {
                    return Err(cause);
                }
            }
            (Err(cause), _) => return Err(cause),
        }
    }
    Ok(())
}

/// Whether the database took them; that it did not is their own fault, not its.
async fn is_taken(store: &Store, vocabulary: &Vocabulary, deliveries: Vec<Delivery>) -> Result<bool, StoreError> {
    // A panic costs these deliveries, not the drain its life.
    match AssertUnwindSafe(in_time(take_again(store, vocabulary, deliveries))).catch_unwind().await {
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
