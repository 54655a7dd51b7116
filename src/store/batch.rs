//! The transaction of one call of the intake: claim the orders, read what is known, write, commit.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{Acquire, Postgres, Transaction};
use tracing::{error, warn};
use uuid::Uuid;

use super::copy::Rows;
use super::{OrderKey, Reading, Store, StoreError};
use crate::intake::{Incoming, KnownContent, NewOfOrder, Times, Verdicts, beside};
use crate::order::{self, EventKey, Statement, Timeline, Vocabulary};
use crate::record::HeaderRecord;
use crate::wire;

/// The version of the fold's state in the database. Raise it whenever [`Timeline`] or what it means changes: states
/// of another version are made anew from the deliveries.
pub const FOLD_VERSION: i32 = 7;

/// The first version whose bytes are of the present form. Raise it only where they can no longer be read, and then
/// give the former form a reader: it is all that is left of orders whose bodies were let go.
const FIRST_OF_THIS_FORM: i32 = 4;

/// An open transaction.
#[derive(Debug)]
pub struct Batch<'s> {
    pub(super) transaction: Transaction<'s, Postgres>,
}

/// What is known of an order before a batch, its row locked.
#[derive(Debug, Default)]
pub struct LoadedOrder {
    /// No event of it counts yet.
    pub is_new: bool,
    /// The state of the fold; `None` for a new order, and where it has to be made anew.
    pub fold: Option<Timeline>,
    /// The state as a former version of the program left it: what goes on where nothing can be made anew.
    pub former: Option<Timeline>,
    pub times: Option<Times>,
    /// The contents known of the events that the batch brings.
    pub known: Vec<KnownContent>,
}

impl Store {
    /// Begins a transaction.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn begin(&self) -> Result<Batch<'_>, StoreError> {
        Ok(Batch { transaction: self.pool.begin().await? })
    }
}

