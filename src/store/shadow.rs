//! Empty copies of the tables, to make orders anew beside the live rows and compare.
//!
//! The copies are temporary tables of the same names: in their connection the names stand for them, so the
//! very statements that write the live tables write the copies. Orders are made anew there in a transaction
//! that is **read only** – the database itself refuses it everything but temporary tables – and that sees
//! deliveries and live rows as of one moment. So a check takes no locks, waits for nobody, is waited for by
//! nobody, and leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value as JsonValue};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::tables::PROJECTION_TABLES;
use super::{Batch, Store, StoreError};

/// What is copied before orders are made anew: their deliveries, because reading them anew changes rows.
const FACTS: [&str; 2] = ["delivery", "delivery_body"];

/// A connection with copies of the tables.
#[derive(Debug)]
pub struct Shadow {
    connection: PgConnection,
    tables: Tables,
}

/// The tables of a shadow.
#[derive(Clone, Debug)]
pub struct Tables(Arc<[Table]>);

#[derive(Debug)]
struct Table {
    name: &'static str,
    /// The live table's name with its schema.
    live: String,
    /// The columns of the primary key.
    key: Vec<String>,
    /// The columns that are not made of others.
    stated: String,
}

/// A value, or a whole row, that is not what making the order anew gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    pub table: &'static str,
    pub order_key: Uuid,
    pub sender: Option<String>,
    pub order_id: Option<String>,
    /// The row's key within its order.
    pub key: BTreeMap<String, JsonValue>,
    /// `None` where there is a row on one side only.
    pub column: Option<String>,
    pub live: Option<JsonValue>,
    pub rebuilt: Option<JsonValue>,
}

impl Store {
    /// Opens a connection and makes the copies there.
    ///
    /// # Errors
    /// Where the database is not available, or does not let the user make temporary tables.
    pub async fn shadow(&self) -> Result<Shadow, StoreError> {
        let mut connection = self.pool.acquire().await?.detach();
        let mut tables = Vec::new();
        for name in FACTS.into_iter().chain(PROJECTION_TABLES) {
            tables.push(Table::copied(name, &mut connection).await?);
        }
        Ok(Shadow { connection, tables: Tables(tables.into()) })
    }
}

impl Shadow {
    /// Begins a transaction in which these orders have their deliveries and no projection.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn begin(&mut self, keys: &[Uuid]) -> Result<(Batch<'_>, Tables), StoreError> {
        let transaction = self.connection.begin_with("begin isolation level repeatable read read only").await?;
        let mut batch = Batch { transaction };
        batch.plan_simply().await?;
        for table in self.tables.0.iter().filter(|table| FACTS.contains(&table.name)) {
            let Table { name, live, stated, .. } = table;
            let copy =
                format!("insert into pg_temp.{name} ({stated}) select {stated} from {live} where order_key = any($1)");
            sqlx::query(AssertSqlSafe(copy)).bind(keys).execute(&mut *batch.transaction).await?;
        }
        Ok((batch, self.tables.clone()))
    }
}

impl Table {
    async fn copied(name: &'static str, connection: &mut PgConnection) -> Result<Self, StoreError> {
        let live: String = sqlx::query_scalar(
            "select format('%I.%I', n.nspname, c.relname)
             from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)",
        )
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
        let key: Vec<String> = sqlx::query_scalar(
            "select a.attname::text
             from pg_constraint c
             cross join unnest(c.conkey) with ordinality as k (attnum, place)
             join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
             where c.conrelid = $1::regclass and c.contype = 'p' order by k.place",
        )
        .bind(&live)
        .fetch_all(&mut *connection)
        .await?;
        let stated: String = sqlx::query_scalar(
            "select string_agg(format('%I', attname), ', ' order by attnum) from pg_attribute
             where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        )
        .bind(&live)
        .fetch_one(&mut *connection)
        .await?;
        let constraints: Vec<String> = sqlx::query_scalar(
            "select format('alter table pg_temp.%I add constraint %I %s', $2, conname, pg_get_constraintdef(oid))
             from pg_constraint where conrelid = $1::regclass and contype in ('p', 'u')",
        )
        .bind(&live)
        .bind(name)
        .fetch_all(&mut *connection)
        .await?;
        let create = format!(
            "create temporary table {name} (like {live} including defaults including generated including constraints)
             on commit delete rows"
        );
        for statement in [create].into_iter().chain(constraints) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
        Ok(Self { name, live, key, stated })
    }

    /// What tells the rows of a table apart. A delivery may be kept under another key than before.
    fn identity(&self) -> impl Iterator<Item = &String> {
        self.key.iter().filter(|column| self.name != "delivery" || *column != "order_key")
    }
}

