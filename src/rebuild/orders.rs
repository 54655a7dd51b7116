//! Some orders made anew in an open transaction: compared with their rows, or written, live or in a shadow.

use std::collections::{BTreeMap, BTreeSet};

use tracing::{error, warn};
use uuid::Uuid;

use crate::intake::{Incoming, Sense, Verdicts, guarded, whole};
use crate::order::{Statement, Vocabulary};
use crate::store::{Batch, Difference, OrderKey, Projection, Reading, StoreError, Stored, Unread};

/// What came of making orders anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Deliveries that were quarantined and no longer are.
    pub healed: i64,
    /// Orders whose rows, or whose deliveries', are other ones than before.
    pub changed: BTreeSet<OrderKey>,
    /// Orders that stay as they were: bodies of theirs are no longer kept or damaged, or the database refuses them.
    pub left_alone: BTreeSet<OrderKey>,
    /// Bodies that are not what was received.
    pub damaged: Vec<Difference>,
}

/// What a transaction came to.
#[derive(Debug)]
pub enum Step {
    Done(Made),
    /// Nothing was written: deliveries belong to orders that were not among those asked for. These are all.
    Wider(BTreeSet<OrderKey>),
}

/// How orders stand beside what making them anew gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Orders that are not what their deliveries give, or may not be.
    pub other: BTreeSet<OrderKey>,
    /// Orders of which nothing can be said, with the reasons: bodies of theirs are no longer kept, or damaged.
    pub left_alone: BTreeMap<OrderKey, String>,
    /// Bodies that are not what was received.
    pub damaged: Vec<Difference>,
}

/// Reads all deliveries of these orders anew, projects them anew, and compares; nothing is written. All is seen
/// as of one moment where the transaction sees it so.
pub async fn standing(
    batch: &mut Batch<'_>,
    keys: &BTreeSet<OrderKey>,
    vocabulary: &Vocabulary,
) -> Result<Standing, StoreError> {
    let (orders, left_alone, damaged) = match read(batch, keys).await? {
        Read::Orders { orders, incomplete, damaged } => (orders, incomplete, damaged),
        Read::Wider(_) => return Ok(Standing { other: keys.clone(), ..Standing::default() }),
    };
    let mut other = BTreeSet::new();
    let mut projections = Vec::new();
    for order in &orders {
        match planned(std::slice::from_ref(order), vocabulary) {
            Ok(planned) if !order.moves() && order.corrections(&planned.verdicts).next().is_none() => {
                projections.extend(planned.projections);
            }
            Ok(_) | Err(_) => {
                other.insert(order.key);
                other.extend(order.moved().map(|(from, _)| from));
            }
        }
    }
    let compared: Vec<Uuid> =
        orders.iter().map(|order| order.key).filter(|key| !other.contains(key)).map(|key| key.0).collect();
    other.extend(batch.differing(&compared, &projections).await?);
    Ok(Standing { other, left_alone, damaged })
}

/// Reads all deliveries of these orders anew and projects them anew; what is other than before is written. The
/// orders are claimed by the caller.
pub async fn project_anew(
    batch: &mut Batch<'_>,
    keys: &BTreeSet<OrderKey>,
    vocabulary: &Vocabulary,
) -> Result<Step, StoreError> {
    let (mut orders, incomplete, damaged) = match read(batch, keys).await? {
        Read::Orders { orders, incomplete, damaged } => (orders, incomplete, damaged),
        Read::Wider(wider) => return Ok(Step::Wider(wider)),
    };
    tell_left_alone(&incomplete);
    let mut left_alone: BTreeSet<OrderKey> = incomplete.into_keys().collect();
    let mut changed = BTreeSet::new();
    match try_together(batch, &orders, vocabulary).await? {
        Ok(written) => changed = written,
        Err(_) => {
            for order in &mut orders {
                match one_by_one(batch, order, vocabulary).await? {
                    Some(written) => changed.extend(written),
                    None => {
                        left_alone.insert(order.key);
                    }
                }
            }
        }
    }
    // Where deliveries only were before they moved to their orders, there was no order.
    let left: BTreeSet<OrderKey> = orders.iter().flat_map(Order::moved).map(|(key, _)| key).collect();
    let empty = orders.iter().filter(|order| order.members.is_empty()).map(|order| order.key);
    let nothing_now: BTreeSet<OrderKey> = empty.filter(|key| left.contains(key)).collect();
    Ok(Step::Done(Made {
        healed: i64::try_from(orders.iter().flat_map(Order::healed).count()).unwrap_or(i64::MAX),
        changed: changed.difference(&nothing_now).copied().collect(),
        left_alone,
        damaged,
    }))
}

/// Says of orders that stay as they are why they do.
pub fn tell_left_alone(orders: &BTreeMap<OrderKey, String>) {
    for (key, reason) in orders {
        warn!(order_key = %key.0, %reason, "the order cannot be made anew; it stays as it is");
    }
}

