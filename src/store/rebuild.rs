//! What making orders anew reads and writes: pages of orders, their deliveries, and what reading those anew changes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value as JsonValue, json};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use super::deliveries::hexadecimal;
use super::tables::PROJECTION_TABLES;
use super::{Batch, Difference, OrderKey, Reading, Store, StoreError};
use crate::intake::{Body, Delivery, Incoming, incoming};
use crate::record::HeaderRecord;

/// A delivery as it stands.
#[derive(Clone, Debug)]
pub struct Stored {
    pub key: OrderKey,
    pub delivery_id: Uuid,
    pub reading: Reading,
    /// `None` where its body is no longer kept.
    delivery: Option<Delivery>,
    /// Of the body as it was received.
    body_length: i64,
    body_hash: Vec<u8>,
}

/// The table of a [`Difference`] that is a damaged body.
pub const DAMAGED: &str = "delivery_body";

/// Why a delivery cannot be read again.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error("the body of delivery {0} is no longer kept")]
    Gone(Uuid),
    #[error("the body of delivery {delivery_id} is not what was received")]
    Damaged {
        delivery_id: Uuid,
        /// How what is kept differs from what was received.
        difference: Box<Difference>,
    },
}

/// Orders that are made anew together, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildPage {
    pub keys: BTreeSet<OrderKey>,
    pub deliveries: i64,
    /// Where the next page begins; `None` where this was the last.
    pub last: Option<Uuid>,
}

struct StoredRow {
    order_key: Uuid,
    delivery_id: Uuid,
    sender: String,
    received_at: DateTime<Utc>,
    origin: String,
    headers: Json<Vec<HeaderRecord>>,
    body_length: i64,
    body_hash: Vec<u8>,
    outcome: String,
    related_delivery_id: Option<Uuid>,
    reason_code: Option<String>,
    reason: Option<String>,
    reason_path: Option<String>,
    order_id: Option<String>,
    event_id: Option<String>,
    event_type: Option<String>,
    event_time: Option<DateTime<Utc>>,
    event_time_text: Option<String>,
    oddities: JsonValue,
    body: Option<Vec<u8>>,
}

impl Store {
    /// How many deliveries there are.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn delivery_count(&self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar!(r#"select count(*) as "count!" from delivery"#).fetch_one(&self.pool).await?;
        Ok(count)
    }

    /// The orders after a key, as many as `orders` and as `bytes` of bodies allow, at least one.
    /// Keys that hold only deliveries which could not be placed are no orders.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn orders_after(&self, after: Uuid, orders: i64, bytes: i64) -> Result<RebuildPage, StoreError> {
        let rows = sqlx::query!(
            r#"select order_key, count(*) as "deliveries!", sum(body_length)::bigint as "bytes!"
               from delivery where order_key > $1
               group by order_key
               having bool_or(outcome <> 'quarantined' or reason_code = 'unprojected')
               order by order_key limit $2"#,
            after,
            orders
        )
        .fetch_all(&self.pool)
        .await?;
        let (mut page, mut sum) = (RebuildPage::default(), 0);
        for row in rows {
            sum += row.bytes;
            if sum > bytes && !page.keys.is_empty() {
                break;
            }
            page.keys.insert(OrderKey(row.order_key));
            page.deliveries += row.deliveries;
            page.last = Some(row.order_key);
        }
        Ok(page)
    }

    /// Quarantined deliveries after an id whose bodies were kept whole but could not be placed: the ids
    /// with the lengths of the bodies, in order of receipt.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn unplaced_after(&self, after: Uuid, limit: i64) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let rows = sqlx::query!(
            "select delivery_id, body_length from delivery
             where outcome = 'quarantined' and delivery_id > $1 and reason_code not in ('unprojected', 'too-large')
             order by delivery_id limit $2",
            after,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.delivery_id, row.body_length)).collect())
    }

    /// The ids of deliveries of an outcome, after an id, in order of receipt.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn delivery_ids_after(&self, outcome: &str, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select delivery_id from delivery where outcome = $1 and delivery_id > $2 order by delivery_id limit $3",
            outcome,
            after,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids)
    }

    /// Keys after a key that have projected rows, but no delivery which could have made them.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn orphans_after(&self, after: Uuid, limit: i64) -> Result<BTreeSet<OrderKey>, StoreError> {
        let mut keys = BTreeSet::new();
        for table in PROJECTION_TABLES {
            let select = format!(
                "select distinct t.order_key from {table} t
                 where t.order_key > $1 and not exists (
                     select from delivery d where d.order_key = t.order_key
                        and (d.outcome <> 'quarantined' or d.reason_code = 'unprojected'))
                 order by t.order_key limit $2"
            );
            let found: Vec<Uuid> =
                sqlx::query_scalar(AssertSqlSafe(select)).bind(after).bind(limit).fetch_all(&self.pool).await?;
            keys.extend(found.into_iter().map(OrderKey));
        }
        let kept = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(keys.into_iter().take(kept).collect())
    }

    /// Deliveries with their bodies.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn stored(&self, ids: &[Uuid]) -> Result<Vec<Stored>, StoreError> {
        let rows = sqlx::query_as!(
            StoredRow,
            r#"select d.order_key, d.delivery_id, d.sender, d.received_at, d.origin,
                 d.headers as "headers: Json<Vec<HeaderRecord>>", d.body_length, d.body_hash, d.outcome,
                 d.related_delivery_id, d.reason_code, d.reason, d.reason_path, d.order_id, d.event_id, d.event_type,
                 d.event_time, d.event_time_text, d.oddities, b.body as "body?"
               from delivery d
               left join delivery_body b
                 on b.order_key = d.order_key and b.received_at = d.received_at and b.delivery_id = d.delivery_id
               where d.delivery_id = any($1)
               order by d.delivery_id"#,
            ids
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Stored::from).collect())
    }
}

