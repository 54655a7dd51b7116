//! The queues that support staff work through.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::order::{Attention, ENDED_UNRESOLVED};

/// An order that needs a person: by the reason that places it in the queue, with its others.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AttentionRow {
    pub order_key: Uuid,
    pub sender: String,
    pub order_id: String,
    pub state: String,
    pub reason: String,
    pub since: DateTime<Utc>,
    pub why: String,
    /// What the orders of a reason are sorted by: since when, or of the silent when they moved last, which has an index.
    pub placed_at: DateTime<Utc>,
    /// All its other reasons, those that wait longest first.
    #[sqlx(skip)]
    pub others: Vec<Attention>,
}

/// Where a page of the queue ended: the reason, what the row was sorted by, and the order.
pub type AttentionCursor = (String, DateTime<Utc>, Uuid);

/// Where a page of the queue of visits ended: the time, the order, and what was said of which visit there.
pub type VisitCursor = (DateTime<Utc>, Uuid, i64, i32, i32);

/// A visit that was missed or moved.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitRow {
    pub order_key: Uuid,
    pub event_position: i64,
    pub ordinal: i32,
    pub part: i32,
    pub sender: String,
    pub order_id: String,
    pub state: String,
    pub at: DateTime<Utc>,
    /// customer or supplier; unknown where nobody says.
    pub fault: String,
    /// The code of the message that says so, where the appointment's status does not.
    pub fault_code: Option<String>,
    pub reschedules: Option<i32>,
    /// The appointment as the contract has it; none where a message alone tells of the visit.
    pub appointment: Option<Json>,
    pub sentence: String,
    pub delivery_id: Uuid,
}

impl VisitRow {
    /// What places it in the queue, and tells it from all others.
    pub fn place(&self) -> VisitCursor {
        (self.at, self.order_key, self.event_position, self.ordinal, self.part)
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
    /// The orders that need a person for one of these reasons, each once: by the first of its reasons in the order
    /// of `reasons`, and of the same reason those that wait longest first. From `after` on. `silent` is a reason too.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn attention_queue(
        &self,
        reasons: &[&str],
        after: Option<AttentionCursor>,
        limit: u16,
    ) -> Result<Vec<AttentionRow>, StoreError> {
        let begin = after.as_ref().and_then(|(reason, _, _)| reasons.iter().position(|known| known == reason));
        let mut queue: Vec<AttentionRow> = Vec::new();
        // A statement for each reason, by its own part of the index, until there are enough.
        for (at, reason) in reasons.iter().enumerate().skip(begin.unwrap_or(0)) {
            let place = after.as_ref().filter(|_| begin == Some(at)).map(|(_, at, key)| (*at, *key));
            let missing = i64::from(limit) - i64::try_from(queue.len()).unwrap_or(i64::MAX);
            if missing <= 0 {
                break;
            }
            queue.extend(if *reason == "silent" {
                self.silent(place, missing).await?
            } else {
                self.needing(reason, reasons.get(..at).unwrap_or_default(), place, missing).await?
            });
        }
        let keys: Vec<Uuid> = queue.iter().map(|row| row.order_key).collect();
        let mut all = self.attention_of(&keys).await?;
        for row in &mut queue {
            row.others = all.remove(&row.order_key).unwrap_or_default();
            row.others.retain(|other| other.reason != row.reason);
        }
        Ok(queue)
    }

    /// How many orders have ended with something unresolved.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn ended_unresolved(&self) -> Result<i64, StoreError> {
        let count =
            sqlx::query_scalar!(r#"select count(*) as "count!" from attention where reason = $1"#, ENDED_UNRESOLVED);
        Ok(count.fetch_one(&self.pool).await?)
    }