enum Read {
    Orders {
        orders: Vec<Order>,
        /// Bodies of these are no longer kept, or damaged; with the reasons.
        incomplete: BTreeMap<OrderKey, String>,
        damaged: Vec<Difference>,
    },
    /// Deliveries belong to orders that were not among those asked for. These are all.
    Wider(BTreeSet<OrderKey>),
}

async fn read(batch: &mut Batch<'_>, keys: &BTreeSet<OrderKey>) -> Result<Read, StoreError> {
    let bare_keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
    let (mut members, mut incomplete, mut damaged) = (Vec::new(), BTreeMap::new(), Vec::new());
    for mut stored in batch.stored(&bare_keys).await? {
        match stored.read() {
            Ok(incoming) => members.push(Member::of(stored, incoming)),
            Err(unread) => {
                // Of what is quarantined the order's rows tell nothing.
                if !stored.reading.is_quarantined() {
                    incomplete.entry(stored.key).or_insert_with(|| unread.to_string());
                }
                if let Unread::Damaged { difference, .. } = unread {
                    damaged.push(*difference);
                }
            }
        }
    }
    let mut wider: BTreeSet<OrderKey> = members.iter().map(|member| member.incoming.order_key).collect();
    if !wider.is_subset(keys) {
        wider.extend(keys);
        return Ok(Read::Wider(wider));
    }
    let mut orders: BTreeMap<OrderKey, Order> = keys.iter().map(|key| (*key, Order::new(*key))).collect();
    for member in members {
        // Half a history would be a wrong one: where bodies are gone or damaged, what was made of them stays.
        let is_whole = |key: &OrderKey| !incomplete.contains_key(key);
        if is_whole(&member.stored_key)
            && let Some(order) = orders.get_mut(&member.incoming.order_key).filter(|order| is_whole(&order.key))
        {
            order.members.push(member);
        }
    }
    orders.retain(|key, _| !incomplete.contains_key(key));
    Ok(Read::Orders { orders: orders.into_values().collect(), incomplete, damaged })
}

/// An order with what is to be made of its deliveries.
struct Order {
    key: OrderKey,
    members: Vec<Member>,
    /// The deliveries that break the order, with the reasons.
    parked: BTreeMap<Uuid, String>,
}

/// A delivery, as it stands and as it reads now.
struct Member {
    stored_key: OrderKey,
    stored: Reading,
    incoming: Incoming,
}

impl Member {
    fn of(stored: Stored, mut incoming: Incoming) -> Self {
        if !matches!(incoming.sense, Sense::Event { .. }) {
            // What says nothing (any more) stays where it is.
            incoming.order_key = stored.key;
        }
        Self { stored_key: stored.key, stored: stored.reading, incoming }
    }

    fn id(&self) -> Uuid {
        self.incoming.delivery.id
    }

    fn statement(&self) -> Option<&Statement> {
        self.incoming.sense.statement()
    }

    fn moved_from(&self) -> Option<(OrderKey, Uuid)> {
        (self.stored_key != self.incoming.order_key).then_some((self.stored_key, self.id()))
    }
}

impl Order {
    fn new(key: OrderKey) -> Self {
        Self { key, members: Vec::new(), parked: BTreeMap::new() }
    }

    fn taken(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !self.parked.contains_key(&member.id()))
    }

    fn healed(&self) -> impl Iterator<Item = &Member> {
        self.taken().filter(|member| member.stored.is_quarantined() && member.statement().is_some())
    }

    /// Where those of its deliveries were that were not here.
    fn moved(&self) -> impl Iterator<Item = (OrderKey, Uuid)> {
        self.taken().filter_map(Member::moved_from)
    }

    fn moves(&self) -> bool {
        self.moved().next().is_some()
    }

    fn corrections(&self, verdicts: &Verdicts) -> impl Iterator<Item = (OrderKey, Uuid, Reading)> {
        self.members.iter().filter_map(|member| self.correction(member, verdicts))
    }

    /// What the row of a delivery that stays under its key is to say, where that is something new.
    fn correction(&self, member: &Member, verdicts: &Verdicts) -> Option<(OrderKey, Uuid, Reading)> {
        let reading = match self.parked.get(&member.id()) {
            _ if member.moved_from().is_some() => return None,
            Some(_) if member.stored.is_parked() => return None,
            Some(reason) => member.stored.parked(reason),
            None => Reading::of(&member.incoming, verdicts),
        };
        (reading != member.stored).then(|| (self.key, member.id(), reading))
    }
}

/// Why orders could not be written: a panic of the fold, or what the database said of the values.
struct Poison(String);

/// Writes all orders, or nothing. Gives those that are other ones now.
async fn try_together(
    batch: &mut Batch<'_>,
    orders: &[Order],
    vocabulary: &Vocabulary,
) -> Result<Result<BTreeSet<OrderKey>, Poison>, StoreError> {
    let mut part = batch.savepoint().await?;
    let written = write(&mut part, orders, vocabulary).await?;
    if written.is_ok() {
        part.commit().await?
    } else {
        part.rollback().await?
    }
    Ok(written)
}

