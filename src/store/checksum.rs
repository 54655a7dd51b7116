//! A number that stands for everything that is kept of orders.

use sqlx::AssertSqlSafe;

use super::tables::PROJECTION_TABLES;
use super::{Store, StoreError};

impl Store {
    /// A checksum over all deliveries (their bodies by their hashes) and all that is projected of them, as
    /// of one moment. It does not depend on the order in which rows are stored, so that a copy of the
    /// database has it too.
    ///
    /// It is made of the sums of the hashes that PostgreSQL gives of the rows' texts, seeded by their
    /// tables: another column makes another checksum.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn checksum(&self) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        // What the text of a row depends on.
        sqlx::query(
            "select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
                 set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)",
        )
        .execute(&mut *transaction)
        .await?;
        let mut sum = 0_u64;
        for table in ["delivery"].into_iter().chain(PROJECTION_TABLES) {
            let select = format!(
                "select coalesce(mod(sum(hashtextextended(t::text, hashtext('{table}'))::numeric), 9223372036854775808),
                     0)::bigint
                 from {table} t"
            );
            let of_table: i64 = sqlx::query_scalar(AssertSqlSafe(select)).fetch_one(&mut *transaction).await?;
            sum = sum.wrapping_add_signed(of_table);
        }
        transaction.rollback().await?;
        Ok(sum)
    }
}
