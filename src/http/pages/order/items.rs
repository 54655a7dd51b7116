//! An order's items as a tree in a table.

use maud::{Markup, html};

use crate::http::pages::label;
use crate::order::{
    Moment, Subject, Vocabulary, appointment_status, capitalised, day_or_time, repeats_state, rfc3339, same, window,
};
use crate::record::{AppointmentRecord, ItemRecord, ItemTree};

/// Deeper items are not moved further in: a narrow screen has no room for it.
const DEEPEST: usize = 4;

/// The items with the items they contain below them, one row each.
pub fn items(items: &[ItemTree], vocabulary: &Vocabulary) -> Markup {
    let items = flat(items);
    let shared = shared(&items, vocabulary);
    html! {
        @if !shared.is_empty() { div.shared.values { p { "The same for all items:" } (listed(shared.iter())) } }
        table.items role="table" aria-labelledby="items" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Item" }
                th role="columnheader" scope="col" { "State" }
                th role="columnheader" scope="col" { "Expected" }
                th role="columnheader" scope="col" { "Appointment" }
                th role="columnheader" scope="col" { "Ids and values" }
            } }
            tbody role="rowgroup" { @for (depth, item) in items { (row(depth, item, &shared, vocabulary)) } }
        }
    }
}

/// The items with their depth, parents before children. Without recursion: senders nest as deep as they like.
pub fn flat(items: &[ItemTree]) -> Vec<(usize, &ItemRecord)> {
    let mut flat = Vec::new();
    let mut waiting: Vec<(usize, &ItemTree)> = items.iter().rev().map(|item| (0, item)).collect();
    while let Some((depth, tree)) = waiting.pop() {
        flat.push((depth, &tree.item));
        waiting.extend(tree.items.iter().rev().map(|child| (depth + 1, child)));
    }
    flat
}

/// "Access 100.1", for lanes and lists to choose from.
pub fn name(item: &ItemRecord, vocabulary: &Vocabulary) -> String {
    match offering(item, vocabulary) {
        Some(words) => format!("{} {}", capitalised(words), item.item_id),
        None => format!("Item {}", item.item_id),
    }
}

fn offering<'v>(item: &ItemRecord, vocabulary: &'v Vocabulary) -> Option<&'v str> {
    let meaning = item.offering_id.as_deref().and_then(|offering| vocabulary.offering(offering));
    meaning.map(|meaning| meaning.words.as_str())
}

fn row(depth: usize, item: &ItemRecord, shared: &[Value<'_>], vocabulary: &Vocabulary) -> Markup {
    html! {
        tr role="row" class={ "depth-" (depth.min(DEEPEST)) } {
            th role="rowheader" scope="row" {
                @if let Some(words) = offering(item, vocabulary) { (capitalised(words)) " " }
                bdi { (item.item_id) }
                @if let Some(parent) = &item.parent_item_id { span.hidden { " below item " (parent) } }
                small {
                    @if let Some(action) = &item.action { "action " (action) }
                    @if let (Some(_), Some(_)) = (&item.action, &item.offering_id) { " · " }
                    @if let Some(offering) = &item.offering_id { "offering " (offering) }
                }
            }
            td role="cell" { (state_of(item, vocabulary)) }
            td role="cell" data-label="Expected" { @if let Some(date) = &item.expected_completion_moment { (moment(date)) } }
            td role="cell" data-label="Appointment" {
                @if let Some(appointment) = &item.appointment { (visit(appointment, item, vocabulary)) }
            }
            td.values role="cell" { (listed(values(item, vocabulary).iter().filter(|value| !shared.contains(value)))) }
        }
    }
}

fn state_of(item: &ItemRecord, vocabulary: &Vocabulary) -> Markup {
    let is_new = |sub_status: &&String| !item.state.as_ref().is_some_and(|state| repeats_state(state, sub_status));
    html! {
        @if let Some(state) = &item.state { (label::state(state)) }
        @if let Some(sub_status) = item.sub_status.as_ref().filter(is_new) {
            @let words = vocabulary.words(Subject::SubStatus, sub_status);
            @if let Some(words) = words.filter(|words| !same(words, sub_status)) { span.sub { (capitalised(words)) } }
            small { (sub_status) }
        }
    }
}

fn moment(moment: &Moment) -> Markup {
    html! {
        @if let Some(at) = moment.at() { time datetime=(rfc3339(at)) title=[Some(moment.text()).filter(|text| *text != rfc3339(at))] { (day_or_time(moment)) } }
        @else { (moment.text()) }
    }
}

fn visit(appointment: &AppointmentRecord, item: &ItemRecord, vocabulary: &Vocabulary) -> Markup {
    let hours = item.appointment_stated.as_ref().and_then(window);
    let exact =
        [&appointment.start, &appointment.finish].into_iter().flatten().cloned().collect::<Vec<_>>().join(" to ");
    html! {
        @if let Some(hours) = hours { span.hours title=(exact) { (hours) } }
        @if let Some(status) = &appointment.status { " " span.visit-status title=(status) { (appointment_status(status, vocabulary)) } }
        @if let Some(reference) = &appointment.reference { small { "reference " (label::id(reference)) } }
        @if let Some(own) = &appointment.id { small { "id " (label::id(own)) } }
    }
}

/// An id or a characteristic of an item.
#[derive(Clone, Debug, PartialEq)]
struct Value<'i> {
    words: &'i str,
    /// The characteristic's own name; none for ids.
    name: Option<&'i str>,
    value: &'i str,
}

fn values<'i>(item: &'i ItemRecord, vocabulary: &'i Vocabulary) -> Vec<Value<'i>> {
    let ids = [("service id", &item.service_id), ("product id", &item.product_id), ("internal id", &item.internal_id)];
    let ids = ids.into_iter().filter_map(|(words, value)| Some(Value { words, name: None, value: value.as_ref()? }));
    let characteristics = item.characteristics.iter().map(|(name, value)| Value {
        words: vocabulary.words(Subject::Characteristic, name).unwrap_or(name),
        name: Some(name),
        value,
    });
    ids.chain(characteristics).collect()
}

/// What all items have alike is said once. Of few items each says all of its own.
fn shared<'i>(items: &[(usize, &'i ItemRecord)], vocabulary: &'i Vocabulary) -> Vec<Value<'i>> {
    const MANY: usize = 6;
    let mut of_all = items.iter().map(|(_, item)| values(item, vocabulary));
    let Some(mut shared) = of_all.next().filter(|_| items.len() >= MANY) else { return Vec::new() };
    of_all.for_each(|own| shared.retain(|value| own.contains(value)));
    shared
}

fn listed<'v>(values: impl Iterator<Item = &'v Value<'v>>) -> Markup {
    html! {
        dl {
            @for value in values {
                @match value.name {
                    None => div { dt { (value.words) } dd { (label::id(value.value)) } },
                    Some(name) => div { dt title=(name) { (value.words) } dd { bdi { (value.value) } } },
                }
            }
        }
    }
}
