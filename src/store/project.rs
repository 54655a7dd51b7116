//! Writing what a batch changes: one statement for each table, whatever the number of orders.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::batch::FOLD_VERSION;
use super::tables::{ENTRY_VALUE, EVENT, PAST_ENTRY, PROJECTION_TABLES, TIMELINE_ENTRY, Table};
use super::{Batch, OrderKey, StoreError};
use crate::intake::{Extent, KeptOutcome, Plan};
use crate::order::Moment;
use crate::record::ItemRecord;

/// A plan with the order that it is for.
#[derive(Debug)]
pub struct Projection {
    pub key: OrderKey,
    pub sender: String,
    pub order_id: String,
    pub plan: Plan,
}

impl Projection {
    /// The state of the fold, as it is kept.
    ///
    /// # Errors
    /// Where it has no such form.
    pub(super) fn fold(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.plan.timeline.encode().map_err(|error| sqlx::Error::Encode(Box::new(error)))?)
    }
}

impl Batch<'_> {
    /// Writes the plans. Of orders that are replaced as a whole, what is there goes first.
    ///
    /// # Errors
    /// Where the database is not available or refuses a value.
    pub async fn project(&mut self, projections: &[Projection]) -> Result<(), StoreError> {
        let changes_something = |one: &&Projection| one.plan.extent == Extent::Whole || !one.plan.contents.is_empty();
        let changed: Vec<&Projection> = projections.iter().filter(changes_something).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let anew: Vec<&Projection> = changed.iter().copied().filter(|one| one.plan.extent == Extent::Whole).collect();
        if !anew.is_empty() {
            self.clear(&anew.iter().map(|one| one.key.0).collect::<Vec<_>>()).await?;
            self.correct_outcomes(&anew).await?;
        }
        self.copy(&EVENT, &changed).await?;
        self.write_orders(&changed).await?;
        self.write_items(&changed).await?;
        self.end_entries(&changed).await?;
        self.copy(&TIMELINE_ENTRY, &changed).await?;
        self.write_versions(&changed).await?;
        self.copy(&ENTRY_VALUE, &changed).await?;
        // What was known once. Late events are rare, and so is this.
        self.copy(&PAST_ENTRY, &anew).await?;
        self.write_attention(&changed).await?;
        self.write_unknown(&changed).await?;
        self.write_identifiers(&changed).await
    }

    /// Takes all that is projected of the orders away.
    ///
    /// # Errors
    /// Where the database is not available.
    async fn clear(&mut self, keys: &[Uuid]) -> Result<(), StoreError> {
        for table in PROJECTION_TABLES {
            let delete = format!("delete from {table} where order_key = any($1)");
            sqlx::query(sqlx::AssertSqlSafe(delete)).bind(keys).execute(&mut *self.transaction).await?;
        }
        Ok(())
    }

    /// The outcome of an earlier delivery changes where a later one turns out to have been received first.
    async fn correct_outcomes(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut ids, mut outcomes, mut related) = (vec![], vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for (id, outcome) in &plan.outcomes {
                let kept = KeptOutcome::from(*outcome);
                keys.push(key.0);
                ids.push(*id);
                outcomes.push(kept.outcome.name());
                related.push(kept.related);
            }
        }
        sqlx::query!(
            "update delivery d set outcome = batch.outcome, related_delivery_id = batch.related
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as batch (order_key, id, outcome, related)
             where d.order_key = batch.order_key and d.delivery_id = batch.id
               and (d.outcome, d.related_delivery_id) is distinct from (batch.outcome, batch.related)",
            &keys,
            &ids,
            &outcomes as &[&str],
            &related as &[Option<Uuid>],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Adds rows to a table that is only ever added to.
    pub(super) async fn copy(&mut self, table: &Table, projections: &[&Projection]) -> Result<(), StoreError> {
        table.rows(projections.iter().copied())?.write(&mut self.transaction).await
    }

    async fn write_orders(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let mut rows = OrderRows::default();
        for projection in projections {
            rows.push(projection)?;
        }
        sqlx::query!(
            "insert into product_order (order_key, sender, order_id, external_id, state, state_reason, first_event_at,
                 last_event_at, last_received_at, events, fold, fold_version)
             select batch.*, $12::integer
             from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                 $8::timestamptz[], $9::timestamptz[], $10::bigint[], $11::bytea[]) as batch
             on conflict on constraint product_order_pk do update set
                 external_id = excluded.external_id, state = excluded.state, state_reason = excluded.state_reason,
                 first_event_at = excluded.first_event_at, last_event_at = excluded.last_event_at,
                 last_received_at = excluded.last_received_at, events = excluded.events, fold = excluded.fold,
                 fold_version = excluded.fold_version",
            &rows.keys,
            &rows.senders as &[&str],
            &rows.order_ids as &[&str],
            &rows.external_ids as &[Option<&str>],
            &rows.states as &[&str],
            &rows.reasons as &[&str],
            &rows.first_event_at,
            &rows.last_event_at,
            &rows.last_received_at,
            &rows.events,
            &rows.folds,
            FOLD_VERSION,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn write_items(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let mut rows = ItemRows::default();
        for Projection { key, plan, .. } in projections {
            plan.items.iter().for_each(|item| rows.push(*key, item));
        }
        if rows.keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into product_order_item (order_key, item_id, parent_item_id, internal_id, action, state, sub_status,
                 product_id, offering_id, service_id, expected_completion, expected_completion_text, appointment_id,
                 appointment_reference, appointment_status, appointment_start, appointment_finish, characteristics,
                 first_expected, first_completed, first_expected_day)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
                 $15::text[], $16::timestamptz[], $17::timestamptz[], $18::jsonb[], $19::timestamptz[], $20::timestamptz[],
                 $21::date[])
             on conflict on constraint product_order_item_pk do update set
                 parent_item_id = excluded.parent_item_id, internal_id = excluded.internal_id, action = excluded.action,
                 state = excluded.state, sub_status = excluded.sub_status, product_id = excluded.product_id,
                 offering_id = excluded.offering_id, service_id = excluded.service_id,
                 expected_completion = excluded.expected_completion,
                 expected_completion_text = excluded.expected_completion_text,
                 appointment_id = excluded.appointment_id, appointment_reference = excluded.appointment_reference,
                 appointment_status = excluded.appointment_status, appointment_start = excluded.appointment_start,
                 appointment_finish = excluded.appointment_finish, characteristics = excluded.characteristics,
                 first_expected = excluded.first_expected, first_completed = excluded.first_completed,
                 first_expected_day = excluded.first_expected_day",
            &rows.keys,
            &rows.ids as &[&str],
            &rows.parents as &[Option<&str>],
            &rows.internal_ids as &[Option<&str>],
            &rows.actions as &[Option<&str>],
            &rows.states as &[Option<&str>],
            &rows.sub_statuses as &[Option<&str>],
            &rows.product_ids as &[Option<&str>],
            &rows.offerings as &[Option<&str>],
            &rows.services as &[Option<&str>],
            &rows.expected as &[Option<DateTime<Utc>>],
            &rows.expected_texts as &[Option<&str>],
            &rows.appointment_ids as &[Option<&str>],
            &rows.references as &[Option<&str>],
            &rows.appointment_statuses as &[Option<&str>],
            &rows.starts as &[Option<DateTime<Utc>>],
            &rows.finishes as &[Option<DateTime<Utc>>],
            &rows.characteristics as &[Json<&BTreeMap<String, String>>],
            &rows.first_expected as &[Option<DateTime<Utc>>],
            &rows.first_completed as &[Option<DateTime<Utc>>],
            &rows.first_expected_days as &[Option<NaiveDate>],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Entries kept before whose values hold no longer.
    async fn end_entries(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut positions, mut ordinals, mut ends) = (vec![], vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for (position, ordinal, at) in &plan.ended {
                keys.push(key.0);
                positions.push(*position);
                ordinals.push(*ordinal);
                ends.push(*at);
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "update timeline_entry e set valid_to = batch.valid_to
             from unnest($1::uuid[], $2::bigint[], $3::integer[], $4::timestamptz[])
                 as batch (order_key, event_position, ordinal, valid_to)
             where e.order_key = batch.order_key and e.event_position = batch.event_position
               and e.ordinal = batch.ordinal",
            &keys,
            &positions,
            &ordinals,
            &ends,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// The reasons of orders whose reasons changed take the place of those before.
    async fn write_attention(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut orders, mut keys, mut reasons, mut since, mut why) = (vec![], vec![], vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            let Some(attention) = &plan.attention else { continue };
            orders.push(key.0);
            for one in attention {
                keys.push(key.0);
                reasons.push(one.reason.as_str());
                since.push(one.since);
                why.push(one.why.as_str());
            }
        }
        if orders.is_empty() {
            return Ok(());
        }
        sqlx::query!("delete from attention where order_key = any($1)", &orders)
            .execute(&mut *self.transaction)
            .await?;
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into attention (order_key, reason, since, why)
             select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])",
            &keys,
            &reasons as &[&str],
            &since,
            &why as &[&str],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn write_unknown(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut subjects, mut values) = (vec![], vec![], vec![]);
        let (mut first, mut last, mut counts) = (vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for ((subject, value), seen) in &plan.unknown {
                keys.push(key.0);
                subjects.push(*subject);
                values.push(value.as_str());
                first.push(seen.first);
                last.push(seen.last);
                counts.push(seen.events);
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into unknown_value (order_key, subject, value, first_seen, last_seen, occurrences)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
             on conflict on constraint unknown_value_pk do update set
                 first_seen = least(unknown_value.first_seen, excluded.first_seen),
                 last_seen = greatest(unknown_value.last_seen, excluded.last_seen),
                 occurrences = unknown_value.occurrences + excluded.occurrences",
            &keys,
            &subjects as &[&str],
            &values as &[&str],
            &first,
            &last,
            &counts,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn write_identifiers(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut kinds, mut values) = (vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for identifier in &plan.identifiers {
                keys.push(key.0);
                kinds.push(identifier.kind.as_str());
                values.push(identifier.value.as_str());
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into identifier (order_key, kind, value)
             select * from unnest($1::uuid[], $2::text[], $3::text[])
             on conflict on constraint identifier_pk do nothing",
            &keys,
            &kinds as &[&str],
            &values as &[&str],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

#[derive(Default)]
struct OrderRows<'p> {
    keys: Vec<Uuid>,
    senders: Vec<&'p str>,
    order_ids: Vec<&'p str>,
    external_ids: Vec<Option<&'p str>>,
    states: Vec<&'p str>,
    reasons: Vec<&'p str>,
    first_event_at: Vec<DateTime<Utc>>,
    last_event_at: Vec<DateTime<Utc>>,
    last_received_at: Vec<DateTime<Utc>>,
    events: Vec<i64>,
    folds: Vec<Vec<u8>>,
}

impl<'p> OrderRows<'p> {
    fn push(&mut self, projection: &'p Projection) -> Result<(), StoreError> {
        let Projection { key, sender, order_id, plan } = projection;
        let order = plan.timeline.order();
        let state = order.state.as_ref();
        self.keys.push(key.0);
        self.senders.push(sender);
        self.order_ids.push(order_id);
        self.external_ids.push(order.external_ids.first().map(String::as_str));
        self.states.push(state.map_or("", |state| &state.state));
        self.reasons.push(state.map_or("", |state| &state.reason));
        self.first_event_at.push(plan.times.first_event_at);
        self.last_event_at.push(plan.times.last_event_at);
        self.last_received_at.push(plan.times.last_received_at);
        self.events.push(plan.timeline.events().into());
        self.folds.push(projection.fold()?);
        Ok(())
    }
}

#[derive(Default)]
struct ItemRows<'p> {
    keys: Vec<Uuid>,
    ids: Vec<&'p str>,
    parents: Vec<Option<&'p str>>,
    internal_ids: Vec<Option<&'p str>>,
    actions: Vec<Option<&'p str>>,
    states: Vec<Option<&'p str>>,
    sub_statuses: Vec<Option<&'p str>>,
    product_ids: Vec<Option<&'p str>>,
    offerings: Vec<Option<&'p str>>,
    services: Vec<Option<&'p str>>,
    expected: Vec<Option<DateTime<Utc>>>,
    expected_texts: Vec<Option<&'p str>>,
    appointment_ids: Vec<Option<&'p str>>,
    references: Vec<Option<&'p str>>,
    appointment_statuses: Vec<Option<&'p str>>,
    starts: Vec<Option<DateTime<Utc>>>,
    finishes: Vec<Option<DateTime<Utc>>>,
    characteristics: Vec<Json<&'p BTreeMap<String, String>>>,
    first_expected: Vec<Option<DateTime<Utc>>>,
    first_expected_days: Vec<Option<NaiveDate>>,
    first_completed: Vec<Option<DateTime<Utc>>>,
}

impl<'p> ItemRows<'p> {
    fn push(&mut self, key: OrderKey, item: &'p ItemRecord) {
        let expected = item.expected_completion_moment.as_ref();
        let appointment = item.appointment_stated.as_ref();
        let start = appointment.and_then(|appointment| appointment.start.as_ref());
        let finish = appointment.and_then(|appointment| appointment.finish.as_ref());
        self.keys.push(key.0);
        self.ids.push(&item.item_id);
        self.parents.push(item.parent_item_id.as_deref());
        self.internal_ids.push(item.internal_id.as_deref());
        self.actions.push(item.action.as_deref());
        self.states.push(item.state.as_deref());
        self.sub_statuses.push(item.sub_status.as_deref());
        self.product_ids.push(item.product_id.as_deref());
        self.offerings.push(item.offering_id.as_deref());
        self.services.push(item.service_id.as_deref());
        self.expected.push(expected.and_then(Moment::at));
        self.expected_texts.push(expected.map(Moment::text));
        self.appointment_ids.push(appointment.and_then(|appointment| appointment.id.as_deref()));
        self.references.push(appointment.and_then(|appointment| appointment.reference.as_deref()));
        self.appointment_statuses.push(appointment.and_then(|appointment| appointment.status.as_deref()));
        self.starts.push(start.and_then(Moment::at));
        self.finishes.push(finish.and_then(Moment::at));
        self.characteristics.push(Json(&item.characteristics));
        self.first_expected.push(item.first_expected);
        self.first_expected_days.push(item.first_expected_day);
        self.first_completed.push(item.first_completed);
    }
}
