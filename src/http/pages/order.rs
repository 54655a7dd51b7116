//! The page of one order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::events::events;
use super::items::{id, items};
use super::layout::page;
use super::link::{encoded, with_query};
use super::{state, time, travel};
use crate::order::Vocabulary;
use crate::record::{Identifier, OrderHead, OrderRecord, TimelineRecord};

/// What of the order is asked for, as the texts that stood in the address; empty is the same as not given.
#[derive(Clone, Debug, Default)]
pub struct OrderView {
    /// Only what is about this item.
    pub item: Option<String>,
    /// As it was then: a time, taken as UTC where it names no zone.
    pub at: Option<String>,
    /// As we knew it then.
    pub known_at: Option<String>,
}

impl OrderView {
    pub(super) fn item(&self) -> Option<&str> {
        self.item.as_deref().filter(|item| !item.is_empty())
    }

    pub(super) fn at(&self) -> Option<&str> {
        self.at.as_deref().filter(|at| !at.is_empty())
    }

    pub(super) fn known_at(&self) -> Option<&str> {
        self.known_at.as_deref().filter(|at| !at.is_empty())
    }

    pub(super) fn is_past(&self) -> bool {
        self.at().is_some() || self.known_at().is_some()
    }
}

/// An order's page. `timeline` is what is to be shown: already as of `view`'s times and filtered by its
/// item. `order` may be the order now: where its head is another than the timeline's, the page says that
/// items and parties are those of now.
pub fn order(order: &OrderRecord, timeline: &TimelineRecord, view: &OrderView, vocabulary: &Vocabulary) -> Markup {
    let head = &timeline.order;
    let mixes_times = view.is_past() && order.head != *head;
    let content = html! {
        div.title-row { h1 { "Order " bdi { (head.order_id) } " " (state::label(&head.state)) } }
        (travel::banner(order, view))
        p.lead { (head.state_reason) }
        (attention(order))
        (facts(head, order, mixes_times))
        section.items aria-labelledby="items" {
            h2 #items { "Items" @if mixes_times { " as they are now" } }
            @if order.items.is_empty() { p { "No event has named an item yet." } }
            @else { (items(&order.items, vocabulary)) }
        }
        section.timeline aria-labelledby="timeline" {
            h2 #timeline { "Timeline" }
            (travel::form(order, view, vocabulary))
            (events(timeline, view))
        }
        (all_ids(&order.identifiers))
        (as_data(head, view))
    };
    page(&format!("Order {}", head.order_id), "", content)
}

/// Why somebody should look at the order: first thing to read where there is any reason.
fn attention(order: &OrderRecord) -> Markup {
    html! {
        @if !order.attention.is_empty() || !order.contradictions.is_empty() {
            section.attention aria-labelledby="attention" {
                h2 #attention { "Needs attention" }
                ul {
                    @for one in order.attention.iter().filter(|one| one.reason != "contradiction") {
                        li { strong { (one.reason.replace('-', " ")) } " since " (time::to_the_minute(one.since)) ": " (one.why) }
                    }
                    @for one in &order.contradictions {
                        @let [first, second] = &one.statements;
                        li {
                            strong { "contradiction" } " since " (time::to_the_minute(one.since)) ": "
                            (first) ", yet " (second)
                        }
                    }
                }
            }
        }
    }
}

/// `head` is of the time shown, what only `order` knows may be of now.
fn facts(head: &OrderHead, order: &OrderRecord, mixes_times: bool) -> Markup {
    let now = if mixes_times { " (now)" } else { "" };
    html! {
        dl.facts {
            @if let Some(external_id) = &head.external_id { div { dt { "External id" } dd { (id(external_id)) } } }
            div { dt { "Sender" } dd { bdi { (head.sender) } } }
            @for party in &order.parties {
                div {
                    dt { "Party " bdi { (party.role) } (now) }
                    dd { (id(&party.id)) @if let Some(name) = &party.name { " " bdi { (name) } } }
                }
            }
            @if let Some(expected) = &order.expected_completion {
                div { dt { "Expected completion" (now) } dd { (expected_at(expected)) } }
            }
            div { dt { "First event" } dd { (time::to_the_minute(head.first_event_at)) } }
            div { dt { "Last event" } dd { (time::to_the_minute(head.last_event_at)) } }
            div { dt { "Last received" } dd { (time::to_the_minute(head.last_received_at)) } }
            div { dt { "Events" } dd { (head.events) } }
        }
    }
}

fn expected_at(text: &str) -> Markup {
    match text.parse::<DateTime<Utc>>() {
        Ok(at) => time::to_the_minute(at),
        Err(_) => html! { (text) },
    }
}

fn all_ids(identifiers: &[Identifier]) -> Markup {
    let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for identifier in identifiers {
        by_kind.entry(&identifier.kind).or_default().push(&identifier.value);
    }
    html! {
        @if !by_kind.is_empty() {
            details {
                summary { "All ids that lead to this order (" (identifiers.len()) ")" }
                dl.ids {
                    @for (kind, values) in by_kind {
                        div { dt { (kind.replace('-', " ")) } dd { @for value in values { (id(value)) " " } } }
                    }
                }
            }
        }
    }
}

fn as_data(head: &OrderHead, view: &OrderView) -> Markup {
    let api = format!("/api/v1/orders/{}", encoded(&head.order_id));
    let sender = ("sender", Some(head.sender.as_str()));
    let shown = [sender, ("item", view.item()), ("at", view.at()), ("knownAt", view.known_at())];
    html! {
        p.data {
            "As JSON: "
            a href=(with_query(&api, &[sender])) { "order" } ", "
            a href=(with_query(&format!("{api}/timeline"), &shown)) { "timeline" } ", "
            a href=(with_query(&format!("{api}/deliveries"), &[sender])) { "deliveries" }
        }
    }
}
