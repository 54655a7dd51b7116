//! What operators count: for metrics, now and then.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

/// Counts of what a person may have to look at.
#[derive(Clone, Debug, Default)]
pub struct Census {
    pub quarantined: i64,
    /// Values that the vocabulary does not know, each once.
    pub unknown_values: i64,
    /// When the last event that counts was received, by sender.
    pub last_deliveries: Vec<(String, DateTime<Utc>)>,
}

impl Store {
    /// Counts.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn census(&self) -> Result<Census, StoreError> {
        let quarantined = sqlx::query_scalar!(r#"select count(*) as "n!" from delivery where outcome = 'quarantined'"#);
        let unknown = sqlx::query_scalar!(r#"select count(*) as "n!" from analytics.unknown_values"#);
        let last = sqlx::query!(
            r#"select sender, max(last_received_at) as "last!" from product_order group by sender order by sender"#
        );
        Ok(Census {
            quarantined: quarantined.fetch_one(&self.pool).await?,
            unknown_values: unknown.fetch_one(&self.pool).await?,
            last_deliveries: last.fetch_all(&self.pool).await?.into_iter().map(|row| (row.sender, row.last)).collect(),
        })
    }
}
