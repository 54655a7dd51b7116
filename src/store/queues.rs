//! The queues that support staff work through.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Store, StoreError};

/// An order that needs a person, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AttentionRow {
    pub order_key: Uuid,
    pub sender: String,
    pub order_id: String,
    pub state: String,
    pub reason: String,
    pub since: DateTime<Utc>,
    pub why: String,
}

impl AttentionRow {
    /// What places it in the queue, and tells it from all others.
    pub fn place(&self) -> (DateTime<Utc>, Uuid, &str) {
        (self.since, self.order_key, &self.reason)
    }
}

/// A visit that was missed or moved.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitRow {
    pub order_key: Uuid,
    pub event_position: i64,
    pub ordinal: i32,
    pub sender: String,
    pub order_id: String,
    pub state: String,
    pub at: DateTime<Utc>,
    /// customer or supplier; none where nobody says.
    pub fault: Option<String>,
    pub reschedules: Option<i32>,
    /// The appointment as the contract has it.
    pub appointment: Option<Json>,
    pub sentence: String,
    pub delivery_id: Uuid,
}

impl VisitRow {
    /// What places it in the queue, and tells it from all others.
    fn place(&self) -> (DateTime<Utc>, Uuid, i64, i32) {
        (self.at, self.order_key, self.event_position, self.ordinal)
    }
}

/// A value that the vocabulary does not know, with an order that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRow {
    pub subject: String,
    pub value: String,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    pub occurrences: i64,
    pub orders: i64,
    /// Sender and id of an order that has it.
    pub example: Option<(String, String)>,
}

