//! Reading an order and its timeline.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::batch::{KeptFold, history};
use super::entries::entries_now;
use super::silence::add_silence;
use super::{OrderKey, Store, StoreError};
use crate::intake::Times;
use crate::order::{Order, Outcome, Statement, Timeline, Vocabulary, fold, knowledge};
use crate::record::{EntryRecord, Identifier, OrderHead, OrderRecord, TimelineRecord, identifiers_of};

#[derive(FromRow)]
pub(super) struct HeadRow {
    pub(super) order_key: Uuid,
    sender: String,
    order_id: String,
    external_id: Option<String>,
    state: String,
    state_reason: String,
    first_event_at: DateTime<Utc>,
    last_event_at: DateTime<Utc>,
    last_received_at: DateTime<Utc>,
    events: i64,
}

impl From<HeadRow> for OrderHead {
    fn from(row: HeadRow) -> Self {
        Self {
            sender: row.sender,
            order_id: row.order_id,
            external_id: row.external_id,
            state: row.state,
            state_reason: row.state_reason,
            first_event_at: row.first_event_at,
            last_event_at: row.last_event_at,
            last_received_at: row.last_received_at,
            events: row.events,
        }
    }
}

impl Store {
    /// The senders that have an order of this id, in alphabetical order.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn senders_of(&self, order_id: &str) -> Result<Vec<String>, StoreError> {
        let senders =
            sqlx::query_scalar!("select sender from product_order where order_id = $1 order by sender", order_id);
        Ok(senders.fetch_all(&self.pool).await?)
    }

    /// An order with its timeline: as they are kept, or as they were at `at`, as we knew them at
    /// `known_at`. Then they are folded from the deliveries received by that time. `None` where there is
    /// no such order, or nothing of it was known, or had happened, by then.
    ///
    /// # Errors
    /// [`StoreError::NoLongerKept`] where it is to be folded and bodies were let go; where the database is not
    /// available.
    pub async fn order(
        &self,
        key: OrderKey,
        at: Option<DateTime<Utc>>,
        known_at: Option<DateTime<Utc>>,
        vocabulary: &Vocabulary,
    ) -> Result<Option<(OrderRecord, TimelineRecord)>, StoreError> {
        // One snapshot for all statements: a delivery that is taken in meanwhile is in all of them or in none.
        let mut snapshot = self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        let Some(head) = Self::head(&mut snapshot, key).await? else {
            return Ok(None);
        };
        if at.is_some() || known_at.is_some() {
            let statements = history(&mut snapshot, key, known_at).await?;
            let Some((mut order, timeline, folded)) = order_then(statements, at, head, vocabulary) else {
                return Ok(None);
            };
            let seen_at = [at, known_at].into_iter().flatten().fold(Utc::now(), DateTime::min);
            add_silence(&mut snapshot, &mut order, folded.order(), seen_at).await?;
            snapshot.commit().await?;
            return Ok(Some((order, timeline)));
        }
        let kept = sqlx::query!("select fold, fold_version from product_order where order_key = $1", key.0)
            .fetch_one(&mut *snapshot)
            .await?;
        let timeline = KeptFold::decode(&kept.fold, kept.fold_version).shown(&mut snapshot, key, vocabulary).await?;
        let identifiers = sqlx::query_as!(
            Identifier,
            "select kind, value from identifier where order_key = $1 order by kind, value",
            key.0
        )
        .fetch_all(&mut *snapshot)
        .await?;
        let entries = entries_now(&mut snapshot, key).await?;
        let mut order = OrderRecord::new(head.clone(), timeline.order(), identifiers);
        add_silence(&mut snapshot, &mut order, timeline.order(), Utc::now()).await?;
        snapshot.commit().await?;
        Ok(Some((order, TimelineRecord { order: head, entries })))
    }

    pub(super) async fn head(connection: &mut PgConnection, key: OrderKey) -> Result<Option<OrderHead>, StoreError> {
        let row = sqlx::query_as!(
            HeadRow,
            "select order_key, sender, order_id, external_id, state, state_reason, first_event_at, last_event_at,
                 last_received_at, events
             from product_order where order_key = $1",
            key.0
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(OrderHead::from))
    }
}

/// An order as its deliveries told it, of those in `statements` that are placed at `at` or before.
fn order_then(
    statements: Vec<Statement>,
    at: Option<DateTime<Utc>>,
    now: OrderHead,
    vocabulary: &Vocabulary,
) -> Option<(OrderRecord, TimelineRecord, Timeline)> {
    let folded = fold(&statements, at, vocabulary);
    let counts = |statement: &&Statement| {
        folded.outcomes.get(&statement.delivery_id) == Some(&Outcome::Applied)
            && at.is_none_or(|at| statement.at() <= at)
    };
    let past: Vec<&Statement> = statements.iter().filter(counts).collect();
    let order = folded.timeline.order();
    let (times, state) = (Times::of(past.iter().copied())?, order.state.clone()?);
    let head = OrderHead {
        external_id: order.external_ids.first().cloned(),
        state: state.state,
        state_reason: state.reason,
        first_event_at: times.first_event_at,
        last_event_at: times.last_event_at,
        last_received_at: times.last_received_at,
        events: folded.timeline.events().into(),
        ..now
    };
    let unknown = Order::default();
    let mut identifiers: Vec<Identifier> =
        past.iter().flat_map(|statement| identifiers_of(&statement.event, &unknown)).collect();
    identifiers.sort_unstable();
    identifiers.dedup();
    let record = OrderRecord::new(head.clone(), order, identifiers);
    // Since when each is known takes the receipts of the whole history; what held then may hold no longer.
    let (known, _) = knowledge(&statements, vocabulary);
    let entries = known.entries.into_iter().filter(|entry| at.is_none_or(|at| entry.at <= at)).map(|mut entry| {
        entry.valid_to = entry.valid_to.filter(|ended| at.is_none_or(|at| *ended <= at));
        EntryRecord::from(entry)
    });
    Some((record, TimelineRecord { order: head, entries: entries.collect() }, folded.timeline))
}
