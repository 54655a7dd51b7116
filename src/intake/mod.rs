//! The use case: keep, read, fold, project, receipt. All that one call brings is one transaction.

mod again;
mod delivery;
mod door;
mod group;
mod plan;
mod read;
mod troubled;
mod unknown;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::{error, warn};
use uuid::Uuid;

use crate::metrics;
use crate::order::{Outcome, Statement, Timeline, Vocabulary};
use crate::record::{OutcomeName, Receipt};
use crate::store::{Batch, LoadedOrder, OrderKey, Projection, Store, StoreError};
use crate::trial;

pub use again::take_again;
pub use delivery::{Body, COUNTED, Delivery, OWN_HEADERS, beside, kept_beside, kept_beside_bomb};
pub use door::Intake;
pub use group::{Group, NotTaken, Queued};
pub use plan::{Extent, KnownContent, Plan, Times, addition, whole};
pub use read::{Incoming, Quarantine, Sense, UNPROJECTED, incoming};
pub use troubled::SEVERAL;
pub use unknown::{Seen, Unknown};

/// Takes a batch of deliveries in: when it returns, all of them are durable and their orders' timelines
/// show them. Gives a receipt for each, in the order of `deliveries`.
///
/// A delivery that breaks the fold or its projection is parked: kept, marked, left out of its order's
/// timeline; the others go on.
///
/// # Errors
/// [`StoreError`] where not all could be made durable. Some of it may have been kept; to take the same in
/// again does no harm.
pub async fn take(
    store: &Store,
    vocabulary: &Vocabulary,
    deliveries: Vec<Delivery>,
) -> Result<Vec<Receipt>, StoreError> {
    let incoming: Vec<_> = deliveries.into_iter().map(incoming).collect();
    take_read(store, vocabulary, &incoming).await
}

/// The same for deliveries that were read already.
async fn take_read(store: &Store, vocabulary: &Vocabulary, incoming: &[Incoming]) -> Result<Vec<Receipt>, StoreError> {
    match take_together(store, vocabulary, incoming).await {
        Err(StoreError::Refused(cause)) => {
            warn!(deliveries = incoming.len(), %cause, "the batch was refused; taking its deliveries one by one");
            take_apart(store, vocabulary, incoming.to_vec()).await
        }
        result => result,
    }
}

/// One transaction for all. Transient faults (a deadlock, a serialisation failure) are tried again.
async fn take_together(
    store: &Store,
    vocabulary: &Vocabulary,
    incoming: &[Incoming],
) -> Result<Vec<Receipt>, StoreError> {
    const TRIES: u32 = 5;
    for _ in 1..TRIES {
        match try_together(store, vocabulary, incoming).await {
            Err(StoreError::Transient(cause)) => warn!(%cause, "the transaction will be tried again"),
            result => return result,
        }
    }
    try_together(store, vocabulary, incoming).await
}

/// Each delivery in a transaction of its own; one that the database refuses is parked, and if it refuses
/// even that, kept without anything that was read from it.
async fn take_apart(
    store: &Store,
    vocabulary: &Vocabulary,
    incoming: Vec<Incoming>,
) -> Result<Vec<Receipt>, StoreError> {
    let mut receipts = Vec::with_capacity(incoming.len());
    for mut one in incoming {
        let mut taken = take_together(store, vocabulary, std::slice::from_ref(&one)).await;
        for lessen in [Incoming::park, Incoming::strip] {
            if let Err(StoreError::Refused(cause)) = &taken {
                error!(delivery_id = %one.delivery.id, %cause, "the projection failed; the delivery is parked");
                lessen(&mut one, "the database refused its projection; the service's log says why");
                taken = take_together(store, vocabulary, std::slice::from_ref(&one)).await;
            }
        }
        receipts.extend(taken?);
    }
    Ok(receipts)
}

