//! What operators count: for metrics, now and then.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

/// Counts of what a person may have to look at.
#[derive(Clone, Debug, Default)]
pub struct Census {
    pub quarantined: i64,
    /// Values that the vocabulary does not know, each once.
    pub unknown_values: i64,
    /// When the last delivery that says something of an order was received, by sender.
    pub last_deliveries: Vec<(String, DateTime<Utc>)>,
    /// Senders of which nothing is let in: nobody waits for them.
    pub disabled: Vec<String>,
    /// Those that are awaited, and when they were set up, or were last set up otherwise.
    pub set_up: Vec<(String, DateTime<Utc>)>,
}

impl Store {
    /// Counts.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn census(&self) -> Result<Census, StoreError> {
        let quarantined = sqlx::query_scalar!(r#"select count(*) as "n!" from delivery where outcome = 'quarantined'"#);
        let unknown = sqlx::query_scalar!(r#"select count(*) as "n!" from analytics.unknown_values"#);
        let disabled = sqlx::query_scalar!("select sender from sender where not enabled order by sender");
        let disabled = disabled.fetch_all(&self.pool).await?;
        let set_up = sqlx::query!("select sender, changed_at from sender where enabled and set_up order by sender");
        let set_up = set_up.fetch_all(&self.pool).await?;
        let mut last_deliveries = Vec::new();
        for sender in self.senders_heard().await?.into_iter().filter(|sender| !disabled.contains(sender)) {
            let last = sqlx::query_scalar!(
                "select received_at from delivery where sender = $1 and outcome <> 'quarantined'
                 order by received_at desc limit 1",
                sender
            );
            last_deliveries.extend(last.fetch_optional(&self.pool).await?.map(|last| (sender, last)));
        }
        Ok(Census {
            quarantined: quarantined.fetch_one(&self.pool).await?,
            unknown_values: unknown.fetch_one(&self.pool).await?,
            last_deliveries,
            disabled,
            set_up: set_up.into_iter().map(|row| (row.sender, row.changed_at)).collect(),
        })
    }
}
