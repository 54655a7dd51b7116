//! Beside the timeline: parties, identifiers, contradictions that are over, and the same as data.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::items::flat;
use super::view::OrderView;
use crate::http::link::{in_path, with_query};
use crate::http::pages::label;
use crate::http::pages::viewer::Viewer;
use crate::record::{EntryRecord, ItemRecord, OrderHead, OrderRecord, TimelineRecord};

pub fn parties(order: &OrderRecord) -> Markup {
    html! {
        @if !order.parties.is_empty() {
            section.ledger aria-labelledby="parties" {
                h2 #parties { "Parties" }
                dl {
                    @for party in &order.parties {
                        div { dt { (label::brief(&party.role)) } dd { (label::copied(&party.id)) @if let Some(name) = &party.name { " " bdi { (name) } } } }
                    }
                }
            }
        }
    }
}

/// Every id that leads to the order, by kind. Where there are many of a kind, those that stand with the items stand
/// there alone.
pub fn identifiers(order: &OrderRecord) -> Markup {
    const MANY: usize = 8;
    let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for identifier in &order.identifiers {
        by_kind.entry(&identifier.kind).or_default().push(&identifier.value);
    }
    let of_items: BTreeSet<(&str, &str)> = flat(&order.items).into_iter().flat_map(|(_, item)| ids_of(item)).collect();
    html! {
        @if !by_kind.is_empty() {
            section.ledger aria-labelledby="identifiers" {
                h2 #identifiers { "Ids that lead here" }
                dl {
                    @for (kind, values) in by_kind {
                        @let all = values.len();
                        @let shown: Vec<&str> = values.into_iter().filter(|value| all <= MANY || !of_items.contains(&(kind, *value))).collect();
                        @let others = all - shown.len();
                        div { dt { (label::in_words(kind)) } dd {
                            @for value in shown { (label::copied(value)) }
                            @if others > 0 { a href="#all-items" { (others) " with the items" } }
                        } }
                    }
                }
            }
        }
    }
}

/// The ids that the table of items shows of an item, each with its kind.
fn ids_of(item: &ItemRecord) -> impl Iterator<Item = (&str, &str)> {
    let ids = [
        ("item-id", Some(&item.item_id)),
        ("service-id", item.service_id.as_ref()),
        ("product-id", item.product_id.as_ref()),
        ("internal-id", item.internal_id.as_ref()),
    ];
    ids.into_iter().filter_map(|(kind, value)| Some((kind, value?.as_str())))
}

/// Contradictions that the feed has resolved. Those that stand are told at the top.
pub fn resolved(timeline: &TimelineRecord, viewer: &Viewer) -> Markup {
    let is_over = |entry: &&EntryRecord| entry.is_contradiction_opened() && entry.valid_to.is_some();
    let over: Vec<_> = timeline.entries.iter().filter(is_over).collect();
    html! {
        @if !over.is_empty() {
            section.ledger aria-labelledby="resolved" {
                h2 #resolved { "Contradictions resolved" }
                ol {
                    @for entry in over {
                        li {
                            p { (entry.text.strip_prefix("Contradiction: ").unwrap_or(&entry.text)) }
                            p.by { (viewer.minute(entry.at)) @if let Some(until) = entry.valid_to { " to " (viewer.minute(until)) } }
                        }
                    }
                }
            }
        }
    }
}

pub fn as_data(head: &OrderHead, view: &OrderView) -> Markup {
    let api = format!("/api/v1/orders/{}", in_path(&head.order_id));
    let sender = ("sender", Some(head.sender.as_str()));
    let (at, known_at) = (("at", view.at()), ("knownAt", view.known_at()));
    html! {
        p.data {
            a href=(with_query(&format!("/orders/{}/deliveries", in_path(&head.order_id)), &[sender])) { "Deliveries of this order" }
            " · as JSON: "
            a href=(with_query(&api, &[sender, at, known_at])) { "order" } ", "
            a href=(with_query(&format!("{api}/timeline"), &[sender, ("item", view.item()), at, known_at])) { "timeline" } ", "
            a href=(with_query(&format!("{api}/deliveries"), &[sender])) { "deliveries" }
        }
    }
}