#[tracing::instrument(name = "transaction", skip_all, fields(deliveries = incoming.len()))]
async fn try_together(
    store: &Store,
    vocabulary: &Vocabulary,
    incoming: &[Incoming],
) -> Result<Vec<Receipt>, StoreError> {
    let mut orders: BTreeMap<OrderKey, NewOfOrder<'_>> = BTreeMap::new();
    for one in incoming {
        if let Sense::Event { statement, .. } = &one.sense {
            let new = NewOfOrder { sender: &one.delivery.sender, statements: Vec::new() };
            orders.entry(one.order_key).or_insert(new).statements.push(statement);
        }
    }
    let mut stages = metrics::Stages::begin(incoming.len());
    let mut batch = store.begin().await?;
    let loaded = batch.claim_and_load(&orders).await?;
    stages.end("claim");
    trial::point("mid-batch");
    let mut verdicts = Verdicts::default();
    let mut projections = Vec::with_capacity(orders.len());
    for (key, new) in &orders {
        let Some(order) = loaded.get(key) else { continue };
        if let Some(plan) = plan_order(&mut batch, *key, order, &new.statements, vocabulary, &mut verdicts).await? {
            projections.push(Projection { key: *key, sender: new.sender.to_owned(), order_id: new.order_id(), plan });
        }
    }
    stages.end("fold");
    batch.keep_deliveries(&incoming.iter().collect::<Vec<_>>(), &verdicts).await?;
    stages.end("keep");
    trial::point("after-insert");
    batch.project(&projections).await?;
    stages.end("project");
    trial::point("before-commit");
    batch.commit().await?;
    stages.end("commit");
    trial::point("after-commit");
    metrics::committed(incoming);
    Ok(incoming.iter().map(|one| receipt(one, &verdicts)).collect())
}

/// What a batch brings for one order; never empty.
#[derive(Debug)]
pub struct NewOfOrder<'b> {
    pub sender: &'b str,
    pub statements: Vec<&'b Statement>,
}

impl NewOfOrder<'_> {
    fn order_id(&self) -> String {
        self.statements.first().map(|statement| statement.event.order_id.clone()).unwrap_or_default()
    }
}

/// What became of deliveries, the batch's and earlier ones: outcomes, and why some are parked.
#[derive(Debug, Default)]
pub struct Verdicts {
    pub outcomes: BTreeMap<Uuid, Outcome>,
    pub parked: BTreeMap<Uuid, String>,
}

/// Plans one order: as an addition where its events simply follow, else from all its deliveries.
async fn plan_order(
    batch: &mut Batch<'_>,
    key: OrderKey,
    order: &LoadedOrder,
    new: &[&Statement],
    vocabulary: &Vocabulary,
    verdicts: &mut Verdicts,
) -> Result<Option<Plan>, StoreError> {
    let fold_kept = order.fold.as_ref();
    if let Some(timeline) = fold_kept.or(order.is_new.then_some(&Timeline::default())) {
        let planned = guarded(|| addition(timeline, order.times, &order.known, new, vocabulary));
        if let Ok(Some(plan)) = planned {
            verdicts.outcomes.extend(plan.outcomes.iter().copied());
            return Ok(Some(plan));
        }
    }
    let earlier = match batch.history(key).await {
        Err(StoreError::NoLongerKept) => {
            if order.fold.is_none() && order.former.is_some() {
                warn!(
                    order_key = %key.0,
                    "bodies of the order are no longer kept as they were received; it goes on with what a former version made of them"
                );
            }
            return Ok(without_history(order, new, vocabulary, verdicts));
        }
        earlier => earlier?,
    };
    let (plan, parked) = whole_without_poison(earlier, new.iter().map(|new| (*new).clone()).collect(), vocabulary);
    verdicts.parked.extend(parked);
    if let Some(plan) = &plan {
        verdicts.outcomes.extend(plan.outcomes.iter().copied());
    }
    Ok(plan)
}

