//! Rows on their way in by COPY, in PostgreSQL's binary form: half the server's work of an INSERT, for
//! tables that are only ever added to.

use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

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
}