impl Batch<'_> {
    /// Locks the orders until the commit, against every node, and reads what is known of them.
    ///
    /// The claims are taken in the order of their keys, so that two batches cannot wait for each other.
    ///
    /// # Errors
    /// Where the database is not available, or another transaction has to go first.
    pub async fn claim_and_load(
        &mut self,
        orders: &BTreeMap<OrderKey, NewOfOrder<'_>>,
    ) -> Result<HashMap<OrderKey, LoadedOrder>, StoreError> {
        if orders.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<Uuid> = orders.keys().map(|key| key.0).collect();
        self.claim(&keys).await?;
        let mut loaded: HashMap<OrderKey, LoadedOrder> =
            keys.iter().map(|key| (OrderKey(*key), LoadedOrder { is_new: true, ..LoadedOrder::default() })).collect();
        self.load_folds(&keys, &mut loaded).await?;
        self.load_known(orders, &mut loaded).await?;
        Ok(loaded)
    }

    /// Locks the orders until the commit. The claims are taken in the order of their keys.
    ///
    /// # Errors
    /// Where the database is not available, or another transaction has to go first.
    pub async fn claim(&mut self, keys: &[Uuid]) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into order_claim (order_key, claims)
             select key, 1 from unnest($1::uuid[]) as batch (key) order by key
             on conflict on constraint order_claim_pk do update set claims = order_claim.claims + 1",
            keys
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn load_folds(
        &mut self,
        keys: &[Uuid],
        loaded: &mut HashMap<OrderKey, LoadedOrder>,
    ) -> Result<(), StoreError> {
        let rows = sqlx::query!(
            "select order_key, first_event_at, last_event_at, last_received_at, fold, fold_version
             from product_order where order_key = any($1)",
            keys
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        for row in rows {
            let Some(order) = loaded.get_mut(&OrderKey(row.order_key)) else { continue };
            order.is_new = false;
            order.times = Some(Times {
                first_event_at: row.first_event_at,
                last_event_at: row.last_event_at,
                last_received_at: row.last_received_at,
            });
            match KeptFold::decode(&row.fold, row.fold_version) {
                KeptFold::Current(fold) => order.fold = Some(fold),
                KeptFold::Former(fold) => order.former = Some(fold),
                KeptFold::Unreadable => {}
            }
        }
        Ok(())
    }

    async fn load_known(
        &mut self,
        orders: &BTreeMap<OrderKey, NewOfOrder<'_>>,
        loaded: &mut HashMap<OrderKey, LoadedOrder>,
    ) -> Result<(), StoreError> {
        let events = orders.iter().flat_map(|(key, new)| new.statements.iter().map(|new| (key.0, EventKey::of(new))));
        let (keys, event_keys): (Vec<Uuid>, Vec<EventKey>) = events.unzip();
        let event_keys: Vec<&[u8]> = event_keys.iter().map(|key| key.as_bytes().as_slice()).collect();
        let rows = sqlx::query!(
            "select e.order_key, e.event_key, e.content_hash, e.delivery_id, e.received_at
             from event e
             join unnest($1::uuid[], $2::bytea[]) as batch (order_key, event_key)
               on e.order_key = batch.order_key and e.event_key = batch.event_key",
            &keys,
            &event_keys as &[&[u8]]
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        for row in rows {
            let content = known_content(&row.event_key, &row.content_hash, row.delivery_id, row.received_at);
            if let (Some(order), Some(content)) = (loaded.get_mut(&OrderKey(row.order_key)), content) {
                order.known.push(content);
            }
        }
        Ok(())
    }

    /// All that the order's deliveries say, whatever became of them before; only parked ones stay out.
    ///
    /// # Errors
    /// [`StoreError::NoLongerKept`] where bodies of them were let go or are damaged; where the database is not
    /// available.
    pub async fn history(&mut self, key: OrderKey) -> Result<Vec<Statement>, StoreError> {
        history(&mut self.transaction, key, None).await
    }

    /// Keeps the deliveries and their exact bytes.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub async fn keep_deliveries(&mut self, incoming: &[&Incoming], verdicts: &Verdicts) -> Result<(), StoreError> {
        let mut deliveries = Rows::of(
            "delivery",
            "order_key, delivery_id, sender, received_at, origin, headers, body_length, body_hash, outcome, \
             related_delivery_id, reason_code, reason, reason_path, order_id, event_id, event_type, event_time, \
             event_time_text, oddities",
        );
        let mut bodies = Rows::of("delivery_body", "order_key, received_at, delivery_id, body");
        for one in incoming {
            let (key, delivery, reading) = (one.order_key.0, &one.delivery, Reading::of(one, verdicts));
            deliveries
                .row()
                .value(key)?
                .value(delivery.id)?
                .value(&delivery.sender)?
                .value(delivery.received_at)?
                .value(&delivery.origin)?
                .value(Json(&delivery.headers))?
                .value(i64::try_from(delivery.body.length()).unwrap_or(i64::MAX))?
                .value(one.body_hash.as_slice())?
                .value(reading.outcome)?
                .value(reading.related_delivery_id)?
                .value(reading.reason_code)?
                .value(reading.reason)?
                .value(reading.reason_path)?
                .value(reading.order_id)?
                .value(reading.event_id)?
                .value(reading.event_type)?
                .value(reading.event_time)?
                .value(reading.event_time_text)?
                .value(reading.oddities)?;
            bodies.row().value(key)?.value(delivery.received_at)?.value(delivery.id)?.value(delivery.body.kept())?;
        }
        deliveries.write(&mut self.transaction).await?;
        bodies.write(&mut self.transaction).await
    }

    /// A transaction within this one, that can be undone by itself.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn savepoint(&mut self) -> Result<Batch<'_>, StoreError> {
        Ok(Batch { transaction: self.transaction.begin().await? })
    }

    /// Undoes all of it.
    ///
    /// # Errors
    /// Where the database is not available; then nothing of it is kept either.
    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }

    /// Makes all of it durable and visible.
    ///
    /// # Errors
    /// Where the database is not available; whether it committed is then not known.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

