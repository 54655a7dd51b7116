//! The exchanges with the billing systems behind the Hybris front door.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{OrderKey, Store, StoreError};
use crate::record::HeaderRecord;

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeState {
    /// The BSS may have been called.
    Sent,
    /// It was not reached: nothing was placed.
    NotSent,
    /// It took the order, or refused it.
    Answered,
    /// It was called, and nobody knows whether it placed the order.
    Unknown,
}

impl ExchangeState {
    const ALL: [Self; 4] = [Self::Sent, Self::NotSent, Self::Answered, Self::Unknown];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NotSent => "not-sent",
            Self::Answered => "answered",
            Self::Unknown => "unknown",
        }
    }

    fn from_name(name: &str) -> Self {
        // The database admits no other name (hybris_exchange_state_known).
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Unknown)
    }
}

/// A request to a BSS and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub sender: String,
    pub correlation_id: String,
    pub body_hash: Vec<u8>,
    pub tries: i64,
    pub state: ExchangeState,
    pub request: Vec<u8>,
    pub request_headers: Vec<HeaderRecord>,
    pub request_origin: String,
    pub request_delivery_id: Uuid,
    pub received_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub order_id: String,
    pub answer: Option<ExchangeAnswer>,
    pub kept: bool,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeAnswer {
    pub status: u16,
    pub body: Vec<u8>,
    pub delivery_id: Uuid,
    pub answered_at: DateTime<Utc>,
    /// What the BSS sent, where that could not be passed on.
    pub unreadable: Option<Vec<u8>>,
}

/// What came of a claim.
#[derive(Clone, Debug)]
pub enum Claim {
    /// It is the caller's to send, for the time given, from 1.
    Ours(i64),
    /// Somebody has sent it already.
    Known(Box<Exchange>),
}

struct ExchangeRow {
    sender: String,
    correlation_id: String,
    body_hash: Vec<u8>,
    tries: i64,
    state: String,
    request: Vec<u8>,
    request_headers: Json<Vec<HeaderRecord>>,
    request_origin: String,
    request_delivery_id: Uuid,
    received_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    order_id: String,
    answer_status: Option<i32>,
    answer: Option<Vec<u8>>,
    answer_delivery_id: Option<Uuid>,
    answered_at: Option<DateTime<Utc>>,
    unreadable_answer: Option<Vec<u8>>,
    kept: bool,
}

