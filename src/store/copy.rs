//! Rows on their way in and out by COPY, in PostgreSQL's binary form: half the server's work of an INSERT, for
//! tables that are only ever added to.

use futures_util::TryStreamExt;
use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};
use uuid::Uuid;

use super::StoreError;

const BEGIN: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: [u8; 2] = (-1_i16).to_be_bytes();

/// Rows of a table, each a value for every column.
#[derive(Debug)]
pub(super) struct Rows {
    statement: String,
    columns: i16,
    count: usize,
    buffer: PgArgumentBuffer,
}

impl Rows {
    /// `columns` as SQL lists them; they and the values must be of the same types, in the same order.
    pub fn of(table: &str, columns: &str) -> Self {
        let mut buffer = PgArgumentBuffer::default();
        buffer.extend_from_slice(BEGIN);
        Self {
            statement: format!("copy {table} ({columns}) from stdin (format binary)"),
            columns: columns.split(',').map(|_| 1).sum(),
            count: 0,
            buffer,
        }
    }

    /// Begins a row.
    pub fn row(&mut self) -> Row<'_> {
        self.count += 1;
        self.buffer.extend_from_slice(&self.columns.to_be_bytes());
        Row { buffer: &mut self.buffer }
    }

    /// The rows, those of an order one behind the other.
    ///
    /// # Errors
    /// None but of a mistake in this file.
    pub fn by_order(&self) -> Result<OrderedRows<'_>, StoreError> {
        OrderedRows::of(self.buffer.as_slice())
    }

    /// The same, with the rows of these orders only.
    pub fn only<'o>(&self, rows: impl IntoIterator<Item = &'o [u8]>) -> Self {
        let mut buffer = PgArgumentBuffer::default();
        buffer.extend_from_slice(BEGIN);
        let mut count = 0;
        for row in rows {
            count += 1;
            buffer.extend_from_slice(row);
        }
        Self { statement: self.statement.clone(), columns: self.columns, count, buffer }
    }

    /// Writes them, if there are any.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub async fn write(mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.count == 0 {
            return Ok(());
        }
        self.buffer.extend_from_slice(&END);
        let mut copy = connection.copy_in_raw(&self.statement).await?;
        copy.send(self.buffer.as_slice()).await?;
        copy.finish().await?;
        Ok(())
    }
}

/// The rows of these orders that are in a table, as COPY gives them.
///
/// # Errors
/// Where the database is not available.
pub(super) async fn read(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    keys: &[Uuid],
) -> Result<Vec<u8>, StoreError> {
    // COPY takes no parameters. Hexadecimal digits and hyphens are all that these can hold.
    let keys = keys.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let statement = format!(
        "copy (select {columns} from {table} where order_key = any('{{{keys}}}'::uuid[])) to stdout (format binary)"
    );
    let mut stream = connection.copy_out_raw(&statement).await?;
    let mut rows = Vec::new();
    while let Some(bytes) = stream.try_next().await? {
        rows.extend_from_slice(&bytes);
    }
    Ok(rows)
}

/// Rows in their binary form, sorted: by order, and within it by what else the primary key says, because its
/// columns are the first.
#[derive(Debug)]
pub(super) struct OrderedRows<'b> {
    rows: Vec<&'b [u8]>,
}

impl<'b> OrderedRows<'b> {
    /// Takes a stream of COPY apart.
    ///
    /// # Errors
    /// Where it is not one, or its rows do not begin with an order's key.
    pub fn of(stream: &'b [u8]) -> Result<Self, StoreError> {
        let mut rows = Vec::new();
        let mut rest = stream.strip_prefix(BEGIN).ok_or_else(no_rows)?;
        while !rest.is_empty() && !rest.starts_with(&END) {
            let length = fields(rest).try_fold(2, |length, field| Some(length + 4 + field?.map_or(0, <[u8]>::len)));
            let (row, further) = length.and_then(|length| rest.split_at_checked(length)).ok_or_else(no_rows)?;
            order_of(row).ok_or_else(no_rows)?;
            rows.push(row);
            rest = further;
        }
        rows.sort_unstable();
        Ok(Self { rows })
    }

    /// The orders with their rows.
    pub fn orders(&self) -> impl Iterator<Item = (Uuid, &[&'b [u8]])> {
        let of_order = |rows: &'_ [&'b [u8]]| rows.first().and_then(|row| order_of(row));
        let orders = self.rows.chunk_by(|one, next| order_of(one) == order_of(next));
        orders.filter_map(move |rows| Some((of_order(rows)?, rows)))
    }
}

fn no_rows() -> StoreError {
    StoreError::from(sqlx::Error::Protocol("COPY gave what are no rows of an order".to_owned()))
}

fn order_of(row: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(fields(row).next()???).ok()
}

/// The values of a row's columns, as far as it can be read: `Some(None)` is null, `None` is no value at all.
pub(super) fn fields(row: &[u8]) -> impl Iterator<Item = Option<Option<&[u8]>>> {
    let (count, mut rest) =
        row.split_first_chunk().map_or((0, row), |(count, rest)| (i16::from_be_bytes(*count), rest));
    (0..count).map(move |_| {
        let (length, after) = rest.split_first_chunk()?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            rest = after;
            return Some(None);
        }
        let (value, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        rest = after;
        Some(Some(value))
    })
}

/// A row that is being written.
pub(super) struct Row<'r> {
    buffer: &'r mut PgArgumentBuffer,
}

impl Row<'_> {
    /// The value of the next column.
    ///
    /// # Errors
    /// Where the value has no binary form, or one that is too large.
    pub fn value<'q>(self, value: impl Encode<'q, Postgres>) -> Result<Self, StoreError> {
        let begin = self.buffer.len();
        self.buffer.extend_from_slice(&(-1_i32).to_be_bytes());
        let is_null = value.encode(self.buffer).map_err(sqlx::Error::Encode)?;
        if matches!(is_null, IsNull::No) {
            let length = self.buffer.len() - begin - size_of::<i32>();
            let length = i32::try_from(length).map_err(|error| sqlx::Error::Encode(error.into()))?;
            if let Some(place) = self.buffer.get_mut(begin..begin + size_of::<i32>()) {
                place.copy_from_slice(&length.to_be_bytes());
            }
        }
        Ok(self)
    }

    /// An array of texts, as the next column: an empty one has no dimensions, as the server has it.
    ///
    /// # Errors
    /// Where it is too large.
    pub fn texts(self, values: &[String]) -> Result<Self, StoreError> {
        const LENGTH: i32 = 12;
        const DIMENSIONS: i32 = 0;
        const NULLS: i32 = 0;
        /// The type's number in every server.
        const TEXT: i32 = 25;
        if !values.is_empty() {
            return self.value(values);
        }
        for part in [LENGTH, DIMENSIONS, NULLS, TEXT] {
            self.buffer.extend_from_slice(&part.to_be_bytes());
        }
        Ok(self)
    }
}
