//! How long orders are usually silent, learned from the feed's own history.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sqlx::postgres::PgConnection;

use super::{Store, StoreError};
use crate::order::{Order, has_ended, silence};
use crate::record::{AttentionRecord, OrderRecord};

impl Store {
    /// Learns anew how long items stay in a sub-status, whatever its spelling, by offering; gives the number of norms.
    /// It reads all that the feed has told: seconds where there is much of it.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn learn_silence(&self) -> Result<u64, StoreError> {
        let learned_at = Utc::now().trunc_subsecs(6);
        let learned = sqlx::query!(
            r#"insert into silence_norm (offering_id, sub_status, p95, periods, median, running, learned_at)
             select coalesce(i.offering_id, ''), min(e.to_value #>> '{}' collate "C"),
                 percentile_cont(0.95) within group (order by e.valid_to - e.at), count(e.valid_to),
                 percentile_cont(0.5) within group (order by e.valid_to - e.at),
                 count(*) filter (where e.valid_to is null and not coalesce(has_ended(i.state), false)),
                 $1::timestamptz
             from timeline_entry e
             join product_order_item i on i.order_key = e.order_key and i.item_id = e.item_ids[1]
             where e.kind = 'item-sub-status' and e.to_value #>> '{}' is not null
             group by coalesce(i.offering_id, ''), compared(e.to_value #>> '{}')
             on conflict on constraint silence_norm_pk do update set
                 p95 = excluded.p95, periods = excluded.periods, median = excluded.median, running = excluded.running,
                 learned_at = excluded.learned_at"#,
            learned_at
        )
        .execute(&self.pool)
        .await?;
        // What the feed no longer says, after a rebuild.
        sqlx::query!("delete from silence_norm where learned_at is null or learned_at < $1", learned_at)
            .execute(&self.pool)
            .await?;
        Ok(learned.rows_affected())
    }

    /// The same where it was not learned for so long.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn learn_silence_if_older(&self, age: TimeDelta) -> Result<(), StoreError> {
        let last = sqlx::query_scalar!("select max(learned_at) from silence_norm").fetch_one(&self.pool).await?;
        if last.is_none_or(|last| Utc::now() - last >= age) {
            self.learn_silence().await?;
        }
        Ok(())
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
    let moved_at = record.head.moved_at();
    if silence(order, moved_at, floor, at).is_none() {
        return Ok(());
    }
    let going_on = order.items.values().filter(|item| item.state.as_deref().is_some_and(|state| !has_ended(state)));
    let (offerings, sub_statuses): (Vec<String>, Vec<String>) =
        going_on.filter_map(|item| Some((item.offering.clone().unwrap_or_default(), item.sub_status.clone()?))).unzip();
    let usual = sqlx::query_scalar!(
        "select extract(epoch from max(n.p95))::bigint
         from unnest($1::text[], $2::text[]) as i (offering_id, sub_status)
         join silence_norm n on n.offering_id = i.offering_id and n.compared = compared(i.sub_status) and n.periods >= 20",
        &offerings,
        &sub_statuses
    )
    .fetch_one(connection)
    .await?;
    let usual = usual.and_then(TimeDelta::try_seconds).unwrap_or(floor);
    record.attention.extend(silence(order, moved_at, usual.max(floor), at).map(AttentionRecord::from));
    Ok(())
}
