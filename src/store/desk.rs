//! What the pages ask beside the orders themselves: digests for lists, ids by their beginning, versions.

use std::collections::HashMap;

use uuid::Uuid;

use super::batch::KeptFold;
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

    /// The ids that begin with this text, in their order, each with an order that has it.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn suggestions(&self, begin: &str, limit: u16) -> Result<Vec<Suggestion>, StoreError> {
        // `like` with a bound pattern would not use the index in a plan that is made once for all patterns.
        let suggestions = sqlx::query_as!(
            Suggestion,
            "select i.kind, i.value, o.sender, o.order_id, o.state
             from (select order_key, kind, value from identifier
                   where value ~>=~ $1 and value ~<~ $2
                   order by value using ~<~ limit $3) i
             join product_order o on o.order_key = i.order_key
             order by i.value using ~<~, o.last_event_at desc, i.kind",
            begin,
            format!("{begin}{LAST}"),
            i64::from(limit)
        );
        Ok(suggestions.fetch_all(&self.pool).await?)
    }

    /// The orders that have an id that begins with this text, with the kinds and ids that do.
    pub(super) async fn beginning(&self, begin: &str) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
        const MOST: i64 = 200;
        let rows = sqlx::query!(
            "select order_key, kind, value from identifier where value ~>=~ $1 and value ~<~ $2
             order by value using ~<~ limit $3",
            begin,
            format!("{begin}{LAST}"),
            MOST
        )
        .fetch_all(&self.pool)
        .await?;
        let mut found: HashMap<Uuid, Vec<String>> = HashMap::new();
        for row in rows {
            found.entry(row.order_key).or_default().push(format!("{} {}", row.kind, row.value));
        }
        Ok(found)
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
