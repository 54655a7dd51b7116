//! How long orders are usually silent, learned from the feed's own history.

use super::{Store, StoreError};

impl Store {
    /// Learns anew how long items stay in a sub-status, by offering; gives the number of norms. A norm needs
    /// some history: below it the floor of the view `analytics.silent_orders` stands.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn learn_silence(&self) -> Result<u64, StoreError> {
        const ENOUGH: i64 = 20;
        let learned = sqlx::query!(
            "insert into silence_norm (offering_id, sub_status, p95, periods)
             select t.offering_id, t.sub_status, t.p95, t.periods
             from analytics.time_in_sub_status t
             where t.periods >= $1 and t.offering_id is not null and t.sub_status is not null
             on conflict on constraint silence_norm_pk do update set p95 = excluded.p95, periods = excluded.periods",
            ENOUGH
        )
        .execute(&self.pool)
        .await?;
        Ok(learned.rows_affected())
    }
}
