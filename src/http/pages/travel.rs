//! Which part of the timeline, and as of when: the form, and the banner where it is not now.

use maud::{Markup, html};

use super::link::{encoded, order_path, with_query};
use super::order::OrderView;
use super::{items, time};
use crate::order::Vocabulary;
use crate::record::OrderRecord;
use crate::wire::read_time;

/// Says that the page does not show now. Empty where it does.
pub fn banner(order: &OrderRecord, view: &OrderView) -> Markup {
    let (at, known_at) = (view.at(), view.known_at());
    let now = with_query(&order_path(&order.head.order_id, &order.head.sender), &[("item", view.item())]);
    html! {
        @if view.is_past() {
            div.banner role="status" {
                p {
                    strong { "Not now: " }
                    @if let Some(at) = at { "as it was at " (instant(at)) @if known_at.is_some() { ", " } }
                    @if let Some(known_at) = known_at { "as we knew it at " (instant(known_at)) }
                    @else { ", as we know it now" }
                    "."
                }
                a href=(now) { "Show now" }
            }
        }
    }
}

/// The form to filter by item and to travel in time.
pub fn form(order: &OrderRecord, view: &OrderView, vocabulary: &Vocabulary) -> Markup {
    let items: Vec<_> = items::flat(&order.items).into_iter().map(|(_, item)| item).collect();
    let unknown = view.item().filter(|chosen| !items.iter().any(|item| item.item_id == *chosen));
    html! {
        form.filters action={ "/orders/" (encoded(&order.head.order_id)) "#timeline" } method="get"
            aria-label="Choose what the timeline shows" {
            input type="hidden" name="sender" value=(order.head.sender);
            label { span { "Item" }
                select name="item" {
                    option value="" { "all" }
                    @for item in &items {
                        option value=(item.item_id) selected[view.item() == Some(&item.item_id)] {
                            (items::name(item, vocabulary))
                        }
                    }
                    @if let Some(unknown) = unknown { option value=(unknown) selected { (unknown) } }
                }
            }
            (field("at", "As it was at (UTC)", view.at()))
            (field("knownAt", "As we knew it at (UTC)", view.known_at()))
            button type="submit" { "Show" }
        }
    }
}

/// `step` is open: with the default, a time with seconds in it would not be accepted back.
fn field(name: &str, title: &str, given: Option<&str>) -> Markup {
    let value = given.and_then(read_time).map(|read| time::field_value(read.at));
    html! { label { span { (title) } input type="datetime-local" name=(name) step="any" value=[value]; } }
}

fn instant(given: &str) -> Markup {
    match read_time(given) {
        Some(read) => html! { (time::to_the_second(read.at)) " (" (time::field_value(read.at)) " UTC)" },
        None => html! { bdi { (given) } },
    }
}
