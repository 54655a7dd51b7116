//! How long orders are usually silent, learned from the feed's own history.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgConnection;

use super::{Store, StoreError};
use crate::order::{Order, has_ended, silence};
use crate::record::{AttentionRecord, OrderRecord};

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

/// Adds that the order is silent for too long, if it was at `at`, by what is usual now. The same rule as
/// `analytics.silent_orders` has for all orders.
///
/// # Errors
/// Where the database is not available.
pub(super) async fn add_silence(
    connection: &mut PgConnection,
    record: &mut OrderRecord,
    order: &Order,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let floor = TimeDelta::days(7);
    let last_event_at = record.head.last_event_at;
    if silence(order, last_event_at, floor, at).is_none() {
        return Ok(());
    }
    let going_on = order.items.values().filter(|item| item.state.as_deref().is_some_and(|state| !has_ended(state)));
    let (offerings, sub_statuses): (Vec<String>, Vec<String>) =
        going_on.filter_map(|item| Some((item.offering.clone()?, item.sub_status.clone()?))).unzip();
    let usual = sqlx::query_scalar!(
        "select extract(epoch from max(n.p95))::bigint
         from unnest($1::text[], $2::text[]) as i (offering_id, sub_status)
         join silence_norm n on n.offering_id = i.offering_id and n.sub_status = i.sub_status",
        &offerings,
        &sub_statuses
    )
    .fetch_one(connection)
    .await?;
    let usual = usual.and_then(TimeDelta::try_seconds).unwrap_or(floor);
    record.attention.extend(silence(order, last_event_at, usual.max(floor), at).map(AttentionRecord::from));
    Ok(())
}
