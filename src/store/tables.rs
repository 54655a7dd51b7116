//! The tables that an order's projection consists of, and the rows of each that a projection comes to.

use sqlx::types::Json;

use super::StoreError;
use super::batch::FOLD_VERSION;
use super::copy::{Row, Rows};
use super::project::Projection;
use crate::order::Moment;
use crate::record::EntryRecord;

/// A table of the projection, in the form in which rows go in and come out by COPY.
pub(super) struct Table {
    pub name: &'static str,
    /// All that are not made of others: first the primary key, which begins with the order's.
    pub columns: &'static str,
    /// Adds a projection's rows.
    pub push: fn(&mut Rows, &Projection) -> Result<(), StoreError>,
}

/// Each table, keyed by order_key first: what is cleared where an order is made anew, and what a check compares.
pub(super) const TABLES: [&Table; 10] = [
    &PRODUCT_ORDER,
    &PRODUCT_ORDER_ITEM,
    &ITEM_VERSION,
    &TIMELINE_ENTRY,
    &ENTRY_VALUE,
    &PAST_ENTRY,
    &ATTENTION,
    &UNKNOWN_VALUE,
    &IDENTIFIER,
    &EVENT,
];

/// The names of the tables that a projection consists of.
pub const PROJECTION_TABLES: [&str; TABLES.len()] = [
    PRODUCT_ORDER.name,
    PRODUCT_ORDER_ITEM.name,
    ITEM_VERSION.name,
    TIMELINE_ENTRY.name,
    ENTRY_VALUE.name,
    PAST_ENTRY.name,
    ATTENTION.name,
    UNKNOWN_VALUE.name,
    IDENTIFIER.name,
    EVENT.name,
];

impl Table {
    /// The rows of projections, to go in or to be compared.
    ///
    /// # Errors
    /// Where a value has no binary form.
    pub fn rows<'p>(&self, projections: impl IntoIterator<Item = &'p Projection>) -> Result<Rows, StoreError> {
        let mut rows = Rows::of(self.name, self.columns);
        for projection in projections {
            (self.push)(&mut rows, projection)?;
        }
        Ok(rows)
    }
}

const PRODUCT_ORDER: Table = Table {
    name: "product_order",
    columns: "order_key, sender, order_id, external_id, state, state_reason, first_event_at, last_event_at, \
        last_received_at, events, fold_version, fold",
    push: |rows, projection| {
        let Projection { key, sender, order_id, plan } = projection;
        let (order, times) = (plan.timeline.order(), plan.times);
        let state = order.state.as_ref();
        rows.row()
            .value(key.0)?
            .value(sender)?
            .value(order_id)?
            .value(order.external_ids.first())?
            .value(state.map_or("", |state| &state.state))?
            .value(state.map_or("", |state| &state.reason))?
            .value(times.first_event_at)?
            .value(times.last_event_at)?
            .value(times.last_received_at)?
            .value(i64::from(plan.timeline.events()))?
            .value(FOLD_VERSION)?
            .value(projection.fold()?)?;
        Ok(())
    },
};

const PRODUCT_ORDER_ITEM: Table = Table {
    name: "product_order_item",
    columns: "order_key, item_id, parent_item_id, internal_id, action, state, sub_status, product_id, offering_id, \
        service_id, expected_completion, expected_completion_text, appointment_id, appointment_reference, \
        appointment_status, appointment_start, appointment_finish, first_expected, first_expected_day, first_completed, \
        characteristics",
    push: |rows, Projection { key, plan, .. }| {
        for item in &plan.items {
            let expected = item.expected_completion_moment.as_ref();
            let appointment = item.appointment_stated.as_ref();
            let start = appointment.and_then(|appointment| appointment.start.as_ref());
            let finish = appointment.and_then(|appointment| appointment.finish.as_ref());
            rows.row()
                .value(key.0)?
                .value(&item.item_id)?
                .value(&item.parent_item_id)?
                .value(&item.internal_id)?
                .value(&item.action)?
                .value(&item.state)?
                .value(&item.sub_status)?
                .value(&item.product_id)?
                .value(&item.offering_id)?
                .value(&item.service_id)?
                .value(expected.and_then(Moment::at))?
                .value(expected.map(Moment::text))?
                .value(appointment.and_then(|appointment| appointment.id.as_deref()))?
                .value(appointment.and_then(|appointment| appointment.reference.as_deref()))?
                .value(appointment.and_then(|appointment| appointment.status.as_deref()))?
                .value(start.and_then(Moment::at))?
                .value(finish.and_then(Moment::at))?
                .value(item.first_expected)?
                .value(item.first_expected_day)?
                .value(item.first_completed)?
                .value(Json(&item.characteristics))?;
        }
        Ok(())
    },
};

