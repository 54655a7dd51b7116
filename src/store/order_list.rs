//! Lists of orders: by filters, by any id, page by page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::orders::HeadRow;
use super::{Store, StoreError};
use crate::order::EventKey;
use crate::record::OrderHead;

/// What a list of orders is to hold; all given conditions apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Any id: see [`crate::record::Identifier`].
    pub q: Option<String>,
    /// Where no order has that id: those that have one that begins so.
    pub or_begins: bool,
    pub state: Option<String>,
    /// A reason for attention, or "any".
    pub attention: Option<String>,
    pub sender: Option<String>,
    pub party: Option<String>,
    pub offering: Option<String>,
    /// The last event is at this time or later.
    pub changed_from: Option<DateTime<Utc>>,
    /// The last event is before this time.
    pub changed_to: Option<DateTime<Utc>>,
    pub sort: Sort,
    pub limit: u16,
    /// Where the page before ended; of the same sort.
    pub after: Option<Cursor>,
}

/// The order of a list: by the time of the last event, or by the order's id as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    NewestFirst,
    OldestFirst,
    IdsUp,
    IdsDown,
}

/// Where a page ended, by what its list is sorted by; the key tells equals apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    LastEvent(DateTime<Utc>, Uuid),
    OrderId(String, Uuid),
}

/// An order found, with the kinds of id by which `q` matched.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderHit {
    pub head: OrderHead,
    pub matched: Vec<String>,
}

/// A page of a list, and where the next one begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderPage {
    pub hits: Vec<OrderHit>,
    /// Whether no id is the one asked for, and these only begin with it.
    pub only_begins: bool,
    /// Whether more orders have the id than are looked at.
    pub is_cut: bool,
    pub next: Option<Cursor>,
}

/// So many orders of an id are looked at.
pub const MOST_MATCHES: i64 = 300;