impl Batch<'_> {
    /// How the live rows of these orders differ from those that were made anew, in a shadow.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn differences(&mut self, tables: &Tables, keys: &[Uuid]) -> Result<Vec<Difference>, StoreError> {
        let mut differences = Vec::new();
        for table in tables.0.iter().filter(|table| table.name != "delivery_body") {
            let Table { name, live, .. } = table;
            let select = format!(
                "with live as (select * from {live} where order_key = any($1)),
                     rebuilt as (select * from pg_temp.{name} where order_key = any($1))
                 select true, to_jsonb(l) from (select * from live except all select * from rebuilt) l
                 union all
                 select false, to_jsonb(r) from (select * from rebuilt except all select * from live) r"
            );
            let rows: Vec<(bool, JsonValue)> =
                sqlx::query_as(AssertSqlSafe(select)).bind(keys).fetch_all(&mut *self.transaction).await?;
            differences.extend(compare(table, rows));
        }
        if !differences.is_empty() {
            self.name_orders(tables, &mut differences).await?;
        }
        Ok(differences)
    }

    /// Puts the orders' own ids to their differences.
    async fn name_orders(&mut self, tables: &Tables, differences: &mut [Difference]) -> Result<(), StoreError> {
        let Some(orders) = tables.0.iter().find(|table| table.name == "product_order") else { return Ok(()) };
        let keys: BTreeSet<Uuid> = differences.iter().map(|difference| difference.order_key).collect();
        let select = format!(
            "select order_key, sender, order_id from {} where order_key = any($1)
             union all select order_key, sender, order_id from pg_temp.product_order where order_key = any($1)",
            orders.live
        );
        let rows: Vec<(Uuid, String, String)> = sqlx::query_as(AssertSqlSafe(select))
            .bind(keys.into_iter().collect::<Vec<_>>())
            .fetch_all(&mut *self.transaction)
            .await?;
        let names: HashMap<Uuid, (String, String)> =
            rows.into_iter().map(|(key, sender, order)| (key, (sender, order))).collect();
        for difference in differences {
            (difference.sender, difference.order_id) = names.get(&difference.order_key).cloned().unzip();
        }
        Ok(())
    }
}

/// Rows of one side and of the other, told apart by their keys; equal ones are not among them.
fn compare(table: &Table, rows: Vec<(bool, JsonValue)>) -> Vec<Difference> {
    let mut pairs: BTreeMap<String, (Option<Row>, Option<Row>)> = BTreeMap::new();
    for (is_live, row) in rows {
        let JsonValue::Object(row) = row else { continue };
        let identity: Vec<Option<&JsonValue>> = table.identity().map(|column| row.get(column)).collect();
        let pair = pairs.entry(serde_json::json!(identity).to_string()).or_default();
        if is_live { pair.0 = Some(row) } else { pair.1 = Some(row) }
    }
    pairs.into_values().flat_map(|(live, rebuilt)| of_row(table, live, rebuilt)).collect()
}

type Row = Map<String, JsonValue>;

fn of_row(table: &Table, live: Option<Row>, rebuilt: Option<Row>) -> Vec<Difference> {
    let Some(either) = rebuilt.as_ref().or(live.as_ref()) else { return Vec::new() };
    let text = |column: &str| either.get(column).and_then(JsonValue::as_str);
    let within_order = table.key.iter().filter(|column| *column != "order_key");
    let difference = Difference {
        table: table.name,
        order_key: text("order_key").and_then(|key| key.parse().ok()).unwrap_or_default(),
        sender: None,
        order_id: None,
        key: within_order.filter_map(|column| Some((column.clone(), either.get(column)?.clone()))).collect(),
        column: None,
        live: None,
        rebuilt: None,
    };
    match (live, rebuilt) {
        (Some(live), Some(rebuilt)) => {
            let other = rebuilt.into_iter().filter(|(column, value)| live.get(column) != Some(value));
            let of_column = |(column, value): (String, JsonValue)| Difference {
                live: live.get(&column).cloned(),
                column: Some(column),
                rebuilt: Some(value),
                ..difference.clone()
            };
            other.map(of_column).collect()
        }
        (live, rebuilt) => vec![Difference {
            live: live.map(JsonValue::Object),
            rebuilt: rebuilt.map(JsonValue::Object),
            ..difference
        }],
    }
}
