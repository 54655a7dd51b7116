//! What the pages ask beside the orders themselves: digests for lists, ids by their beginning, versions.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::batch::KeptFold;
use super::order_list::{with_other_zeros, without_surroundings};
use super::{OrderKey, Store, StoreError};
use crate::order::{Order, Vocabulary};

/// An id that begins with what was typed, and the order that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub kind: String,
    pub value: String,
    pub sender: String,
    pub order_id: String,
    pub state: String,
}

/// An id that begins with what was asked for.
#[derive(Debug)]
struct Beginning {
    order_key: Uuid,
    kind: String,
    value: String,
}

/// Another number whenever anything may have changed in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub key: OrderKey,
    pub claims: i64,
}

/// What comes after all texts that begin with something; no text that PostgreSQL keeps is beyond it.
const LAST: char = char::MAX;

impl Store {
    /// All that is known of these orders now, by key; those that are not there are left out.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn digests(
        &self,
        keys: &[OrderKey],
        vocabulary: &Vocabulary,
    ) -> Result<HashMap<OrderKey, Order>, StoreError> {
        let bare: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = sqlx::query!(
            "select order_key, fold, fold_version from product_order where order_key = any($1)",
            bare.as_slice()
        )
        .fetch_all(&self.pool)
        .await?;
        let mut digests = HashMap::with_capacity(rows.len());
        for row in rows {
            let key = OrderKey(row.order_key);
            let timeline = match KeptFold::decode(&row.fold, row.fold_version) {
                KeptFold::Current(timeline) => timeline,
                other => other.shown(&mut *self.pool.acquire().await?, key, vocabulary).await?,
            };
            digests.insert(key, timeline.order().clone());
        }
        Ok(digests)
    }

    /// The ids that begin with this text, in their order, each with an order that has it. Case does not count, and
    /// zeros that were left out stand last.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn suggestions(&self, begin: &str, limit: u16) -> Result<Vec<Suggestion>, StoreError> {
        let mut found = self.begin_so(begin, limit.into()).await?;
        if let Some(bare) = without_surroundings(begin).filter(|_| found.is_empty()) {
            found = self.begin_so(&bare, limit.into()).await?;
        }
        let keys: Vec<Uuid> = found.iter().map(|id| id.order_key).collect();
        let orders = sqlx::query!(
            "select order_key, sender, order_id, state from product_order where order_key = any($1)",
            keys.as_slice()
        );
        let orders = orders.fetch_all(&self.pool).await?;
        let suggestion = |id: Beginning| {
            let order = orders.iter().find(|order| order.order_key == id.order_key)?;
            Some(Suggestion {
                kind: id.kind,
                value: id.value,
                sender: order.sender.clone(),
                order_id: order.order_id.clone(),
                state: order.state.clone(),
            })
        };
        Ok(found.into_iter().filter_map(suggestion).take(limit.into()).collect())
    }

    /// The orders that have an id that begins with this text, with the kinds and ids that do.
    pub(super) async fn beginning(&self, begin: &str) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
        const MOST: i64 = 200;
        let rows = self.begin_so(begin, MOST).await?;
        let mut found: HashMap<Uuid, Vec<String>> = HashMap::new();
        for row in rows {
            found.entry(row.order_key).or_default().push(format!("{} {}", row.kind, row.value));
        }
        Ok(found)
    }

    /// Ids that begin with this text, or, where none does, with it and other zeros before it.
    async fn begin_so(&self, begin: &str, limit: i64) -> Result<Vec<Beginning>, StoreError> {
        let found = self.having_one_that_begins(&[begin.to_owned()], limit).await?;
        let others = with_other_zeros(begin);
        if found.is_empty() && !others.is_empty() {
            self.having_one_that_begins(&others, limit).await
        } else {
            Ok(found)
        }
    }

    /// Ids that begin with one of these texts, so many for each; those of events only where enough of it is given.
    async fn having_one_that_begins(&self, begins: &[String], limit: i64) -> Result<Vec<Beginning>, StoreError> {
        const SHORTEST_OF_EVENT: i32 = 6;
        // `like` with a bound pattern would not use the index in a plan that is made once for all patterns.
        let mut rows = sqlx::query_as!(
            Beginning,
            r#"select found.order_key as "order_key!", found.kind as "kind!", found.value as "value!"
               from unnest($1::text[]) as asked (id)
               cross join lateral (
                   (select order_key, kind, value from identifier
                    where lower(value) ~>=~ lower(asked.id) and lower(value) ~<~ (lower(asked.id) || $2)
                    order by lower(value) using ~<~ limit $3)
                   union all
                   (select order_key, 'event-id', event_id from delivery
                    where left(lower(event_id), 64) ~>=~ lower(asked.id)
                      and left(lower(event_id), 64) ~<~ (lower(asked.id) || $2)
                      and event_id is not null and char_length(asked.id) >= $4
                    order by left(lower(event_id), 64) using ~<~ limit $3)
               ) found"#,
            begins,
            LAST.to_string(),
            limit,
            SHORTEST_OF_EVENT
        )
        .fetch_all(&self.pool)
        .await?;
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert((row.order_key, row.kind.clone(), row.value.clone())));
        Ok(rows)
    }

    /// When what an order's timeline tells was received, as it is known now.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn moments(&self, key: OrderKey) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let moments =
            sqlx::query_scalar!("select distinct received_at from timeline_entry where order_key = $1", key.0);
        Ok(moments.fetch_all(&self.pool).await?)
    }

    /// The versions of these orders now; those that are not there are left out.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn versions(&self, keys: &[OrderKey]) -> Result<Vec<Version>, StoreError> {
        let bare: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = sqlx::query!("select order_key, claims from order_claim where order_key = any($1)", bare.as_slice());
        let rows = rows.fetch_all(&self.pool).await?.into_iter();
        Ok(rows.map(|row| Version { key: OrderKey(row.order_key), claims: row.claims }).collect())
    }
}
