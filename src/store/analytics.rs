//! The analysts' views: which there are, and their rows as a stream.
//!
//! Names of views and columns are taken from the catalogue, never from a user, and quoted.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::postgres::{PgPoolCopyExt, PgRow};
use sqlx::{AssertSqlSafe, Row};

use super::{Store, StoreError};

/// A view of the schema `analytics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub name: String,
    /// What a row is.
    pub comment: Option<String>,
}

/// A column of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

/// What a column's values are given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// JSON text; arrays too.
    Json,
    Boolean,
    Integer,
    BigInteger,
    Double,
    /// Microseconds since 1970 in UTC.
    Timestamp,
    /// Days since 1970.
    Date,
}

/// A value, of the form that its column's kind says.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Text(String),
    Boolean(bool),
    Integer(i32),
    BigInteger(i64),
    Double(f64),
}

impl Store {
    /// The views, by name.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn views(&self) -> Result<Vec<View>, StoreError> {
        let views = sqlx::query_as!(
            View,
            r#"select c.relname::text as "name!", obj_description(c.oid, 'pg_class') as comment
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'analytics' and c.relkind in ('v', 'm') order by c.relname"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(views)
    }

    /// The columns of a view, in their order.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn columns(&self, view: &View) -> Result<Vec<Column>, StoreError> {
        let rows = sqlx::query!(
            r#"select a.attname::text as "name!", t.typname::text as "type_name!", t.typelem <> 0 and t.typlen = -1 as "is_array!"
               from pg_attribute a
               join pg_class c on c.oid = a.attrelid
               join pg_namespace n on n.oid = c.relnamespace
               join pg_type t on t.oid = a.atttypid
               where n.nspname = 'analytics' and c.relname = $1 and a.attnum > 0 and not a.attisdropped
               order by a.attnum"#,
            view.name
        )
        .fetch_all(&self.pool)
        .await?;
        let kind = |type_name: &str, is_array| match type_name {
            _ if is_array => ColumnKind::Json,
            "json" | "jsonb" => ColumnKind::Json,
            "bool" => ColumnKind::Boolean,
            "int2" | "int4" => ColumnKind::Integer,
            "int8" => ColumnKind::BigInteger,
            "float4" | "float8" | "numeric" => ColumnKind::Double,
            "timestamptz" => ColumnKind::Timestamp,
            "date" => ColumnKind::Date,
            _ => ColumnKind::Text,
        };
        Ok(rows.into_iter().map(|row| Column { kind: kind(&row.type_name, row.is_array), name: row.name }).collect())
    }

    /// About how many rows a view has, as the planner guesses.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn about_rows(&self, view: &View) -> Result<u64, StoreError> {
        let explain = format!("explain (format json) select * from analytics.{}", quoted(&view.name));
        let plan: serde_json::Value = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&self.pool).await?;
        Ok(plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_u64).unwrap_or(0))
    }

    /// A view's rows as CSV, as PostgreSQL writes it: the header first, then a piece a row. Times are UTC.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn csv(
        &self,
        view: &View,
    ) -> Result<BoxStream<'static, Result<impl AsRef<[u8]> + use<>, StoreError>>, StoreError> {
        let copy = format!("copy (select * from analytics.{}) to stdout with (format csv, header)", quoted(&view.name));
        let pieces = self.pool.copy_out_raw(&copy).await?;
        Ok(pieces.map_err(StoreError::from).boxed())
    }

    /// A view's rows. The database hands them over as they are asked for.
    pub fn rows<'s>(&'s self, view: &View, columns: &[Column]) -> BoxStream<'s, Result<Vec<Cell>, StoreError>> {
        let expressions: Vec<String> = columns.iter().map(expression).collect();
        let select = format!("select {} from analytics.{}", expressions.join(", "), quoted(&view.name));
        let kinds: Vec<ColumnKind> = columns.iter().map(|column| column.kind).collect();
        let rows = sqlx::query(AssertSqlSafe(select)).fetch(&self.pool);
        rows.map(move |row| Ok(cells(&row?, &kinds)?)).boxed()
    }
}

/// A column as a value of the few types that [`Cell`] holds.
fn expression(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.kind {
        ColumnKind::Text => format!("{name}::text"),
        ColumnKind::Json => format!("to_jsonb({name})::text"),
        ColumnKind::Boolean => name,
        ColumnKind::Integer => format!("{name}::integer"),
        ColumnKind::BigInteger => format!("{name}::bigint"),
        ColumnKind::Double => format!("{name}::double precision"),
        ColumnKind::Timestamp => {
            format!("case when isfinite({name}) then (extract(epoch from {name}) * 1000000)::bigint end")
        }
        ColumnKind::Date => format!("case when isfinite({name}) then {name} - date '1970-01-01' end"),
    }
}

fn cells(row: &PgRow, kinds: &[ColumnKind]) -> Result<Vec<Cell>, sqlx::Error> {
    let cell = |(at, kind): (usize, &ColumnKind)| {
        let cell = match kind {
            ColumnKind::Text | ColumnKind::Json => row.try_get::<Option<String>, _>(at)?.map(Cell::Text),
            ColumnKind::Boolean => row.try_get::<Option<bool>, _>(at)?.map(Cell::Boolean),
            ColumnKind::Integer | ColumnKind::Date => row.try_get::<Option<i32>, _>(at)?.map(Cell::Integer),
            ColumnKind::BigInteger | ColumnKind::Timestamp => row.try_get::<Option<i64>, _>(at)?.map(Cell::BigInteger),
            ColumnKind::Double => row.try_get::<Option<f64>, _>(at)?.map(Cell::Double),
        };
        Ok(cell.unwrap_or(Cell::Null))
    };
    kinds.iter().enumerate().map(cell).collect()
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
