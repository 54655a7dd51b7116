//! The way through all orders: a few at a time, several of these at once, in the order of their keys.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use crate::intake::Sense;
use crate::store::{OrderKey, Position, Stage, Store, StoreError, Unread};

/// How much is done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Transactions under way at once.
    pub jobs: usize,
    /// Orders in a transaction at most.
    pub orders: i64,
}

/// Bytes of bodies in a transaction, unless a single order has more.
const BYTES: i64 = 4 * 1024 * 1024;
/// Deliveries that could not be placed, looked at together at most.
const UNPLACED: i64 = 256;

impl Pace {
    /// Few enough orders that intake never waits long for one of them.
    pub fn of(jobs: usize) -> Self {
        Self { jobs: jobs.max(1), orders: 64 }
    }
}

/// A page that is done.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub position: Position,
    pub orders: i64,
    pub deliveries: i64,
}

struct Page {
    position: Position,
    keys: BTreeSet<OrderKey>,
    deliveries: i64,
}

/// Does `work` for all orders from a position on. `done` is told of the pages in their order, whichever
/// was done first, and may end the walk.
pub async fn walk<T, W>(
    store: &Store,
    pace: Pace,
    from: Position,
    work: impl Fn(BTreeSet<OrderKey>) -> W,
    mut done: impl AsyncFnMut(Done, T) -> Result<ControlFlow<()>, StoreError>,
) -> Result<ControlFlow<()>, StoreError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    for stage in Stage::ALL.into_iter().skip_while(|stage| *stage != from.stage) {
        let after = if stage == from.stage { from.after } else { Uuid::nil() };
        let results = pages(store, pace, Position { stage, after }).map(|page| {
            let started = page.map(|page| {
                let orders = i64::try_from(page.keys.len()).unwrap_or(i64::MAX);
                (Done { position: page.position, orders, deliveries: page.deliveries }, work(page.keys))
            });
            async {
                let (done, work) = started?;
                match tokio::spawn(work).await {
                    Ok(result) => result.map(|result| (done, result)),
                    Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
                }
            }
        });
        let mut results = std::pin::pin!(results.buffered(pace.jobs));
        while let Some((page, result)) = results.try_next().await? {
            if done(page, result).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn pages(store: &Store, pace: Pace, from: Position) -> impl Stream<Item = Result<Page, StoreError>> {
    stream::try_unfold(from, move |position| async move {
        let page = match position.stage {
            Stage::Quarantined => unplaced(store, position.after).await?,
            Stage::Orders => ordered(store, pace, position.after).await?,
            Stage::Orphans => orphans(store, pace, position.after).await?,
        };
        Ok(page.map(|page| {
            let next = page.position;
            (page, next)
        }))
    })
}

async fn ordered(store: &Store, pace: Pace, after: Uuid) -> Result<Option<Page>, StoreError> {
    let page = store.orders_after(after, pace.orders, BYTES).await?;
    Ok(page.last.map(|last| Page {
        position: Position { stage: Stage::Orders, after: last },
        keys: page.keys,
        deliveries: page.deliveries,
    }))
}

async fn orphans(store: &Store, pace: Pace, after: Uuid) -> Result<Option<Page>, StoreError> {
    let keys = store.orphans_after(after, pace.orders).await?;
    Ok(keys.last().copied().map(|last| Page {
        position: Position { stage: Stage::Orphans, after: last.0 },
        keys,
        deliveries: 0,
    }))
}

/// Quarantined deliveries that can be placed now: the keys under which they are and those under which
/// they belong. Most cannot; those are read, and nothing else happens to them, unless their bodies are damaged.
async fn unplaced(store: &Store, after: Uuid) -> Result<Option<Page>, StoreError> {
    let (mut ids, mut bytes) = (Vec::new(), 0);
    for (id, length) in store.unplaced_after(after, UNPLACED).await? {
        bytes += length;
        if bytes > BYTES && !ids.is_empty() {
            break;
        }
        ids.push(id);
    }
    let Some(last) = ids.last().copied() else { return Ok(None) };
    let mut keys = BTreeSet::new();
    for mut stored in store.stored(&ids).await? {
        match stored.read() {
            Ok(read) if matches!(read.sense, Sense::Event { .. }) => keys.extend([stored.key, read.order_key]),
            // A look at its key tells of it.
            Err(Unread::Damaged { .. }) => keys.extend([stored.key]),
            Ok(_) | Err(Unread::Gone(_)) => {}
        }
    }
    let deliveries = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    Ok(Some(Page { position: Position { stage: Stage::Quarantined, after: last }, keys, deliveries }))
}