impl Store {
    /// Claims an exchange before the BSS is called. The database decides who may call: of requests with the
    /// same correlation id one, and again only where nothing can have been placed.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn claim_exchange(&self, new: &Exchange) -> Result<Claim, StoreError> {
        let tries = sqlx::query_scalar!(
            "insert into hybris_exchange as known (exchange_key, sender, correlation_id, body_hash, tries, state, request,
                 request_headers, request_origin, request_delivery_id, received_at, due_at, order_id, kept)
             values ($1, $2, $3, $4, 1, 'sent', $5, $6, $7, $8, $9, $10, $11, false)
             on conflict on constraint hybris_exchange_pk do update set
                 tries = known.tries + 1, state = 'sent', request_headers = excluded.request_headers,
                 request_delivery_id = excluded.request_delivery_id, received_at = excluded.received_at,
                 due_at = excluded.due_at, answer_status = null, answer = null, answer_delivery_id = null,
                 answered_at = null, unreadable_answer = null, kept = false
             where known.state = 'not-sent' and known.kept and known.body_hash = excluded.body_hash
             returning tries",
            exchange_key(&new.sender, &new.correlation_id),
            new.sender,
            new.correlation_id,
            new.body_hash,
            new.request,
            Json(&new.request_headers) as _,
            new.request_origin,
            new.request_delivery_id,
            new.received_at,
            new.due_at,
            new.order_id
        )
        .fetch_optional(&self.pool)
        .await?;
        match tries {
            Some(tries) => Ok(Claim::Ours(tries)),
            None => {
                let known = self.exchange(&new.sender, &new.correlation_id).await?;
                known
                    .map(|known| Claim::Known(Box::new(known)))
                    .ok_or_else(|| StoreError::Unavailable(sqlx::Error::RowNotFound))
            }
        }
    }

    /// Writes an answer down. One that says what became of the order counts even where the exchange was
    /// given up for unknown before. Gives whether it was written.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn settle_exchange(
        &self,
        exchange: &Exchange,
        state: ExchangeState,
        order_id: &str,
        answer: &ExchangeAnswer,
    ) -> Result<bool, StoreError> {
        let settled = sqlx::query!(
            "update hybris_exchange set state = $3, order_id = $4, answer_status = $5, answer = $6,
                 answer_delivery_id = $7, answered_at = $8, unreadable_answer = $9, kept = false
             where exchange_key = $1 and tries = $2
               and (state = 'sent' or (state = 'unknown' and $3 <> 'unknown'))",
            exchange_key(&exchange.sender, &exchange.correlation_id),
            exchange.tries,
            state.name(),
            order_id,
            i32::from(answer.status),
            answer.body,
            answer.delivery_id,
            answer.answered_at,
            answer.unreadable
        )
        .execute(&self.pool)
        .await?;
        Ok(settled.rows_affected() > 0)
    }

    /// Notes that request and answer are in the order's timeline.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn exchange_is_kept(&self, exchange: &Exchange) -> Result<(), StoreError> {
        sqlx::query!(
            "update hybris_exchange set kept = true where exchange_key = $1 and tries = $2 and state = $3",
            exchange_key(&exchange.sender, &exchange.correlation_id),
            exchange.tries,
            exchange.state.name()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether an exchange has ended and is in its order's timeline, or is not there any more: what a repeat
    /// that waits for it asks again and again.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn exchange_has_ended(&self, sender: &str, correlation_id: &str) -> Result<bool, StoreError> {
        let ended = sqlx::query_scalar!(
            r#"select kept and state <> 'sent' as "ended!" from hybris_exchange where exchange_key = $1"#,
            exchange_key(sender, correlation_id)
        );
        Ok(ended.fetch_optional(&self.pool).await?.unwrap_or(true))
    }

    /// An exchange; `None` where there is none with this correlation id.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn exchange(&self, sender: &str, correlation_id: &str) -> Result<Option<Exchange>, StoreError> {
        let row = sqlx::query_as!(
            ExchangeRow,
            r#"select sender, correlation_id, body_hash, tries, state, request,
                 request_headers as "request_headers: Json<Vec<HeaderRecord>>", request_origin, request_delivery_id,
                 received_at, due_at, order_id, answer_status, answer, answer_delivery_id, answered_at,
                 unreadable_answer, kept
               from hybris_exchange where exchange_key = $1"#,
            exchange_key(sender, correlation_id)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Exchange::from))
    }

    /// The exchanges that somebody left behind: no answer by `now`, or one that is not in a timeline yet.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn exchanges_left_behind(&self, now: DateTime<Utc>) -> Result<Vec<Exchange>, StoreError> {
        let rows = sqlx::query_as!(
            ExchangeRow,
            r#"select sender, correlation_id, body_hash, tries, state, request,
                 request_headers as "request_headers: Json<Vec<HeaderRecord>>", request_origin, request_delivery_id,
                 received_at, due_at, order_id, answer_status, answer, answer_delivery_id, answered_at,
                 unreadable_answer, kept
               from hybris_exchange where (state = 'sent' or not kept) and due_at < $1
               order by received_at limit 100"#,
            now
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Exchange::from).collect())
    }

    /// The latest exchanges of which nobody knows whether they placed an order, or that still wait for an answer.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn unsettled_exchanges(&self, limit: u16) -> Result<Vec<Exchange>, StoreError> {
        let rows = sqlx::query_as!(
            ExchangeRow,
            r#"select sender, correlation_id, body_hash, tries, state, request,
                 request_headers as "request_headers: Json<Vec<HeaderRecord>>", request_origin, request_delivery_id,
                 received_at, due_at, order_id, answer_status, answer, answer_delivery_id, answered_at,
                 unreadable_answer, kept
               from hybris_exchange where state in ('sent', 'unknown')
               order by received_at desc limit $1"#,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Exchange::from).collect())
    }
}

/// The key of an exchange: what makes two requests the same one.
fn exchange_key(sender: &str, correlation_id: &str) -> Uuid {
    OrderKey::of_exchange(sender, correlation_id).0
}

impl From<ExchangeRow> for Exchange {
    fn from(row: ExchangeRow) -> Self {
        let answer = match (row.answer_status, row.answer, row.answer_delivery_id, row.answered_at) {
            (Some(status), Some(body), Some(delivery_id), Some(answered_at)) => Some(ExchangeAnswer {
                status: u16::try_from(status).unwrap_or(502),
                body,
                delivery_id,
                answered_at,
                unreadable: row.unreadable_answer,
            }),
            _ => None,
        };
        Self {
            sender: row.sender,
            correlation_id: row.correlation_id,
            body_hash: row.body_hash,
            tries: row.tries,
            state: ExchangeState::from_name(&row.state),
            request: row.request,
            request_headers: row.request_headers.0,
            request_origin: row.request_origin,
            request_delivery_id: row.request_delivery_id,
            received_at: row.received_at,
            due_at: row.due_at,
            order_id: row.order_id,
            answer,
            kept: row.kept,
        }
    }
}
