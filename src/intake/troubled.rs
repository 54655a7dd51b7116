//! Orders of which the database takes nothing while it takes others': somebody holds a lock on one, a page that it is
//! on cannot be read. They cost the others of their lane little, and nobody else is told that the database is away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tracing::{error, info, warn};

use super::group::{Answer, Job};
use super::{Incoming, take_read};
use crate::order::Vocabulary;
use crate::record::Receipt;
use crate::store::{OrderKey, Store, StoreError};

/// A transaction that takes longer is given up. PostgreSQL ends a statement before, so the connection must be dead,
/// which the system would notice only a quarter of an hour later.
const LONGEST: Duration = Duration::from_secs(60);
/// Where so many orders one after the other cannot be added to, and none could, it is not for the orders.
pub const SEVERAL: usize = 3;
/// How long an order is left alone that could not be added to twice, and at most. After the first time it is only tried by
/// itself.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The orders of a lane that could not be added to when it was last tried.
#[derive(Debug, Default)]
pub struct Troubled(BTreeMap<OrderKey, Rest>);

#[derive(Debug)]
struct Rest {
    until: Instant,
    time: Duration,
    cause: Arc<StoreError>,
}

impl Troubled {
    fn failed(&mut self, order: OrderKey, cause: &Arc<StoreError>) {
        let time = self.0.get(&order).map_or(Duration::ZERO, |rest| (rest.time * 2).clamp(FIRST_REST, LONGEST_REST));
        let now = Instant::now();
        // What nobody has asked for again is forgotten.
        self.0.retain(|_, rest| rest.until + LONGEST_REST > now);
        self.0.insert(order, Rest { until: now + time, time, cause: Arc::clone(cause) });
        error!(order_key = %order.0, %cause, ?time, "an order cannot be added to; it is tried again after a while");
    }

    fn went_well(&mut self, order: OrderKey) {
        if self.0.remove(&order).is_some() {
            info!(order_key = %order.0, "the order can be added to again");
        }
    }
}

/// Takes deliveries in and answers each: all together, or, where that fails for what may be one order's fault, each by
/// itself, an order that fails after the others.
pub async fn take_each(store: &Store, vocabulary: &Vocabulary, jobs: Vec<Job>, troubled: &mut Troubled) {
    let (mut together, mut apart) = (Vec::with_capacity(jobs.len()), Vec::new());
    let now = Instant::now();
    for job in jobs {
        match troubled.0.get(&job.incoming.order_key) {
            None => together.push(job),
            Some(rest) if rest.until > now => job.reply.send(Err(Arc::clone(&rest.cause))),
            Some(_) => apart.push(job),
        }
    }
    let mut has_taken = false;
    if !together.is_empty() {
        let (incoming, replies): (Vec<_>, Vec<_>) = together.into_iter().map(|job| (job.incoming, job.reply)).unzip();
        match take_in_time(store, vocabulary, &incoming).await {
            Ok(receipts) => {
                has_taken = true;
                replies.into_iter().zip(receipts).for_each(|(reply, receipt)| reply.send(Ok(receipt)));
            }
            Err(cause) if cause.may_be_its_own() && incoming.len() > 1 => {
                warn!(deliveries = incoming.len(), %cause, "the batch failed; taking its deliveries one by one");
                let jobs = incoming.into_iter().zip(replies).map(|(incoming, reply)| Job { incoming, reply });
                apart.splice(..0, jobs);
            }
            Err(cause) => {
                let cause = Arc::new(cause);
                if let (true, Some(one)) = (cause.may_be_its_own(), incoming.first()) {
                    troubled.failed(one.order_key, &cause);
                }
                replies.into_iter().for_each(|reply| reply.send(Err(Arc::clone(&cause))));
            }
        }
    }
    take_apart(store, vocabulary, apart, troubled, has_taken).await;
}

async fn take_apart(
    store: &Store,
    vocabulary: &Vocabulary,
    jobs: Vec<Job>,
    troubled: &mut Troubled,
    mut has_taken: bool,
) {
    let mut failed = BTreeSet::new();
    // Why nothing more is tried.
    let mut end: Option<Arc<StoreError>> = None;
    for Job { incoming, reply } in jobs {
        let order = incoming.order_key;
        if let Some(cause) = &end {
            reply.send(Err(Arc::clone(cause)));
            continue;
        }
        if let Some(rest) = troubled.0.get(&order).filter(|_| failed.contains(&order)) {
            reply.send(Err(Arc::clone(&rest.cause)));
            continue;
        }
        let answer: Answer = match take_in_time(store, vocabulary, std::slice::from_ref(&incoming)).await {
            Ok(receipts) => {
                has_taken = true;
                troubled.went_well(order);
                match receipts.into_iter().next() {
                    Some(receipt) => Ok(receipt),
                    None => continue,
                }
            }
            Err(cause) => {
                let cause = Arc::new(cause);
                if cause.may_be_its_own() {
                    troubled.failed(order, &cause);
                    failed.insert(order);
                }
                if !cause.may_be_its_own() || (!has_taken && failed.len() >= SEVERAL) {
                    end = Some(Arc::clone(&cause));
                }
                Err(cause)
            }
        };
        reply.send(answer);
    }
}

async fn take_in_time(
    store: &Store,
    vocabulary: &Vocabulary,
    incoming: &[Incoming],
) -> Result<Vec<Receipt>, StoreError> {
    let taken = timeout(LONGEST, take_read(store, vocabulary, incoming)).await;
    let taken = taken.unwrap_or_else(|_| Err(StoreError::too_slow()));
    if matches!(taken, Err(StoreError::Unavailable(_))) {
        store.doubt_connections();
    }
    taken
}