impl Store {
    /// The orders that need a person for these reasons, those that wait longest first, from `after` on.
    /// `silent` is a reason too.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn attention_queue(
        &self,
        reasons: &[&str],
        after: Option<(DateTime<Utc>, Uuid, String)>,
        limit: u16,
    ) -> Result<Vec<AttentionRow>, StoreError> {
        let mut queue: Vec<AttentionRow> = Vec::new();
        // A statement for each reason, by its own part of the index; there are few.
        for reason in reasons {
            queue.extend(if *reason == "silent" {
                self.silent(after.as_ref(), limit).await?
            } else {
                self.needing(reason, after.as_ref(), limit).await?
            });
        }
        if let Some((since, key, reason)) = &after {
            queue.retain(|row| row.place() > (*since, *key, reason));
        }
        queue.sort_by(|a, b| a.place().cmp(&b.place()));
        queue.truncate(usize::from(limit));
        Ok(queue)
    }

    async fn needing(
        &self,
        reason: &str,
        after: Option<&(DateTime<Utc>, Uuid, String)>,
        limit: u16,
    ) -> Result<Vec<AttentionRow>, StoreError> {
        let mut sql = QueryBuilder::<Postgres>::new(
            "select a.order_key, o.sender, o.order_id, o.state, a.reason, a.since, a.why \
             from attention a join product_order o on o.order_key = a.order_key where a.reason = ",
        );
        sql.push_bind(reason);
        if let Some((since, key, _)) = after {
            sql.push(" and (a.since, a.order_key) >= (").push_bind(*since).push(", ").push_bind(*key).push(")");
        }
        // One more than is asked for: the one the page before ended with may be among them.
        sql.push(" order by a.since, a.order_key limit ").push_bind(i64::from(limit) + 1);
        Ok(sql.build_query_as().fetch_all(&self.pool).await?)
    }

    /// By the time of the last event, which differs from `since` by what is usual for the order.
    async fn silent(
        &self,
        after: Option<&(DateTime<Utc>, Uuid, String)>,
        limit: u16,
    ) -> Result<Vec<AttentionRow>, StoreError> {
        let (since, key) = after.map_or((DateTime::UNIX_EPOCH, Uuid::nil()), |(since, key, _)| (*since, *key));
        let rows = sqlx::query_as!(
            AttentionRow,
            r#"select s.order_key as "order_key!", s.sender as "sender!", s.order_id as "order_id!", o.state,
                 'silent' as "reason!", s.last_event_at as "since!",
                 'Nothing heard for longer than the usual ' || ceil(extract(epoch from s.allowed) / 86400)
                   || ' days' as "why!"
               from analytics.silent_orders s
               join product_order o on o.order_key = s.order_key
               where (s.last_event_at, s.order_key) >= ($1, $2)
               order by s.last_event_at, s.order_key
               limit $3"#,
            since,
            key,
            i64::from(limit) + 1
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Visits that were missed or moved by the fault of these (customer, supplier, unknown), the latest first,
    /// before `before` (time, order, position, ordinal).
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn missed_visits(
        &self,
        faults: &[&str],
        before: Option<(DateTime<Utc>, Uuid, i64, i32)>,
        limit: u16,
    ) -> Result<Vec<VisitRow>, StoreError> {
        let mut visits: Vec<VisitRow> = Vec::new();
        // A statement for each, by its own part of the index.
        for fault in faults {
            visits.extend(self.visits_by_fault(fault, before, limit).await?);
        }
        visits.sort_by_key(|visit| Reverse(visit.place()));
        visits.truncate(usize::from(limit));
        Ok(visits)
    }

    async fn visits_by_fault(
        &self,
        fault: &str,
        before: Option<(DateTime<Utc>, Uuid, i64, i32)>,
        limit: u16,
    ) -> Result<Vec<VisitRow>, StoreError> {
        let (at, key, position, ordinal) =
            before.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max(), i64::MAX, i32::MAX));
        let rows = sqlx::query_as!(
            VisitRow,
            r#"select e.order_key, e.event_position, e.ordinal, o.sender, o.order_id, o.state, e.at,
                 e.facts ->> 'fault' as fault, (e.facts ->> 'reschedules')::integer as reschedules,
                 e.to_value as appointment, e.sentence, e.delivery_id
               from timeline_entry e
               join product_order o on o.order_key = e.order_key
               where e.kind = 'appointment'
                 and (e.facts ->> 'fault' is not null
                   or e.facts -> 'changed' ? 'window' and e.from_value ->> 'start' <> e.from_value ->> 'finish')
                 and coalesce(e.facts ->> 'fault', 'unknown') = $1
                 and (e.at, e.order_key, e.event_position, e.ordinal) < ($2, $3, $4, $5)
               order by e.at desc, e.order_key desc, e.event_position desc, e.ordinal desc
               limit $6"#,
            fault,
            at,
            key,
            position,
            ordinal,
            i64::from(limit)
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Values that the vocabulary does not know, the most frequent first.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn unknown_queue(&self) -> Result<Vec<UnknownRow>, StoreError> {
        let values = sqlx::query!(
            r#"select u.subject, u.value, min(u.first_seen) as "first_seen!", max(u.last_seen) as "last_seen!",
                 sum(u.occurrences)::bigint as "occurrences!", count(*) as "orders!",
                 max(u.order_key::text)::uuid as "example!"
               from unknown_value u
               join analytics.unknown_values v on v.subject = u.subject and v.value = u.value
               group by u.subject, u.value
               order by sum(u.occurrences) desc, u.subject, u.value
               limit 1000"#
        );
        let values = values.fetch_all(&self.pool).await?;
        let keys: Vec<Uuid> = values.iter().map(|value| value.example).collect();
        let orders = sqlx::query!(
            "select order_key, sender, order_id from product_order where order_key = any($1)",
            keys.as_slice()
        );
        let orders = orders.fetch_all(&self.pool).await?;
        let example = |key: Uuid| {
            let order = orders.iter().find(|order| order.order_key == key)?;
            Some((order.sender.clone(), order.order_id.clone()))
        };
        let rows = values.iter().map(|value| UnknownRow {
            subject: value.subject.clone(),
            value: value.value.clone(),
            first_seen: value.first_seen,
            last_seen: value.last_seen,
            occurrences: value.occurrences,
            orders: value.orders,
            example: example(value.example),
        });
        Ok(rows.collect())
    }
}
