//! A number that stands for everything that is kept of orders.

use sqlx::AssertSqlSafe;

use super::tables::PROJECTION_TABLES;
use super::{Store, StoreError};

impl Store {
    /// A checksum over all deliveries (their bodies by their hashes) and all that is projected of them, as
    /// of one moment. It does not depend on the order in which rows are stored, so that a copy of the
    /// database has it too.
    ///
    /// It is made of the hashes that PostgreSQL gives of the rows, seeded by their tables and taken together bit by
    /// bit: another column makes another checksum. Hashing a row as it is costs a fifth of making a text of it.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn checksum(&self) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        let mut sum = 0_u64;
        for (seed, table) in ["delivery"].into_iter().chain(PROJECTION_TABLES).enumerate() {
            let select = format!("select coalesce(bit_xor(hash_record_extended(t, {seed})), 0) from {table} t");
            let of_table: i64 = sqlx::query_scalar(AssertSqlSafe(select)).fetch_one(&mut *transaction).await?;
            sum ^= of_table.cast_unsigned();
        }
        transaction.rollback().await?;
        Ok(sum)
    }
}
