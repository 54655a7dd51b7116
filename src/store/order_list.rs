//! Lists of orders: by filters, by any id, page by page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::orders::HeadRow;
use super::{Store, StoreError};
use crate::order::ENDED_UNRESOLVED;
use crate::record::OrderHead;

/// What a list of orders is to hold; all given conditions apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Any id: see [`crate::record::Identifier`].
    pub q: Option<String>,
    /// Where no order has that id: those that have one that begins so.
    pub or_begins: bool,
    pub state: Option<String>,
    /// A reason for attention, or "any" for those of orders that go on.
    pub attention: Option<String>,
    /// The first event is at this time or later; one that is dated ahead of the last receipt counts from that.
    pub started_from: Option<DateTime<Utc>>,
    pub sender: Option<String>,
    pub party: Option<String>,
    pub offering: Option<String>,
    /// The last event is at this time or later; one that is dated ahead of its receipt counts from its receipt.
    pub changed_from: Option<DateTime<Utc>>,
    /// The last event is before this time.
    pub changed_to: Option<DateTime<Utc>>,
    pub sort: Sort,
    pub limit: u16,
    /// Where the page before ended; of the same sort.
    pub after: Option<Cursor>,
}

/// The order of a list: by when the orders moved last, by their ids as text, or by state and then by when they moved. What
/// else a list shows is worked out of the few orders that it shows, or is of a part of the order: no index has it, and
/// without one a page of a million orders would take a look at all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    NewestFirst,
    OldestFirst,
    IdsUp,
    IdsDown,
    StatesUp,
    StatesDown,
}

impl Sort {
    /// What the rows are sorted by; each with an index of its own. The key tells equals apart.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::NewestFirst | Self::OldestFirst => &[MOVED, "order_key"],
            Self::IdsUp | Self::IdsDown => &["order_id", "order_key"],
            Self::StatesUp | Self::StatesDown => &[STATE, MOVED, "order_key"],
        }
    }

    fn is_down(self) -> bool {
        matches!(self, Self::NewestFirst | Self::IdsDown | Self::StatesDown)
    }
}

/// As the fold compares states (contract, law 2).
const STATE: &str = "compared(state)";

/// When an order moved last ([`OrderHead::moved_at`]).
const MOVED: &str = "least(last_event_at, last_received_at)";

/// When an order started. A first event of the year 9999 would make it new for ever; and by this none starts after it
/// moved last.
const STARTED: &str = "least(first_event_at, last_received_at)";

/// Which orders may be silent: of the view's own conditions those that an index serves.
const MAY_BE_SILENT: &str = "not is_over(state) and least(last_event_at, last_received_at) < now() - interval '7 days'";