/// The statements of an order's deliveries, those received up to `known_at` where it is given. Half of them
/// would tell another story, and so would bodies that are not what was received: where bodies are gone or damaged it
/// is an error.
pub(super) async fn history(
    connection: &mut sqlx::PgConnection,
    key: OrderKey,
    known_at: Option<DateTime<Utc>>,
) -> Result<Vec<Statement>, StoreError> {
    let rows = sqlx::query!(
        r#"select d.delivery_id, d.received_at, d.headers as "headers: Json<Vec<HeaderRecord>>", d.body_length,
             d.body_hash, b.body as "body?"
         from delivery d
         left join delivery_body b
           on b.order_key = d.order_key and b.received_at = d.received_at and b.delivery_id = d.delivery_id
         where d.order_key = $1 and d.outcome <> 'quarantined' and ($2::timestamptz is null or d.received_at <= $2)
         order by d.received_at, d.delivery_id"#,
        key.0,
        known_at
    )
    .fetch_all(connection)
    .await?;
    let mut statements = Vec::with_capacity(rows.len());
    for row in rows {
        let body = row.body.ok_or(StoreError::NoLongerKept)?;
        let read = wire::statement(row.delivery_id, row.received_at, beside(&row.headers), &body);
        // The reader has made the hash of what it could read.
        let body_hash = read.as_ref().map_or_else(|_| wire::body_hash(&body), |(statement, _)| statement.body_hash);
        if body_hash.as_slice() != row.body_hash || i64::try_from(body.len()) != Ok(row.body_length) {
            error!(delivery_id = %row.delivery_id, order_key = %key.0, "the body of a delivery is not what was received");
            return Err(StoreError::NoLongerKept);
        }
        match read {
            Ok((statement, _)) => statements.push(statement),
            Err(unreadable) => {
                error!(delivery_id = %row.delivery_id, %unreadable, "a delivery that could be read once no longer can");
            }
        }
    }
    Ok(statements)
}

/// The state of a fold as it is kept.
#[derive(Debug)]
pub(super) enum KeptFold {
    Current(Timeline),
    /// By the rules of a former version: made anew from the bodies, and good for going on where they are gone.
    Former(Timeline),
    /// Of another form: to be made anew.
    Unreadable,
}

impl KeptFold {
    pub(super) fn decode(fold: &[u8], version: i32) -> Self {
        if !(FIRST_OF_THIS_FORM..=FOLD_VERSION).contains(&version) {
            return Self::Unreadable;
        }
        match Timeline::decode(fold) {
            Ok(fold) if version == FOLD_VERSION => Self::Current(fold),
            Ok(fold) => Self::Former(fold),
            Err(error) => {
                warn!(%error, "a kept fold cannot be read; it is made anew");
                Self::Unreadable
            }
        }
    }

    /// The state for showing it: made anew where it is a former version's and the bodies are there.
    ///
    /// # Errors
    /// [`StoreError::NoLongerKept`] where it cannot be read, and bodies are gone; where the database is not available.
    pub(super) async fn shown(
        self,
        connection: &mut sqlx::PgConnection,
        key: OrderKey,
        vocabulary: &Vocabulary,
    ) -> Result<Timeline, StoreError> {
        let former = match self {
            Self::Current(fold) => return Ok(fold),
            Self::Former(fold) => Some(fold),
            Self::Unreadable => None,
        };
        match (history(connection, key, None).await, former) {
            (Err(StoreError::NoLongerKept), Some(former)) => Ok(former),
            (statements, _) => Ok(order::fold(&statements?, None, vocabulary).timeline),
        }
    }
}

fn known_content(event: &[u8], content: &[u8], delivery_id: Uuid, received_at: DateTime<Utc>) -> Option<KnownContent> {
    let event_key = EventKey::from_bytes(event.try_into().ok()?);
    Some(KnownContent { event_key, content_hash: content.try_into().ok()?, delivery_id, received_at })
}
