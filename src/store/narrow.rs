//! Narrow copies of what analysts ask of all orders at once: a timeline entry is wide, and there are many.

use super::copy::Rows;
use super::{Batch, Projection, StoreError};

impl Batch<'_> {
    /// Items' states and sub-statuses. Those that were kept before end where others begin.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub(super) async fn write_versions(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        self.end_versions(projections).await?;
        let columns = "order_key, item_id, event_position, ordinal, state, sub_status, valid_from, valid_to";
        let mut rows = Rows::of("item_version", columns);
        for Projection { key, plan, .. } in projections {
            for version in &plan.versions.begun {
                rows.row()
                    .value(key.0)?
                    .value(&version.item_id)?
                    .value(version.event_position)?
                    .value(version.ordinal)?
                    .value(&version.state)?
                    .value(&version.sub_status)?
                    .value(version.valid_from)?
                    .value(version.valid_to)?;
            }
        }
        rows.write(&mut self.transaction).await
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

    /// What entries are counted by.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub(super) async fn write_values(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let columns = "order_key, event_position, ordinal, part, kind, value, item_id, at, missed";
        let mut rows = Rows::of("entry_value", columns);
        for Projection { key, plan, .. } in projections {
            for value in &plan.values {
                rows.row()
                    .value(key.0)?
                    .value(value.event_position)?
                    .value(value.ordinal)?
                    .value(value.part)?
                    .value(value.kind)?
                    .value(&value.value)?
                    .value(&value.item_id)?
                    .value(value.at)?
                    .value(&value.missed)?;
            }
        }
        rows.write(&mut self.transaction).await
    }
}