/// Where a page ended, by what its list is sorted by; the key tells equals apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    Moved(DateTime<Utc>, Uuid),
    OrderId(String, Uuid),
    State(String, DateTime<Utc>, Uuid),
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
        let (matched, only_begins) = match &query.q {
            Some(q) => {
                let (found, only_begins) = self.found(q, query.or_begins).await?;
                (Some(found), only_begins)
            }
            None => (None, false),
        };
        let rows = self.heads(query, matched.as_ref()).await?;
        let has_more = rows.len() > usize::from(query.limit);
        let rows = rows.into_iter().take(usize::from(query.limit));
        let heads: Vec<(Uuid, OrderHead)> = rows.map(|row| (row.order_key, row.into())).collect();
        let next = heads.last().filter(|_| has_more).map(|(key, head)| match query.sort {
            Sort::NewestFirst | Sort::OldestFirst => Cursor::Moved(head.moved_at(), *key),
            Sort::IdsUp | Sort::IdsDown => Cursor::OrderId(head.order_id.clone(), *key),
            Sort::StatesUp | Sort::StatesDown => Cursor::State(head.state.clone(), head.moved_at(), *key),
        });
        let is_cut =
            matched.as_ref().is_some_and(|found| i64::try_from(found.len()).is_ok_and(|len| len >= MOST_MATCHES));
        let kinds = |key: &Uuid| matched.as_ref().and_then(|found| found.get(key)).cloned().unwrap_or_default();
        let hits = heads.into_iter().map(|(key, head)| OrderHit { matched: kinds(&key), head });
        Ok(OrderPage { hits: hits.collect(), only_begins, is_cut, next })
    }

    /// The orders that have this id, or, where none has and that will do, one that begins so, with whether it only does.
    /// Where nothing is found that way, once more without what comes along when an id is copied out of a sentence.
    async fn found(&self, q: &str, or_begins: bool) -> Result<(HashMap<Uuid, Vec<String>>, bool), StoreError> {
        let bare = without_surroundings(q);
        let typed: Vec<&str> = std::iter::once(q).chain(bare.as_deref()).collect();
        for q in &typed {
            let found = self.matches(q).await?;
            if !found.is_empty() {
                return Ok((found, false));
            }
        }
        for q in typed.iter().filter(|_| or_begins) {
            let found = self.beginning(q).await?;
            if !found.is_empty() {
                return Ok((found, true));
            }
        }
        Ok((HashMap::new(), or_begins))
    }

    /// The orders that have this id, by any kind of it. Case does not count; leading zeros only where an order has
    /// just this id.
    async fn matches(&self, q: &str) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
        let q = bare_account(q);
        let found = self.having(&[q.to_owned()], q.parse().ok()).await?;
        let others = with_other_zeros(q);
        if found.is_empty() && !others.is_empty() { self.having(&others, None).await } else { Ok(found) }
    }

    async fn having(
        &self,
        ids: &[String],
        delivery_id: Option<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
        // An id like "100" is an item of every other order: more than a person could look through is not read.
        // As a range, for the first rows by the index: of an equality that many rows fulfil the planner would
        // gather all of them first, or look through the table.
        let rows = sqlx::query!(
            r#"select found.order_key as "order_key!", found.kind as "kind!"
               from unnest($1::text[]) as asked (id)
               cross join lateral (
                   (select order_key, kind from identifier
                    where lower(value) ~>=~ lower(asked.id) and lower(value) ~<=~ lower(asked.id)
                    order by lower(value) using ~<~ limit $3)
                   union all
                   (select order_key, 'event-id' from delivery
                    where left(lower(event_id), 64) ~>=~ left(lower(asked.id), 64)
                      and left(lower(event_id), 64) ~<=~ left(lower(asked.id), 64)
                      and event_id is not null and lower(event_id) = lower(asked.id)
                    order by left(lower(event_id), 64) using ~<~ limit $3)
               ) found
               union all
               (select order_key, 'delivery-id' from delivery where delivery_id = $2)"#,
            ids,
            delivery_id,
            MOST_MATCHES
        )
        .fetch_all(&self.pool)
        .await?;
        let mut found: HashMap<Uuid, Vec<String>> = HashMap::new();
        for row in rows {
            let kinds = found.entry(row.order_key).or_default();
            if !kinds.contains(&row.kind) {
                kinds.push(row.kind);
            }
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
            sql.push(format!(" and {STATE} = compared(")).push_bind(state).push(")");
        }
        if let Some(reason) = &query.attention {
            // All other reasons are of orders that go on, and these have an index: among a million that have ended they
            // are few.
            if reason != ENDED_UNRESOLVED {
                sql.push(" and not is_over(state)");
            }
            // The silent are not written down but found, so they are asked for apart; and of all reasons together row by
            // row until the page is full, which is what the server does where the offset is: to find all that are silent
            // takes half a second where thousands of orders are open.
            const HAS: &str = "exists (select from attention a where a.order_key = o.order_key and a.reason";
            const IS_SILENT: &str = "exists (select from analytics.silent_orders s where s.order_key = o.order_key";
            match reason.as_str() {
                "silent" => sql.push(format!(" and {MAY_BE_SILENT} and {IS_SILENT})")),
                "any" => sql
                    .push(format!(" and ({HAS} <> "))
                    .push_bind(ENDED_UNRESOLVED)
                    .push(format!(" offset 0) or ({MAY_BE_SILENT} and {IS_SILENT} offset 0)))")),
                reason => sql.push(format!(" and {HAS} = ")).push_bind(reason.to_owned()).push(")"),
            };
        }
        if let Some(sender) = &query.sender {
            sql.push(" and sender = ").push_bind(sender);
        }
        if let Some(party) = &query.party {
            sql.push(
                " and exists (select from identifier i where i.order_key = o.order_key and i.kind = 'party-id' \
                 and lower(i.value) = lower(",
            );
            // As the search by id compares, and so served by the same index.
            sql.push_bind(bare_account(party)).push("))");
        }
        if let Some(offering) = &query.offering {
            sql.push(
                " and exists (select from product_order_item i where i.order_key = o.order_key \
                 and compared(i.offering_id) = compared(",
            );
            sql.push_bind(offering).push("))");
        }
        if let Some(from) = query.started_from {
            // No order moved last before it started, and by its last movement there is an index.
            sql.push(format!(" and {STARTED} >= ")).push_bind(from).push(format!(" and {MOVED} >= ")).push_bind(from);
        }
        if let Some(from) = query.changed_from {
            sql.push(format!(" and {MOVED} >= ")).push_bind(from);
        }
        if let Some(to) = query.changed_to {
            sql.push(format!(" and {MOVED} < ")).push_bind(to);
        }
        let columns = query.sort.columns();
        let (direction, compares) = if query.sort.is_down() { (" desc", "<") } else { (" asc", ">") };
        if let Some(after) = &query.after {
            sql.push(format!(" and ({}) {compares} (", columns.join(", ")));
            match after {
                Cursor::Moved(at, key) => sql.push_bind(*at).push(", ").push_bind(*key),
                Cursor::OrderId(id, key) => sql.push_bind(id).push(", ").push_bind(*key),
                Cursor::State(state, at, key) => {
                    sql.push("compared(").push_bind(state).push("), ").push_bind(*at).push(", ").push_bind(*key)
                }
            };
            sql.push(")");
        }
        let sorted: Vec<String> = columns.iter().map(|column| format!("{column}{direction}")).collect();
        sql.push(format!(" order by {} limit ", sorted.join(", ")));
        sql.push_bind(i64::from(query.limit) + 1);
        let mut reading = self.pool.begin().await?;
        // A page is a few rows by an index, which one depends on the values: a customer of half of all orders is
        // found otherwise than one of a single order. Workers take longer than the reading.
        sqlx::raw_sql("set local plan_cache_mode = force_custom_plan; set local max_parallel_workers_per_gather = 0")
            .execute(&mut *reading)
            .await?;
        let rows = sql.build_query_as().fetch_all(&mut *reading).await?;
        reading.commit().await?;
        Ok(rows)
    }
}