/// Plans an order whose earlier bodies are no longer kept, or damaged: what simply follows is added, to a former version's state
/// where there is no other; what would need the bodies is parked.
fn without_history(
    order: &LoadedOrder,
    new: &[&Statement],
    vocabulary: &Vocabulary,
    verdicts: &mut Verdicts,
) -> Option<Plan> {
    const GONE: &str = "it does not simply follow what is known of its order, and the order's earlier bodies, which \
                        would tell what it changes, are no longer kept as they were received";
    let plan = |added: &[&Statement]| {
        let timeline = order.fold.as_ref().or(order.former.as_ref())?;
        guarded(|| addition(timeline, order.times, &order.known, added, vocabulary)).ok().flatten()
    };
    let mut added: Vec<&Statement> = Vec::new();
    for statement in new {
        added.push(statement);
        if plan(&added).is_none() {
            added.pop();
            verdicts.parked.insert(statement.delivery_id, GONE.to_owned());
        }
    }
    let plan = plan(&added).filter(|_| !added.is_empty())?;
    verdicts.outcomes.extend(plan.outcomes.iter().copied());
    Some(plan)
}

/// Folds a history with new deliveries in it. A delivery whose fold panics is left out and named, the
/// others go on without it.
fn whole_without_poison(
    earlier: Vec<Statement>,
    new: Vec<Statement>,
    vocabulary: &Vocabulary,
) -> (Option<Plan>, Vec<(Uuid, String)>) {
    let mut all = earlier;
    let known = all.len();
    all.extend(new);
    if let Ok(plan) = guarded(|| whole(&all, vocabulary)) {
        return (plan, Vec::new());
    }
    let new = all.split_off(known);
    let mut parked = Vec::new();
    for statement in new {
        let id = statement.delivery_id;
        all.push(statement);
        if let Err(reason) = guarded(|| whole(&all, vocabulary)) {
            error!(delivery_id = %id, %reason, "the fold panicked; the delivery is parked");
            parked.push((id, reason));
            all.pop();
        }
    }
    (guarded(|| whole(&all, vocabulary)).unwrap_or_default(), parked)
}

/// Runs a fold and gives its panic, if it has one, as a reason.
pub(crate) fn guarded<T>(fold: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(fold)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        format!("the fold panicked: {message}")
    })
}

fn receipt(one: &Incoming, verdicts: &Verdicts) -> Receipt {
    let kept = one.kept(verdicts);
    Receipt {
        delivery_id: one.delivery.id,
        outcome: kept.outcome,
        order_id: one.sense.order_id().map(str::to_owned),
        event_id: one.sense.event_id().map(str::to_owned),
        oddities: one.sense.oddities().to_vec(),
        duplicate_of: kept.related,
        reason: kept.quarantine.as_ref().map(|quarantine| quarantine.reason.clone()),
        reason_code: kept.quarantine.as_ref().map(|quarantine| quarantine.code.clone()),
        reason_path: kept.quarantine.and_then(|quarantine| quarantine.path),
    }
}

/// The receipt of a delivery that goes into the spool. Where nothing can be read from the body, its outcome is known
/// all the same.
fn receipt_of_spooled(one: &Incoming) -> Receipt {
    let is_readable = one.sense.statement().is_some();
    let receipt = receipt(one, &Verdicts::default());
    if !is_readable {
        return receipt;
    }
    Receipt { outcome: OutcomeName::Spooled, reason: None, reason_code: None, reason_path: None, ..receipt }
}

/// A delivery's outcome as it is kept.
#[derive(Debug)]
pub struct KeptOutcome {
    pub outcome: OutcomeName,
    pub related: Option<Uuid>,
    pub quarantine: Option<Quarantine>,
}

impl From<Outcome> for KeptOutcome {
    fn from(outcome: Outcome) -> Self {
        let (outcome, related) = match outcome {
            Outcome::Applied => (OutcomeName::Applied, None),
            Outcome::Duplicate(of) => (OutcomeName::Duplicate, Some(of)),
            Outcome::Conflict(with) => (OutcomeName::Conflict, Some(with)),
        };
        Self { outcome, related, quarantine: None }
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_becomes_a_reason() {
        assert_eq!(guarded(|| 1), Ok(1));
        let reason = guarded(|| -> u8 { panic!("no such item: {}", 7) }).unwrap_err();
        assert_eq!(reason, "the fold panicked: no such item: 7");
    }
}