    /// Why these orders need a person now, silence among it, those that wait longest first.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn attention_of(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Attention>>, StoreError> {
        let rows = sqlx::query!(
            r#"select order_key as "order_key!", reason as "reason!", since as "since!", why as "why!"
               from analytics.attention where order_key = any($1) order by since, reason"#,
            keys
        );
        let mut found: HashMap<Uuid, Vec<Attention>> = HashMap::new();
        for row in rows.fetch_all(&self.pool).await? {
            let one = Attention { reason: row.reason, since: row.since, why: row.why };
            found.entry(row.order_key).or_default().push(one);
        }
        Ok(found)
    }

    /// Those that need a person for this reason and for none of `weightier`.
    async fn needing(
        &self,
        reason: &str,
        weightier: &[&str],
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<AttentionRow>, StoreError> {
        let mut sql = QueryBuilder::<Postgres>::new(
            "select a.order_key, o.sender, o.order_id, o.state, a.reason, a.since, a.why, a.since as placed_at \
             from attention a join product_order o on o.order_key = a.order_key where a.reason = ",
        );
        sql.push_bind(reason);
        if !weightier.is_empty() {
            sql.push(" and not exists (select from attention w where w.order_key = a.order_key and w.reason = any(");
            sql.push_bind(weightier.iter().map(|reason| (*reason).to_owned()).collect::<Vec<_>>()).push("))");
        }
        if let Some((since, key)) = after {
            sql.push(" and (a.since, a.order_key) > (").push_bind(since).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by a.since, a.order_key limit ").push_bind(limit);
        Ok(sql.build_query_as().fetch_all(&self.pool).await?)
    }

    /// By when they moved last, which differs from `since` by what is usual for the order.
    async fn silent(&self, after: Option<(DateTime<Utc>, Uuid)>, limit: i64) -> Result<Vec<AttentionRow>, StoreError> {
        let (moved_at, key) = after.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
        let rows = sqlx::query!(
            r#"select s.order_key as "order_key!", s.sender as "sender!", s.order_id as "order_id!", o.state,
                 s.moved_at as "moved_at!", s.since as "since!",
                 'Nothing heard since ' || to_char(s.moved_at at time zone 'Europe/London', 'FMDD Mon YYYY')
                   || '; the usual is ' || ceil(extract(epoch from s.allowed) / 86400) || ' days' as "why!"
               from analytics.silent_orders s
               join product_order o on o.order_key = s.order_key
               where (s.moved_at, s.order_key) > ($1, $2)
               order by s.moved_at, s.order_key
               limit $3"#,
            moved_at,
            key,
            limit
        );
        let row = rows.fetch_all(&self.pool).await?.into_iter().map(|row| AttentionRow {
            order_key: row.order_key,
            sender: row.sender,
            order_id: row.order_id,
            state: row.state,
            reason: "silent".to_owned(),
            since: row.since,
            why: row.why,
            placed_at: row.moved_at,
            others: Vec::new(),
        });
        Ok(row.collect())
    }

    /// Visits that were missed or moved by the fault of these (customer, supplier, unknown), said at `since` or later,
    /// the latest first, before `before`. Those that `analytics.missed_appointments` lists.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn missed_visits(
        &self,
        faults: &[&str],
        since: Option<DateTime<Utc>>,
        before: Option<VisitCursor>,
        limit: u16,
    ) -> Result<Vec<VisitRow>, StoreError> {
        let mut visits: Vec<VisitRow> = Vec::new();
        // A statement for each, by its own part of the index.
        for fault in faults {
            visits.extend(self.visits_by_fault(fault, since, before, limit).await?);
        }
        visits.sort_by_key(|visit| Reverse(visit.place()));
        visits.truncate(usize::from(limit));
        Ok(visits)
    }

    async fn visits_by_fault(
        &self,
        fault: &str,
        since: Option<DateTime<Utc>>,
        before: Option<VisitCursor>,
        limit: u16,
    ) -> Result<Vec<VisitRow>, StoreError> {
        let (at, key, position, ordinal, part) =
            before.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max(), i64::MAX, i32::MAX, i32::MAX));
        let rows = sqlx::query_as!(
            VisitRow,
            r#"select m.order_key, m.event_position, m.ordinal, m.part, o.sender, o.order_id, o.state, m.at,
                 m.missed as "fault!",
                 case m.kind when 'appointment' then e.facts ->> 'faultCode' else m.value end as fault_code,
                 (e.facts ->> 'reschedules')::integer as reschedules,
                 e.to_value as "appointment?", e.sentence, e.delivery_id
               from entry_value m
               join product_order o on o.order_key = m.order_key
               join timeline_entry e
                   on e.order_key = m.order_key and e.event_position = m.event_position and e.ordinal = m.ordinal
               where m.missed = $1
                 and (m.at, m.order_key, m.event_position, m.ordinal, m.part) < ($2, $3, $4, $5, $6)
                 and ($7::timestamptz is null or m.at >= $7)
               order by m.at desc, m.order_key desc, m.event_position desc, m.ordinal desc, m.part desc
               limit $8"#,
            fault,
            at,
            key,
            position,
            ordinal,
            part,
            since,
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
            r#"select v.subject as "subject!", v.value as "value!", v.first_seen as "first_seen!",
                 v.last_seen as "last_seen!", v.occurrences as "occurrences!", v.orders as "orders!",
                 max(u.order_key::text)::uuid as "example!"
               from analytics.unknown_values v
               join unknown_value u on u.subject = v.subject and u.value = v.value
               group by v.subject, v.value, v.first_seen, v.last_seen, v.occurrences, v.orders
               order by v.occurrences desc, v.subject, v.value
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
