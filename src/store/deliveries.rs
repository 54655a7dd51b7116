//! Reading deliveries: what was received, whatever became of it.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{OrderKey, Store, StoreError};
use crate::record::{DeliveryRecord, HeaderRecord, OutcomeName};
use crate::wire::Oddity;

/// Which deliveries a list is to hold, the latest received first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub order: Option<OrderKey>,
    pub outcome: Option<OutcomeName>,
    pub sender: Option<String>,
    /// Only those received at this time or later.
    pub received_from: Option<DateTime<Utc>>,
    pub limit: u16,
    /// Only those received before this one.
    pub before: Option<Uuid>,
}

/// The exact bytes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryBody {
    pub bytes: Vec<u8>,
    /// The length as received; larger than `bytes` where the body was too large to keep whole.
    pub received_length: i64,
}

struct DeliveryRow {
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
    oddities: Json<Vec<Oddity>>,
}

impl Store {
    /// A page of deliveries.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRecord>, StoreError> {
        let rows = sqlx::query_as!(
            DeliveryRow,
            r#"select delivery_id, sender, received_at, origin, headers as "headers: Json<Vec<HeaderRecord>>", body_length,
                 body_hash, outcome, related_delivery_id, reason_code, reason, reason_path, order_id, event_id,
                 event_type, event_time, event_time_text, oddities as "oddities: Json<Vec<Oddity>>"
               from delivery
               where ($1::uuid is null or order_key = $1)
                 and ($2::text is null or outcome = $2)
                 and ($3::text is null or sender = $3)
                 and ($4::uuid is null or delivery_id < $4)
                 and ($5::uuid is null or delivery_id >= $5)
               order by delivery_id desc
               limit $6"#,
            filter.order.map(|key| key.0),
            filter.outcome.map(OutcomeName::name),
            filter.sender,
            filter.before,
            filter.received_from.map(first_id),
            i64::from(filter.limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(DeliveryRecord::from).collect())
    }

    /// A delivery; `None` where there is none with this id.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn delivery(&self, id: Uuid) -> Result<Option<DeliveryRecord>, StoreError> {
        let row = sqlx::query_as!(
            DeliveryRow,
            r#"select delivery_id, sender, received_at, origin, headers as "headers: Json<Vec<HeaderRecord>>", body_length,
                 body_hash, outcome, related_delivery_id, reason_code, reason, reason_path, order_id, event_id,
                 event_type, event_time, event_time_text, oddities as "oddities: Json<Vec<Oddity>>"
               from delivery where delivery_id = $1"#,
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(DeliveryRecord::from))
    }

    /// A delivery's exact bytes; `None` where there is none with this id.
    ///
    /// # Errors
    /// [`StoreError::NoLongerKept`] where they were let go; where the database is not available.
    pub async fn body(&self, id: Uuid) -> Result<Option<DeliveryBody>, StoreError> {
        let row = sqlx::query!(
            r#"select b.body as "body?", d.body_length
               from delivery d
               left join delivery_body b
                 on b.order_key = d.order_key and b.received_at = d.received_at and b.delivery_id = d.delivery_id
               where d.delivery_id = $1"#,
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let bytes = row.body.ok_or(StoreError::NoLongerKept)?;
        Ok(Some(DeliveryBody { bytes, received_length: row.body_length }))
    }
}

impl From<DeliveryRow> for DeliveryRecord {
    fn from(row: DeliveryRow) -> Self {
        Self {
            delivery_id: row.delivery_id,
            sender: row.sender,
            received_at: row.received_at,
            origin: row.origin,
            // The database admits no other name (delivery_outcome_known).
            outcome: OutcomeName::from_name(&row.outcome).unwrap_or(OutcomeName::Quarantined),
            related_delivery_id: row.related_delivery_id,
            reason_code: row.reason_code,
            reason: row.reason,
            reason_path: row.reason_path,
            order_id: row.order_id,
            event_id: row.event_id,
            event_type: row.event_type,
            event_time: row.event_time,
            event_time_text: row.event_time_text,
            body_length: row.body_length,
            body_hash: hexadecimal(&row.body_hash),
            oddities: row.oddities.0,
            headers: row.headers.0,
        }
    }
}

/// The least delivery id of a moment: ids are version 7 UUIDs made at receipt.
pub(super) fn first_id(at: DateTime<Utc>) -> Uuid {
    Uuid::from_u128(u128::from(at.timestamp_millis().max(0).unsigned_abs()) << 80)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