impl Store {
    /// A page of orders.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        let mut matched = match &query.q {
            Some(q) => Some(self.matches(q).await?),
            None => None,
        };
        let mut only_begins = false;
        if let Some(q) = query.q.as_deref().filter(|_| query.or_begins)
            && matched.as_ref().is_some_and(HashMap::is_empty)
        {
            matched = Some(self.beginning(q).await?);
            only_begins = true;
        }
        let mut rows = self.heads(query, matched.as_ref()).await?;
        let has_more = rows.len() > usize::from(query.limit);
        rows.truncate(usize::from(query.limit));
        let next = rows.last().filter(|_| has_more).map(|row| match query.sort {
            Sort::NewestFirst | Sort::OldestFirst => Cursor::LastEvent(row.last_event_at, row.order_key),
            Sort::IdsUp | Sort::IdsDown => Cursor::OrderId(row.order_id.clone(), row.order_key),
        });
        let is_cut =
            matched.as_ref().is_some_and(|found| i64::try_from(found.len()).is_ok_and(|len| len >= MOST_MATCHES));
        let kinds = |key: &Uuid| matched.as_ref().and_then(|found| found.get(key)).cloned().unwrap_or_default();
        let hits = rows.into_iter().map(|row| OrderHit { matched: kinds(&row.order_key), head: row.into() });
        Ok(OrderPage { hits: hits.collect(), only_begins, is_cut, next })
    }

    /// The orders that have this id, by any kind of it.
    async fn matches(&self, q: &str) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
        // Requests write account ids with a # before them, and so they are copied.
        let q = q.strip_prefix('#').unwrap_or(q);
        let event_key = EventKey::of_event_id(q);
        let delivery_id: Option<Uuid> = q.parse().ok();
        // An id like "100" is an item of every other order: more than a person could look through is not read.
        // As a range, for the first rows by the index: of an equality that many rows fulfil the planner would
        // gather all of them first, or look through the table.
        let rows = sqlx::query!(
            r#"(select order_key as "order_key!", kind as "kind!" from identifier
                where value ~>=~ $1 and value ~<=~ $1 order by value using ~<~ limit $4)
               union all
               (select distinct order_key, 'event-id' from event where event_key = $2 limit $4)
               union all
               (select order_key, 'delivery-id' from delivery where delivery_id = $3)"#,
            q,
            event_key.as_bytes().as_slice(),
            delivery_id,
            MOST_MATCHES
        )
        .fetch_all(&self.pool)
        .await?;
        let mut found: HashMap<Uuid, Vec<String>> = HashMap::new();
        for row in rows {
            found.entry(row.order_key).or_default().push(row.kind);
        }
        Ok(found)
    }

    async fn heads(
        &self,
        query: &OrderQuery,
        matched: Option<&HashMap<Uuid, Vec<String>>>,
    ) -> Result<Vec<HeadRow>, StoreError> {
        let mut sql = QueryBuilder::<Postgres>::new(
            "select order_key, sender, order_id, external_id, state, state_reason, first_event_at, last_event_at, \
             last_received_at, events from product_order o where true",
        );
        if let Some(matched) = matched {
            sql.push(" and order_key = any(").push_bind(matched.keys().copied().collect::<Vec<_>>()).push(")");
        }
        if let Some(state) = &query.state {
            // As the fold compares states (contract, law 2), both by the database's own notion of a letter.
            sql.push(
                " and regexp_replace(lower(state), '[^[:alnum:]]', '', 'g') = \
                 regexp_replace(lower(",
            );
            sql.push_bind(state).push("), '[^[:alnum:]]', '', 'g')");
        }
        if let Some(reason) = &query.attention {
            // The silent are not written down but found, so they are asked for apart.
            if reason != "silent" {
                sql.push(" and (exists (select from attention a where a.order_key = o.order_key");
                if reason != "any" {
                    sql.push(" and a.reason = ").push_bind(reason);
                }
                sql.push(")");
            }
            match reason.as_str() {
                // The first two conditions repeat the view's own, for the index.
                "silent" => sql.push(
                    " and lower(state) not in ('completed', 'failed', 'cancelled', 'rejected', 'partial') \
                     and last_event_at < now() - interval '7 days' \
                     and exists (select from analytics.silent_orders s where s.order_key = o.order_key)",
                ),
                "any" => {
                    sql.push(" or exists (select from analytics.silent_orders s where s.order_key = o.order_key))")
                }
                _ => sql.push(")"),
            };
        }
        if let Some(sender) = &query.sender {
            sql.push(" and sender = ").push_bind(sender);
        }
        if let Some(party) = &query.party {
            sql.push(
                " and exists (select from identifier i where i.order_key = o.order_key and i.kind = 'party-id' \
                 and i.value = ",
            );
            sql.push_bind(party).push(")");
        }
        if let Some(offering) = &query.offering {
            sql.push(
                " and exists (select from product_order_item i where i.order_key = o.order_key and i.offering_id = ",
            );
            sql.push_bind(offering).push(")");
        }
        if let Some(from) = query.changed_from {
            sql.push(" and last_event_at >= ").push_bind(from);
        }
        if let Some(to) = query.changed_to {
            sql.push(" and last_event_at < ").push_bind(to);
        }
        let (column, direction) = match query.sort {
            Sort::NewestFirst => ("last_event_at", "desc"),
            Sort::OldestFirst => ("last_event_at", "asc"),
            Sort::IdsUp => ("order_id", "asc"),
            Sort::IdsDown => ("order_id", "desc"),
        };
        if let Some(after) = &query.after {
            let compares = if direction == "desc" { "<" } else { ">" };
            sql.push(format!(" and ({column}, order_key) {compares} ("));
            match after {
                Cursor::LastEvent(at, key) => sql.push_bind(*at).push(", ").push_bind(*key),
                Cursor::OrderId(id, key) => sql.push_bind(id).push(", ").push_bind(*key),
            };
            sql.push(")");
        }
        sql.push(format!(" order by {column} {direction}, order_key {direction} limit "));
        sql.push_bind(i64::from(query.limit) + 1);
        let mut reading = self.pool.begin().await?;
        // A page is a few rows by an index, which one depends on the values: a customer of half of all orders is
        // found otherwise than one of a single order. Workers and compiling take longer than the reading.
        sqlx::raw_sql(
            "set local plan_cache_mode = force_custom_plan; set local max_parallel_workers_per_gather = 0; \
             set local jit = off",
        )
        .execute(&mut *reading)
        .await?;
        let rows = sql.build_query_as().fetch_all(&mut *reading).await?;
        reading.commit().await?;
        Ok(rows)
    }
}