impl Store {
    /// Begins a transaction that writes nothing and sees everything as of one moment.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn begin_reading(&self) -> Result<Batch<'_>, StoreError> {
        let transaction = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        let mut batch = Batch { transaction };
        batch.plan_simply().await?;
        Ok(batch)
    }
}

impl Batch<'_> {
    /// Keeps the planner, for this transaction, from what pays off in large queries only: workers, and reading whole tables to join them. A few orders are looked up by their keys; to a planner without
    /// statistics – of a shadow's tables, or of a young database – they look like many, and like half of all.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn plan_simply(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "select set_config('max_parallel_workers_per_gather', '0', true), set_config(name, 'off', true)
             from unnest(array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) as setting (name)",
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// All deliveries of these orders, with their bodies.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn stored(&mut self, keys: &[Uuid]) -> Result<Vec<Stored>, StoreError> {
        let rows = sqlx::query_as!(
            StoredRow,
            r#"select d.order_key, d.delivery_id, d.sender, d.received_at, d.origin,
                 d.headers as "headers: Json<Vec<HeaderRecord>>", d.body_length, d.body_hash, d.outcome,
                 d.related_delivery_id, d.reason_code, d.reason, d.reason_path, d.order_id, d.event_id, d.event_type,
                 d.event_time, d.event_time_text, d.oddities, b.body as "body?"
               from delivery d
               left join delivery_body b
                 on b.order_key = d.order_key and b.received_at = d.received_at and b.delivery_id = d.delivery_id
               where d.order_key = any($1)
               order by d.order_key, d.received_at, d.delivery_id"#,
            keys
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        Ok(rows.into_iter().map(Stored::from).collect())
    }

    /// Takes deliveries and their bodies from where they are, so that they can be kept under another key.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn take_away(&mut self, deliveries: &[(OrderKey, Uuid)]) -> Result<(), StoreError> {
        let (keys, ids): (Vec<Uuid>, Vec<Uuid>) = deliveries.iter().map(|(key, id)| (key.0, *id)).unzip();
        sqlx::query!(
            "delete from delivery_body b using unnest($1::uuid[], $2::uuid[]) as batch (order_key, id)
             where b.order_key = batch.order_key and b.delivery_id = batch.id",
            &keys,
            &ids
        )
        .execute(&mut *self.transaction)
        .await?;
        sqlx::query!(
            "delete from delivery d using unnest($1::uuid[], $2::uuid[]) as batch (order_key, id)
             where d.order_key = batch.order_key and d.delivery_id = batch.id",
            &keys,
            &ids
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Writes what deliveries were read as.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub async fn correct_readings(&mut self, readings: &[(OrderKey, Uuid, Reading)]) -> Result<(), StoreError> {
        for (key, id, reading) in readings {
            sqlx::query!(
                "update delivery set outcome = $3, related_delivery_id = $4, reason_code = $5, reason = $6,
                     reason_path = $7, order_id = $8, event_id = $9, event_type = $10, event_time = $11,
                     event_time_text = $12, oddities = $13
                 where order_key = $1 and delivery_id = $2",
                key.0,
                id,
                reading.outcome,
                reading.related_delivery_id,
                reading.reason_code,
                reading.reason,
                reading.reason_path,
                reading.order_id,
                reading.event_id,
                reading.event_type,
                reading.event_time,
                reading.event_time_text,
                reading.oddities
            )
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }
}

impl Stored {
    /// Reads it with the present reader.
    ///
    /// # Errors
    /// [`Unread`] where its body is no longer kept, or has not the length and the SHA-256 of what was received: what
    /// such a body says is nobody's word.
    pub fn read(&mut self) -> Result<Incoming, Unread> {
        let read = incoming(self.delivery.take().ok_or(Unread::Gone(self.delivery_id))?);
        let length = read.delivery.body.length();
        if i64::try_from(length) == Ok(self.body_length) && read.body_hash.as_slice() == self.body_hash {
            return Ok(read);
        }
        let body = |length: JsonValue, hash: &[u8]| json!({ "bytes": length, "sha256": hexadecimal(hash) });
        let key = [("received_at", json!(read.delivery.received_at)), ("delivery_id", json!(self.delivery_id))];
        let difference = Box::new(Difference {
            table: DAMAGED,
            order_key: self.key.0,
            sender: self.reading.order_id.is_some().then(|| read.delivery.sender.clone()),
            order_id: self.reading.order_id.clone(),
            key: key.into_iter().map(|(column, value)| (column.to_owned(), value)).collect(),
            column: Some("body".to_owned()),
            live: Some(body(length.into(), &read.body_hash)),
            rebuilt: Some(body(self.body_length.into(), &self.body_hash)),
        });
        Err(Unread::Damaged { delivery_id: self.delivery_id, difference })
    }
}

impl From<StoredRow> for Stored {
    fn from(row: StoredRow) -> Self {
        // Only what was too large to begin with may be shorter than what was received.
        let is_head = |body: &Vec<u8>| {
            row.outcome == "quarantined"
                && row.reason_code.as_deref() == Some("too-large")
                && i64::try_from(body.len()).is_ok_and(|kept| kept < row.body_length)
        };
        let body = row.body.map(|body| {
            if !is_head(&body) {
                return Body::Whole(body);
            }
            let length = u64::try_from(row.body_length).unwrap_or(u64::MAX);
            Body::TooLarge { head: body, length, hash: row.body_hash.as_slice().try_into().unwrap_or_default() }
        });
        let delivery = |body| Delivery {
            id: row.delivery_id,
            sender: row.sender,
            received_at: row.received_at,
            origin: row.origin,
            headers: row.headers.0,
            body,
        };
        Self {
            key: OrderKey(row.order_key),
            delivery_id: row.delivery_id,
            delivery: body.map(delivery),
            body_length: row.body_length,
            body_hash: row.body_hash,
            reading: Reading {
                outcome: row.outcome,
                related_delivery_id: row.related_delivery_id,
                reason_code: row.reason_code,
                reason: row.reason,
                reason_path: row.reason_path,
                order_id: row.order_id,
                event_id: row.event_id,
                event_type: row.event_type,
                event_time: row.event_time,
                event_time_text: row.event_time_text,
                oddities: row.oddities,
            },
        }
    }
}
