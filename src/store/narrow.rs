//! Narrow copies of what analysts ask of all orders at once: a timeline entry is wide, and there are many.

use chrono::{DateTime, Utc};

use super::{Batch, Projection, StoreError};

impl Batch<'_> {
    /// Items' states and sub-statuses. Those that were kept before end where others begin.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub(super) async fn write_versions(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        self.end_versions(projections).await?;
        let (mut keys, mut items, mut positions, mut ordinals) = (vec![], vec![], vec![], vec![]);
        let (mut states, mut sub_statuses, mut from, mut to) = (vec![], vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for version in &plan.versions.begun {
                keys.push(key.0);
                items.push(version.item_id.clone());
                positions.push(version.event_position);
                ordinals.push(version.ordinal);
                states.push(version.state.clone());
                sub_statuses.push(version.sub_status.clone());
                from.push(version.valid_from);
                to.push(version.valid_to);
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into item_version (order_key, item_id, event_position, ordinal, state, sub_status, valid_from, valid_to)
             select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::text[], $6::text[],
                 $7::timestamptz[], $8::timestamptz[])",
            &keys,
            &items,
            &positions,
            &ordinals,
            &states as &[Option<String>],
            &sub_statuses as &[Option<String>],
            &from,
            &to as &[Option<DateTime<Utc>>],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn end_versions(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut items, mut ends) = (vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for (item, at) in &plan.versions.ended {
                keys.push(key.0);
                items.push(item.clone());
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
            &items,
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
        let (mut keys, mut positions, mut ordinals, mut parts) = (vec![], vec![], vec![], vec![]);
        let (mut kinds, mut values, mut items, mut times, mut missed) = (vec![], vec![], vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for value in &plan.values {
                keys.push(key.0);
                positions.push(value.event_position);
                ordinals.push(value.ordinal);
                parts.push(value.part);
                kinds.push(value.kind.to_owned());
                values.push(value.value.clone());
                items.push(value.item_id.clone());
                times.push(value.at);
                missed.push(value.missed.clone());
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into entry_value (order_key, event_position, ordinal, part, kind, value, item_id, at, missed)
             select * from unnest($1::uuid[], $2::bigint[], $3::integer[], $4::integer[], $5::text[], $6::text[],
                 $7::text[], $8::timestamptz[], $9::text[])",
            &keys,
            &positions,
            &ordinals,
            &parts,
            &kinds,
            &values as &[Option<String>],
            &items as &[Option<String>],
            &times,
            &missed as &[Option<String>],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}
