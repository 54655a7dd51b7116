//! Narrow copies of what analysts ask of all orders at once: a timeline entry is wide, and there are many.

use super::tables::ITEM_VERSION;
use super::{Batch, Projection, StoreError};

impl Batch<'_> {
    /// Items' states and sub-statuses. Those that were kept before end where others begin.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub(super) async fn write_versions(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        self.end_versions(projections).await?;
        self.copy(&ITEM_VERSION, projections).await
    }

    async fn end_versions(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut items, mut ends) = (vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for (item, at) in &plan.versions.ended {
                keys.push(key.0);
                items.push(item.as_str());
                ends.push(*at);
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "update item_version v set valid_to = batch.valid_to
             from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as batch (order_key, item_id, valid_to)
             where v.order_key = batch.order_key and v.item_id = batch.item_id and v.valid_to is null",
            &keys,
            &items as &[&str],
            &ends,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}
