//! Writing what a batch changes: one statement for each table, whatever the number of orders.

use chrono::{DateTime, Utc};
use serde_json::Value as JsonValue;
use sqlx::types::Json;
use uuid::Uuid;

use super::batch::FOLD_VERSION;
use super::{Batch, OrderKey, StoreError};
use crate::intake::{Extent, KeptOutcome, Plan};
use crate::order::Moment;
use crate::record::{EntryRecord, ItemRecord, MessageRecord};

/// The tables that an order's projection consists of, each keyed by order_key first: what is cleared where
/// an order is made anew, and what a check compares.
pub const PROJECTION_TABLES: &[&str] = &[
    "product_order",
    "product_order_item",
    "item_version",
    "timeline_entry",
    "entry_value",
    "past_entry",
    "attention",
    "unknown_value",
    "identifier",
    "event",
];

/// A plan with the order that it is for.
#[derive(Debug)]
pub struct Projection {
    pub key: OrderKey,
    pub sender: String,
    pub order_id: String,
    pub plan: Plan,
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
        self.write_contents(&changed).await?;
        self.write_orders(&changed).await?;
        self.write_items(&changed).await?;
        self.end_entries(&changed).await?;
        self.write_entries(&changed).await?;
        self.write_versions(&changed).await?;
        self.write_values(&changed).await?;
        self.write_past(&anew).await?;
        self.write_attention(&changed).await?;
        self.write_unknown(&changed).await?;
        self.write_identifiers(&changed).await
    }

    /// Takes all that is projected of the orders away.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn clear(&mut self, keys: &[Uuid]) -> Result<(), StoreError> {
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
                outcomes.push(kept.outcome.name().to_owned());
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
            &outcomes,
            &related as &[Option<Uuid>],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn write_contents(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut keys, mut events, mut contents, mut ids, mut received) = (vec![], vec![], vec![], vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for content in &plan.contents {
                keys.push(key.0);
                events.push(content.event_key.as_bytes().to_vec());
                contents.push(content.content_hash.to_vec());
                ids.push(content.delivery_id);
                received.push(content.received_at);
            }
        }
        sqlx::query!(
            "insert into event (order_key, event_key, content_hash, delivery_id, received_at)
             select * from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::uuid[], $5::timestamptz[])",
            &keys,
            &events,
            &contents,
            &ids,
            &received,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
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
            &rows.senders,
            &rows.order_ids,
            &rows.external_ids as &[Option<String>],
            &rows.states,
            &rows.reasons,
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
                 first_expected, first_completed)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
                 $15::text[], $16::timestamptz[], $17::timestamptz[], $18::jsonb[], $19::timestamptz[], $20::timestamptz[])
             on conflict on constraint product_order_item_pk do update set
                 parent_item_id = excluded.parent_item_id, internal_id = excluded.internal_id, action = excluded.action,
                 state = excluded.state, sub_status = excluded.sub_status, product_id = excluded.product_id,
                 offering_id = excluded.offering_id, service_id = excluded.service_id,
                 expected_completion = excluded.expected_completion,
                 expected_completion_text = excluded.expected_completion_text,
                 appointment_id = excluded.appointment_id, appointment_reference = excluded.appointment_reference,
                 appointment_status = excluded.appointment_status, appointment_start = excluded.appointment_start,
                 appointment_finish = excluded.appointment_finish, characteristics = excluded.characteristics,
                 first_expected = excluded.first_expected, first_completed = excluded.first_completed",
            &rows.keys,
            &rows.ids,
            &rows.parents as &[Option<String>],
            &rows.internal_ids as &[Option<String>],
            &rows.actions as &[Option<String>],
            &rows.states as &[Option<String>],
            &rows.sub_statuses as &[Option<String>],
            &rows.product_ids as &[Option<String>],
            &rows.offerings as &[Option<String>],
            &rows.services as &[Option<String>],
            &rows.expected as &[Option<DateTime<Utc>>],
            &rows.expected_texts as &[Option<String>],
            &rows.appointment_ids as &[Option<String>],
            &rows.references as &[Option<String>],
            &rows.appointment_statuses as &[Option<String>],
            &rows.starts as &[Option<DateTime<Utc>>],
            &rows.finishes as &[Option<DateTime<Utc>>],
            &rows.characteristics,
            &rows.first_expected as &[Option<DateTime<Utc>>],
            &rows.first_completed as &[Option<DateTime<Utc>>],
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn write_entries(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let mut rows = EntryRows::default();
        for Projection { key, plan, .. } in projections {
            plan.entries.iter().for_each(|entry| rows.push(*key, entry));
        }
        if rows.keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into timeline_entry (order_key, event_position, ordinal, at, at_estimated, received_at, late,
                 event_id, delivery_id, kind, item_ids, name, from_value, to_value, from_text, to_text, message, sentence,
                 facts, valid_to, known_from)
             select order_key, event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id,
                 kind, item_ids::text[], name, from_value, to_value, from_text, to_text, message, sentence, facts, valid_to,
                 known_from
             from unnest($1::uuid[], $2::bigint[], $3::integer[], $4::timestamptz[], $5::boolean[], $6::timestamptz[],
                 $7::boolean[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::jsonb[],
                 $14::jsonb[], $15::text[], $16::text[], $17::jsonb[], $18::text[], $19::jsonb[], $20::timestamptz[],
                 $21::timestamptz[])
             as batch (order_key, event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id,
                 kind, item_ids, name, from_value, to_value, from_text, to_text, message, sentence, facts, valid_to,
                 known_from)",
            &rows.keys,
            &rows.positions,
            &rows.ordinals,
            &rows.at,
            &rows.estimated,
            &rows.received_at,
            &rows.late,
            &rows.event_ids as &[Option<String>],
            &rows.delivery_ids,
            &rows.kinds,
            &rows.item_ids,
            &rows.names as &[Option<String>],
            &rows.from as &[Option<JsonValue>],
            &rows.to as &[Option<JsonValue>],
            &rows.from_texts as &[Option<String>],
            &rows.to_texts as &[Option<String>],
            &rows.messages as &[Option<Json<MessageRecord>>],
            &rows.sentences,
            &rows.facts as &[Option<JsonValue>],
            &rows.valid_to as &[Option<DateTime<Utc>>],
            &rows.known_from,
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

    /// What was known once. Late events are rare, and so are these.
    async fn write_past(&mut self, projections: &[&Projection]) -> Result<(), StoreError> {
        let (mut rows, mut numbers, mut until) = (EntryRows::default(), vec![], vec![]);
        for Projection { key, plan, .. } in projections {
            for (number, (entry, known_until)) in (0_i64..).zip(&plan.past) {
                rows.push(*key, entry);
                numbers.push(number);
                until.push(*known_until);
            }
        }
        if numbers.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "insert into past_entry (order_key, number, event_position, ordinal, at, at_estimated, received_at, late,
                 event_id, delivery_id, kind, item_ids, name, from_value, to_value, from_text, to_text, message, sentence,
                 facts, known_from, known_until)
             select order_key, number, event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id,
                 kind, item_ids::text[], name, from_value, to_value, from_text, to_text, message, sentence, facts, known_from,
                 known_until
             from unnest($1::uuid[], $2::bigint[], $3::integer[], $4::timestamptz[], $5::boolean[], $6::timestamptz[],
                 $7::boolean[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::jsonb[],
                 $14::jsonb[], $15::text[], $16::text[], $17::jsonb[], $18::text[], $19::jsonb[], $20::timestamptz[],
                 $21::bigint[], $22::timestamptz[])
             as batch (order_key, event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id,
                 kind, item_ids, name, from_value, to_value, from_text, to_text, message, sentence, facts, known_from,
                 number, known_until)",
            &rows.keys,
            &rows.positions,
            &rows.ordinals,
            &rows.at,
            &rows.estimated,
            &rows.received_at,
            &rows.late,
            &rows.event_ids as &[Option<String>],
            &rows.delivery_ids,
            &rows.kinds,
            &rows.item_ids,
            &rows.names as &[Option<String>],
            &rows.from as &[Option<JsonValue>],
            &rows.to as &[Option<JsonValue>],
            &rows.from_texts as &[Option<String>],
            &rows.to_texts as &[Option<String>],
            &rows.messages as &[Option<Json<MessageRecord>>],
            &rows.sentences,
            &rows.facts as &[Option<JsonValue>],
            &rows.known_from,
            &numbers,
            &until,
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
                reasons.push(one.reason.clone());
                since.push(one.since);
                why.push(one.why.clone());
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
            &reasons,
            &since,
            &why,
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
                subjects.push((*subject).to_owned());
                values.push(value.clone());
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
            &subjects,
            &values,
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
                kinds.push(identifier.kind.clone());
                values.push(identifier.value.clone());
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
            &kinds,
            &values,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

/// A list of texts as PostgreSQL writes it: arrays of arrays do not pass through UNNEST.
fn array_literal(texts: &[String]) -> String {
    let quoted = texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

#[derive(Default)]
struct OrderRows {
    keys: Vec<Uuid>,
    senders: Vec<String>,
    order_ids: Vec<String>,
    external_ids: Vec<Option<String>>,
    states: Vec<String>,
    reasons: Vec<String>,
    first_event_at: Vec<DateTime<Utc>>,
    last_event_at: Vec<DateTime<Utc>>,
    last_received_at: Vec<DateTime<Utc>>,
    events: Vec<i64>,
    folds: Vec<Vec<u8>>,
}

impl OrderRows {
    fn push(&mut self, projection: &Projection) -> Result<(), StoreError> {
        let Projection { key, sender, order_id, plan } = projection;
        let order = plan.timeline.order();
        let fold = postcard::to_stdvec(&plan.timeline).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let state = order.state.clone().unwrap_or_default();
        self.keys.push(key.0);
        self.senders.push(sender.clone());
        self.order_ids.push(order_id.clone());
        self.external_ids.push(order.external_ids.first().cloned());
        self.states.push(state.state);
        self.reasons.push(state.reason);
        self.first_event_at.push(plan.times.first_event_at);
        self.last_event_at.push(plan.times.last_event_at);
        self.last_received_at.push(plan.times.last_received_at);
        self.events.push(plan.timeline.events().into());
        self.folds.push(fold);
        Ok(())
    }
}

#[derive(Default)]
struct ItemRows {
    keys: Vec<Uuid>,
    ids: Vec<String>,
    parents: Vec<Option<String>>,
    internal_ids: Vec<Option<String>>,
    actions: Vec<Option<String>>,
    states: Vec<Option<String>>,
    sub_statuses: Vec<Option<String>>,
    product_ids: Vec<Option<String>>,
    offerings: Vec<Option<String>>,
    services: Vec<Option<String>>,
    expected: Vec<Option<DateTime<Utc>>>,
    expected_texts: Vec<Option<String>>,
    appointment_ids: Vec<Option<String>>,
    references: Vec<Option<String>>,
    appointment_statuses: Vec<Option<String>>,
    starts: Vec<Option<DateTime<Utc>>>,
    finishes: Vec<Option<DateTime<Utc>>>,
    characteristics: Vec<JsonValue>,
    first_expected: Vec<Option<DateTime<Utc>>>,
    first_completed: Vec<Option<DateTime<Utc>>>,
}

impl ItemRows {
    fn push(&mut self, key: OrderKey, item: &ItemRecord) {
        let expected = item.expected_completion_moment.as_ref();
        let appointment = item.appointment_stated.clone().unwrap_or_default();
        self.keys.push(key.0);
        self.ids.push(item.item_id.clone());
        self.parents.push(item.parent_item_id.clone());
        self.internal_ids.push(item.internal_id.clone());
        self.actions.push(item.action.clone());
        self.states.push(item.state.clone());
        self.sub_statuses.push(item.sub_status.clone());
        self.product_ids.push(item.product_id.clone());
        self.offerings.push(item.offering_id.clone());
        self.services.push(item.service_id.clone());
        self.expected.push(expected.and_then(Moment::at));
        self.expected_texts.push(expected.map(|moment| moment.text().to_owned()));
        self.appointment_ids.push(appointment.id);
        self.references.push(appointment.reference);
        self.appointment_statuses.push(appointment.status);
        self.starts.push(appointment.start.and_then(|moment| moment.at()));
        self.finishes.push(appointment.finish.and_then(|moment| moment.at()));
        self.characteristics.push(serde_json::json!(item.characteristics));
        self.first_expected.push(item.first_expected);
        self.first_completed.push(item.first_completed);
    }
}

#[derive(Default)]
struct EntryRows {
    keys: Vec<Uuid>,
    positions: Vec<i64>,
    ordinals: Vec<i32>,
    at: Vec<DateTime<Utc>>,
    estimated: Vec<bool>,
    received_at: Vec<DateTime<Utc>>,
    late: Vec<bool>,
    event_ids: Vec<Option<String>>,
    delivery_ids: Vec<Uuid>,
    kinds: Vec<String>,
    item_ids: Vec<String>,
    names: Vec<Option<String>>,
    from: Vec<Option<JsonValue>>,
    to: Vec<Option<JsonValue>>,
    from_texts: Vec<Option<String>>,
    to_texts: Vec<Option<String>>,
    messages: Vec<Option<Json<MessageRecord>>>,
    sentences: Vec<String>,
    facts: Vec<Option<JsonValue>>,
    valid_to: Vec<Option<DateTime<Utc>>>,
    known_from: Vec<DateTime<Utc>>,
}

impl EntryRows {
    fn push(&mut self, key: OrderKey, entry: &EntryRecord) {
        self.keys.push(key.0);
        self.positions.push(entry.event_position);
        self.ordinals.push(entry.ordinal);
        self.at.push(entry.at);
        self.estimated.push(entry.at_estimated);
        self.received_at.push(entry.received_at);
        self.late.push(entry.late);
        self.event_ids.push(entry.event_id.clone());
        self.delivery_ids.push(entry.delivery_id);
        self.kinds.push(entry.kind.clone());
        self.item_ids.push(array_literal(&entry.item_ids));
        self.names.push(entry.name.clone());
        self.from.push(entry.from.clone());
        self.to.push(entry.to.clone());
        self.from_texts.push(entry.from_text.clone());
        self.to_texts.push(entry.to_text.clone());
        self.messages.push(entry.message.clone().map(Json));
        self.sentences.push(entry.text.clone());
        self.facts.push(entry.facts.clone());
        self.valid_to.push(entry.valid_to);
        self.known_from.push(entry.known_from);
    }
}
