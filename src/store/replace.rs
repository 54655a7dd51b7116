//! Orders made anew, beside the rows that are there: compared first, and only what is other is written.
//!
//! Rows are compared in the binary form of COPY, so that neither side is taken apart for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as JsonValue;
use uuid::Uuid;

use super::copy::{OrderedRows, Rows, fields, read};
use super::tables::{TABLES, Table};
use super::{Batch, OrderKey, Projection, StoreError};

/// The columns that hold JSON: the server writes it with spaces and an order of its own.
const JSON: [&str; 5] = ["characteristics", "from_value", "to_value", "message", "facts"];

impl Batch<'_> {
    /// Which of these orders have rows that are not those of their projections. An order without a
    /// projection is to have none.
    ///
    /// Where it is in doubt (a number written otherwise) an order is said to differ.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn differing(
        &mut self,
        keys: &[Uuid],
        projections: &[Projection],
    ) -> Result<BTreeSet<OrderKey>, StoreError> {
        let mut differing = BTreeSet::new();
        for table in TABLES {
            let differs = self.differing_in(table, keys, &table.rows(projections)?).await?;
            differing.extend(differs.into_iter().map(OrderKey));
        }
        Ok(differing)
    }

    /// Makes the rows of these orders those of their projections, and gives the orders where they were not. Of
    /// an order only the tables are written where it differs. An order without a projection loses its rows.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub async fn replace(
        &mut self,
        keys: &[Uuid],
        projections: &[Projection],
    ) -> Result<BTreeSet<OrderKey>, StoreError> {
        let mut replaced = BTreeSet::new();
        for table in TABLES {
            let rows = table.rows(projections)?;
            let differing = self.differing_in(table, keys, &rows).await?;
            if differing.is_empty() {
                continue;
            }
            let delete = format!("delete from {} where order_key = any($1)", table.name);
            let keys: Vec<Uuid> = differing.iter().copied().collect();
            sqlx::query(sqlx::AssertSqlSafe(delete)).bind(keys).execute(&mut *self.transaction).await?;
            let ordered = rows.by_order()?;
            let other = ordered.orders().filter(|(key, _)| differing.contains(key)).flat_map(|(_, rows)| rows);
            rows.only(other.copied()).write(&mut self.transaction).await?;
            replaced.extend(differing.into_iter().map(OrderKey));
        }
        Ok(replaced)
    }

    async fn differing_in(&mut self, table: &Table, keys: &[Uuid], rows: &Rows) -> Result<BTreeSet<Uuid>, StoreError> {
        let live = read(&mut self.transaction, table.name, table.columns, keys).await?;
        let (live, made) = (OrderedRows::of(&live)?, rows.by_order()?);
        let is_json: Vec<bool> = table.columns.split(',').map(|column| JSON.contains(&column.trim())).collect();
        let mut live: BTreeMap<Uuid, &[&[u8]]> = live.orders().collect();
        let mut differing = BTreeSet::new();
        for (key, made) in made.orders() {
            let live = live.remove(&key).unwrap_or_default();
            if live.len() != made.len() || !live.iter().zip(made).all(|(live, made)| is_same(live, made, &is_json)) {
                differing.insert(key);
            }
        }
        differing.extend(live.into_keys());
        Ok(differing)
    }
}

fn is_same(live: &[u8], made: &[u8], is_json: &[bool]) -> bool {
    live == made
        || fields(live).zip(fields(made)).zip(is_json).all(|((live, made), is_json)| match (live, made) {
            (Some(Some(live)), Some(Some(made))) => live == made || (*is_json && is_same_json(live, made)),
            (live, made) => live == made,
        })
}

/// Both begin with the number of the form.
fn is_same_json(live: &[u8], made: &[u8]) -> bool {
    let parse = |value: &[u8]| serde_json::from_slice::<JsonValue>(value.split_first()?.1).ok();
    parse(live).is_some_and(|live| Some(live) == parse(made))
}