/// Writes an order without the deliveries that break it. Those that were quarantined before are suspected
/// first. Gives the order if it is another one now; `None` where it could not be written at all.
async fn one_by_one(
    batch: &mut Batch<'_>,
    order: &mut Order,
    vocabulary: &Vocabulary,
) -> Result<Option<BTreeSet<OrderKey>>, StoreError> {
    let Poison(reason) = match try_together(batch, std::slice::from_ref(order), vocabulary).await? {
        Ok(written) => return Ok(Some(written)),
        Err(poison) => poison,
    };
    let quarantined = |member: &&Member| member.stored.is_quarantined();
    let suspects: Vec<Uuid> = order.members.iter().filter(quarantined).map(Member::id).collect();
    order.parked = suspects.iter().map(|id| (*id, reason.clone())).collect();
    let mut candidates = suspects;
    if attempt(batch, order, vocabulary).await?.is_err() {
        candidates = order.members.iter().map(Member::id).collect();
        order.parked = candidates.iter().map(|id| (*id, reason.clone())).collect();
    }
    for id in candidates {
        order.parked.remove(&id);
        if let Err(Poison(reason)) = attempt(batch, order, vocabulary).await? {
            error!(delivery_id = %id, %reason, "the projection failed; the delivery is parked");
            order.parked.insert(id, reason);
        }
    }
    let Poison(reason) = match try_together(batch, std::slice::from_ref(order), vocabulary).await? {
        Ok(written) => return Ok(Some(written)),
        Err(poison) => poison,
    };
    error!(order_key = %order.key.0, %reason, "the order cannot be made anew; it stays as it is");
    order.members.clear();
    Ok(None)
}

/// Writes an order and undoes it.
async fn attempt(
    batch: &mut Batch<'_>,
    order: &Order,
    vocabulary: &Vocabulary,
) -> Result<Result<BTreeSet<OrderKey>, Poison>, StoreError> {
    let mut trial = batch.savepoint().await?;
    let written = write(&mut trial, std::slice::from_ref(order), vocabulary).await?;
    trial.rollback().await?;
    Ok(written)
}

/// What deliveries of orders come to.
struct Planned {
    verdicts: Verdicts,
    projections: Vec<Projection>,
}

fn planned(orders: &[Order], vocabulary: &Vocabulary) -> Result<Planned, Poison> {
    let mut planned = Planned { verdicts: Verdicts::default(), projections: Vec::new() };
    for order in orders {
        let statements: Vec<Statement> = order.taken().filter_map(Member::statement).cloned().collect();
        let first = order.taken().find(|member| member.statement().is_some());
        let plan = guarded(|| whole(&statements, vocabulary)).map_err(Poison)?;
        if let (Some(plan), Some(first)) = (plan, first) {
            planned.verdicts.outcomes.extend(plan.outcomes.iter().copied());
            planned.projections.push(Projection {
                key: order.key,
                sender: first.incoming.delivery.sender.clone(),
                order_id: first.incoming.sense.order_id().unwrap_or_default().to_owned(),
                plan,
            });
        }
    }
    Ok(planned)
}

async fn write(
    batch: &mut Batch<'_>,
    orders: &[Order],
    vocabulary: &Vocabulary,
) -> Result<Result<BTreeSet<OrderKey>, Poison>, StoreError> {
    let planned = match planned(orders, vocabulary) {
        Ok(planned) => planned,
        Err(poison) => return Ok(Err(poison)),
    };
    match written(batch, orders, &planned).await {
        Err(StoreError::Refused(cause)) => Ok(Err(Poison(format!("the database refused its projection: {cause}")))),
        Err(error) => Err(error),
        Ok(changed) => Ok(Ok(changed)),
    }
}

async fn written(
    batch: &mut Batch<'_>,
    orders: &[Order],
    Planned { verdicts, projections }: &Planned,
) -> Result<BTreeSet<OrderKey>, StoreError> {
    let from: Vec<(OrderKey, Uuid)> = orders.iter().flat_map(Order::moved).collect();
    if !from.is_empty() {
        let moved = orders.iter().flat_map(Order::taken).filter(|member| member.moved_from().is_some());
        batch.take_away(&from).await?;
        batch.keep_deliveries(&moved.map(|member| &member.incoming).collect::<Vec<_>>(), verdicts).await?;
    }
    let corrections: Vec<_> = orders.iter().flat_map(|order| order.corrections(verdicts)).collect();
    batch.correct_readings(&corrections).await?;
    let keys: Vec<Uuid> = orders.iter().map(|order| order.key.0).collect();
    let mut changed = batch.replace(&keys, projections).await?;
    changed.extend(corrections.into_iter().map(|(key, ..)| key));
    changed.extend(orders.iter().filter(|order| order.moves()).map(|order| order.key));
    Ok(changed)
}