pub(super) const ITEM_VERSION: Table = Table {
    name: "item_version",
    columns: "order_key, item_id, event_position, ordinal, state, sub_status, valid_from, valid_to",
    push: |rows, Projection { key, plan, .. }| {
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
        Ok(())
    },
};

pub(super) const TIMELINE_ENTRY: Table = Table {
    name: "timeline_entry",
    columns: "order_key, event_position, ordinal, valid_to, at, at_estimated, received_at, late, event_id, \
        delivery_id, kind, item_ids, name, from_text, to_text, sentence, known_from, from_value, to_value, message, \
        facts",
    push: |rows, Projection { key, plan, .. }| {
        for entry in &plan.entries {
            let row = rows.row().value(key.0)?.value(entry.event_position)?.value(entry.ordinal)?;
            told(row.value(entry.valid_to)?, entry)?;
        }
        Ok(())
    },
};

pub(super) const PAST_ENTRY: Table = Table {
    name: "past_entry",
    columns: "order_key, number, known_until, event_position, ordinal, at, at_estimated, received_at, late, event_id, \
        delivery_id, kind, item_ids, name, from_text, to_text, sentence, known_from, from_value, to_value, message, \
        facts",
    push: |rows, Projection { key, plan, .. }| {
        for (number, (entry, known_until)) in (0_i64..).zip(&plan.past) {
            let row = rows.row().value(key.0)?.value(number)?.value(*known_until)?;
            told(row.value(entry.event_position)?.value(entry.ordinal)?, entry)?;
        }
        Ok(())
    },
};

/// What entries have in common, those that hold and those that were known once.
fn told<'r>(row: Row<'r>, entry: &EntryRecord) -> Result<Row<'r>, StoreError> {
    row.value(entry.at)?
        .value(entry.at_estimated)?
        .value(entry.received_at)?
        .value(entry.late)?
        .value(&entry.event_id)?
        .value(entry.delivery_id)?
        .value(&entry.kind)?
        .texts(&entry.item_ids)?
        .value(&entry.name)?
        .value(&entry.from_text)?
        .value(&entry.to_text)?
        .value(&entry.text)?
        .value(entry.known_from)?
        .value(&entry.from)?
        .value(&entry.to)?
        .value(entry.message.as_ref().map(Json))?
        .value(&entry.facts)
}

pub(super) const ENTRY_VALUE: Table = Table {
    name: "entry_value",
    columns: "order_key, event_position, ordinal, part, kind, value, item_id, at, missed",
    push: |rows, Projection { key, plan, .. }| {
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
        Ok(())
    },
};

const ATTENTION: Table = Table {
    name: "attention",
    columns: "order_key, reason, since, why",
    push: |rows, Projection { key, plan, .. }| {
        for attention in plan.attention.iter().flatten() {
            let row = rows.row().value(key.0)?.value(&attention.reason)?;
            row.value(attention.since)?.value(&attention.why)?;
        }
        Ok(())
    },
};

const UNKNOWN_VALUE: Table = Table {
    name: "unknown_value",
    columns: "order_key, subject, value, first_seen, last_seen, occurrences",
    push: |rows, Projection { key, plan, .. }| {
        for ((subject, value), seen) in &plan.unknown {
            let row = rows.row().value(key.0)?.value(*subject)?.value(value)?;
            row.value(seen.first)?.value(seen.last)?.value(seen.events)?;
        }
        Ok(())
    },
};

const IDENTIFIER: Table = Table {
    name: "identifier",
    columns: "order_key, kind, value",
    push: |rows, Projection { key, plan, .. }| {
        for identifier in &plan.identifiers {
            rows.row().value(key.0)?.value(identifier.kind.as_str())?.value(&identifier.value)?;
        }
        Ok(())
    },
};

pub(super) const EVENT: Table = Table {
    name: "event",
    columns: "order_key, event_key, content_hash, delivery_id, received_at",
    push: |rows, Projection { key, plan, .. }| {
        for content in &plan.contents {
            rows.row()
                .value(key.0)?
                .value(content.event_key.as_bytes().as_slice())?
                .value(content.content_hash.as_slice())?
                .value(content.delivery_id)?
                .value(content.received_at)?;
        }
        Ok(())
    },
};
