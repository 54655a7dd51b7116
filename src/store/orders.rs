//! Reading orders: one, its timeline, and lists of many.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::batch::{decode_fold, history};
use super::silence::add_silence;
use super::{OrderKey, Store, StoreError};
use crate::intake::Times;
use crate::order::{EventKey, Order, Outcome, Statement, Timeline, Vocabulary, fold, knowledge};
use crate::record::{
    EntryRecord, Identifier, MessageRecord, OrderHead, OrderRecord, TimelineRecord, identifiers_of, late_by_seconds,
};

/// What a list of orders is to hold; all given conditions apply.
#[derive(Clone, Debug, Default)]
pub struct OrderQuery {
    /// Any id: see [`Identifier`].
    pub q: Option<String>,
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
    /// Where the page before ended.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// The order of a list, by the time of the last event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    NewestFirst,
    OldestFirst,
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
    pub next: Option<(DateTime<Utc>, Uuid)>,
}

#[derive(FromRow)]
struct HeadRow {
    order_key: Uuid,
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
    /// Where the database is not available.
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
        let timeline = match decode_fold(&kept.fold, kept.fold_version) {
            Some(timeline) => timeline,
            None => fold(&history(&mut snapshot, key, None).await?, None, vocabulary).timeline,
        };
        let identifiers = sqlx::query_as!(
            Identifier,
            "select kind, value from identifier where order_key = $1 order by kind, value",
            key.0
        )
        .fetch_all(&mut *snapshot)
        .await?;
        let entries = Self::entries(&mut snapshot, key).await?;
        let mut order = OrderRecord::new(head.clone(), timeline.order(), identifiers);
        add_silence(&mut snapshot, &mut order, timeline.order(), Utc::now()).await?;
        snapshot.commit().await?;
        Ok(Some((order, TimelineRecord { order: head, entries })))
    }

    async fn entries(connection: &mut PgConnection, key: OrderKey) -> Result<Vec<EntryRecord>, StoreError> {
        let rows = sqlx::query!(
            r#"select event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id, kind, item_ids,
                 name, from_value, to_value, from_text, to_text,
                 message as "message: sqlx::types::Json<MessageRecord>", facts, sentence, valid_to, known_from
               from timeline_entry where order_key = $1 order by event_position, ordinal"#,
            key.0
        )
        .fetch_all(connection)
        .await?;
        let entries = rows.into_iter().map(|row| EntryRecord {
            event_position: row.event_position,
            ordinal: row.ordinal,
            at: row.at,
            at_estimated: row.at_estimated,
            received_at: row.received_at,
            late: row.late,
            late_by_seconds: late_by_seconds(row.late, row.at, row.received_at),
            event_id: row.event_id,
            delivery_id: row.delivery_id,
            kind: row.kind,
            item_ids: row.item_ids,
            name: row.name,
            from: row.from_value,
            from_text: row.from_text,
            to: row.to_value,
            to_text: row.to_text,
            message: row.message.map(|message| message.0),
            facts: row.facts,
            text: row.sentence,
            valid_to: row.valid_to,
            known_from: row.known_from,
        });
        Ok(entries.collect())
    }

    /// The senders that have orders, in alphabetical order.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn senders(&self) -> Result<Vec<String>, StoreError> {
        // A handful of senders have all the orders: step from one to the next by the index instead of
        // looking at every order.
        let mut senders: Vec<String> = Vec::new();
        loop {
            let next = match senders.last() {
                None => sqlx::query_scalar!("select min(sender) from product_order").fetch_one(&self.pool).await?,
                Some(last) => {
                    sqlx::query_scalar!("select min(sender) from product_order where sender > $1", last)
                        .fetch_one(&self.pool)
                        .await?
                }
            };
            match next {
                Some(sender) => senders.push(sender),
                None => return Ok(senders),
            }
        }
    }

    /// A page of orders.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        let matched = match &query.q {
            Some(q) => Some(self.matches(q).await?),
            None => None,
        };
        let mut rows = self.heads(query, matched.as_ref()).await?;
        let has_more = rows.len() > usize::from(query.limit);
        rows.truncate(usize::from(query.limit));
        let next = rows.last().filter(|_| has_more).map(|row| (row.last_event_at, row.order_key));
        let kinds = |key: &Uuid| matched.as_ref().and_then(|found| found.get(key)).cloned().unwrap_or_default();
        let hits = rows.into_iter().map(|row| OrderHit { matched: kinds(&row.order_key), head: row.into() });
        Ok(OrderPage { hits: hits.collect(), next })
    }

    /// The orders that have this id, by any kind of it.
    async fn matches(&self, q: &str) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
        // Requests write account ids with a # before them, and so they are copied.
        let q = q.strip_prefix('#').unwrap_or(q);
        let event_key = EventKey::of_event_id(q);
        let delivery_id: Option<Uuid> = q.parse().ok();
        // An id like "100" is an item of every other order: more than a person could look through is not read.
        let rows = sqlx::query!(
            r#"(select order_key as "order_key!", kind as "kind!" from identifier where value = $1 limit 1000)
               union all
               (select distinct order_key, 'event-id' from event where event_key = $2 limit 1000)
               union all
               (select order_key, 'delivery-id' from delivery where delivery_id = $3)"#,
            q,
            event_key.as_bytes().as_slice(),
            delivery_id
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
                "silent" => sql.push(" and order_key in (select s.order_key from analytics.silent_orders s)"),
                "any" => sql.push(" or order_key in (select s.order_key from analytics.silent_orders s))"),
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
        let (before, order) = match query.sort {
            Sort::NewestFirst => (") > (last_event_at", " order by last_event_at desc, order_key desc"),
            Sort::OldestFirst => (") < (last_event_at", " order by last_event_at, order_key"),
        };
        if let Some((at, key)) = query.after {
            sql.push(" and (").push_bind(at).push(", ").push_bind(key).push(before).push(", order_key)");
        }
        sql.push(order).push(" limit ").push_bind(i64::from(query.limit) + 1);
        Ok(sql.build_query_as().fetch_all(&self.pool).await?)
    }

    async fn head(connection: &mut PgConnection, key: OrderKey) -> Result<Option<OrderHead>, StoreError> {
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
