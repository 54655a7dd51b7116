//! What the spool asks: which deliveries are kept already, and whether the database takes any now.

use uuid::Uuid;

use super::{Store, StoreError};

impl Store {
    /// Those of the deliveries that are kept.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn kept(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar!("select delivery_id from delivery where delivery_id = any($1)", ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Whether the database answers and would take a write now.
    ///
    /// # Errors
    /// Where it would not: it is away, or read-only.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        let is_read_only =
            sqlx::query_scalar!(r#"select current_setting('transaction_read_only')::boolean as "is_read_only!""#)
                .fetch_one(&self.pool)
                .await?;
        if is_read_only { Err(StoreError::ReadOnly) } else { Ok(()) }
    }
}