/// Requests write account ids with a # before them, and so they are copied.
fn bare_account(id: &str) -> &str {
    id.strip_prefix('#').unwrap_or(id)
}

/// An id without blanks inside it and punctuation at its end; nothing where it has neither, or nothing is left.
pub(super) fn without_surroundings(id: &str) -> Option<String> {
    let joined: String = id.chars().filter(|letter| !letter.is_whitespace()).collect();
    let bare = joined.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '”', '’', '»']);
    (bare != id && !bare.is_empty()).then(|| bare.to_owned())
}

/// The same number with other zeros before it: people leave them out, or write more of them. Nothing where it is no
/// number. The longest are as long as suppliers' ids are, and a little longer.
pub(super) fn with_other_zeros(id: &str) -> Vec<String> {
    const LONGEST: usize = 12;
    let digits = id.trim_start_matches('0');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let zeros = 0..=LONGEST.saturating_sub(digits.len());
    zeros.map(|zeros| format!("{}{digits}", "0".repeat(zeros))).filter(|other| other != id).collect()
}

#[cfg(test)]
mod tests {
    use super::{with_other_zeros, without_surroundings};

    #[test]
    fn what_was_copied_along_with_an_id_is_left_out() {
        for typed in ["BBONE 0050005", "BBONE0050005.", " BBONE0050005”,", "BBONE\u{a0}0050005)."] {
            assert_eq!(without_surroundings(typed).as_deref(), Some("BBONE0050005"), "{typed}");
        }
        for typed in ["BBONE0050005", "100.4", "...", " "] {
            assert_eq!(without_surroundings(typed), None, "{typed}");
        }
    }

    #[test]
    fn only_numbers_are_tried_with_other_zeros() {
        let others = with_other_zeros("0228874");
        assert!(others.contains(&"228874".to_owned()) && others.contains(&"00228874".to_owned()), "{others:?}");
        assert!(!others.contains(&"0228874".to_owned()) && others.iter().all(|other| other.len() <= 12), "{others:?}");
        assert_eq!(with_other_zeros("12345678901234"), Vec::<String>::new());
        for id in ["BBONE1", "000", "", "100.4", "-5"] {
            assert_eq!(with_other_zeros(id), Vec::<String>::new(), "{id}");
        }
    }
}
