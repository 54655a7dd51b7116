//! Which part of the timeline, and as of when: the forms, and the banner where it is not now.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::items;
use super::view::OrderView;
use crate::http::link::{in_path, order_path, with_query};
use crate::http::pages::label::{briefly, in_words};
use crate::http::pages::viewer::Viewer;
use crate::order::{Kind, Vocabulary, rfc3339};
use crate::record::{OrderHead, OrderRecord};
use crate::wire::read_time;

/// Says that the page does not show now. Empty where it does.
pub fn banner(head: &OrderHead, view: &OrderView, viewer: &Viewer) -> Markup {
    let (at, known_at) = (view.at(), view.known_at());
    let now: Vec<_> = view.query_with("at", None).into_iter().filter(|(name, _)| *name != "knownAt").collect();
    let now = with_query(&order_path(&head.order_id, &head.sender), &now);
    let is_ahead = |given: &&str| read_time(given).is_some_and(|read| read.at > viewer.now);
    let (ahead, past): (Vec<_>, Vec<_>) = [at, known_at]
        .into_iter()
        .map(|given| (given.filter(is_ahead), given.filter(|given| !is_ahead(given))))
        .unzip();
    let ahead: Vec<&str> = ahead.into_iter().flatten().collect();
    html! {
        @if view.is_past() {
            div.banner role="status" {
                p {
                    @match past.as_slice() {
                        [None, None] => strong { "Not yet: " },
                        [at, known_at] => {
                            strong { "Not now: " }
                            "this is the order "
                            @if let Some(at) = at { "as it was at " (instant(at, viewer)) ", " }
                            @if let Some(known_at) = known_at { "as we knew it at " (instant(known_at, viewer)) } @else { "as we know it today" }
                            ". "
                        },
                        _ => {},
                    }
                    @if let Some(first) = ahead.first() {
                        (instant(first, viewer))
                        @if let Some(other) = ahead.get(1).filter(|other| *other != first) { " and " (instant(other, viewer)) " are" } @else { " is" }
                        " still to come" @if past.iter().all(Option::is_none) { "; this is what is known now." } @else { "." }
                    }
                }
                a href=(now) { "Show now" }
            }
        }
    }
}

/// A time as the address gives it, in full.
pub fn instant(given: &str, viewer: &Viewer) -> Markup {
    match read_time(given) {
        Some(read) => html! { time datetime=(rfc3339(read.at)) { (viewer.exact(read.at)) } },
        None => html! { bdi { (given) } },
    }
}

/// To filter the timeline by item, kind and text, and to turn it round.
pub fn filters(order: &OrderRecord, view: &OrderView, vocabulary: &Vocabulary) -> Markup {
    let items: Vec<_> = items::flat(&order.items).into_iter().map(|(_, item)| item).collect();
    let unknown = view.item().filter(|chosen| !items.iter().any(|item| item.item_id == *chosen));
    let kinds = Kind::ALL.map(Kind::name);
    let unknown_kind = view.kind().filter(|chosen| !kinds.contains(chosen));
    html! {
        form.filters action={ (path(order)) "#timeline" } method="get" aria-label="Choose what the timeline shows" {
            (kept(order, view, &["at", "knownAt"]))
            label { span { "Item" }
                select name="item" {
                    option value="" { "all" }
                    @for item in &items {
                        @let name = items::name(item, vocabulary);
                        @let short = briefly(&name);
                        option value=(item.item_id) selected[view.item() == Some(&item.item_id)] title=[short.as_ref().map(|_| &name)] { (short.as_ref().unwrap_or(&name)) }
                    }
                    @if let Some(unknown) = unknown { option value=(unknown) selected { (unknown) } }
                }
            }
            label { span { "Kind" }
                select name="kind" {
                    option value="" { "all" }
                    @for kind in kinds { option value=(kind) selected[view.kind() == Some(kind)] { (in_words(kind)) } }
                    @if let Some(unknown) = unknown_kind { option value=(unknown) selected { (unknown) } }
                }
            }
            label { span { "Says" } input name="text" value=[view.text()] size="14" autocomplete="off"; }
            label { span { "Order" }
                select name="sort" {
                    option value="" { "newest first" }
                    option value="oldest" selected[view.is_oldest_first()] { "oldest first" }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

/// The times that we heard of an order: what the slider stops at. To the times that something happened lead the
/// timeline's own links.
pub type Moments = BTreeSet<DateTime<Utc>>;

/// A slider with more stops than this has none that a hand could find.
const MOST_STOPS: usize = 300;

/// To go to a time. Fields are in the viewer's zone, which goes with them. A script puts a slider beside the second.
pub fn times(order: &OrderRecord, view: &OrderView, moments: &Moments, viewer: &Viewer) -> Markup {
    html! {
        form.filters.travel action=(path(order)) method="get" aria-label="Go to another time" {
            (kept(order, view, &["item", "kind", "text", "sort"]))
            input type="hidden" name="zone" value=(viewer.zone.name());
            (field("at", "As it was at", view.at(), None, viewer))
            (field("knownAt", "As we knew it at", view.known_at(), Some(moments), viewer))
            button type="submit" { "Go" }
        }
    }
}

fn path(order: &OrderRecord) -> String {
    format!("/orders/{}", in_path(&order.head.order_id))
}

/// What a form leaves as it is.
fn kept(order: &OrderRecord, view: &OrderView, names: &[&str]) -> Markup {
    html! {
        input type="hidden" name="sender" value=(order.head.sender);
        @for (name, value) in view.query_with("", None) {
            @if let Some(value) = value.filter(|_| names.contains(&name)) { input type="hidden" name=(name) value=(value); }
        }
    }
}

/// `step` is open: with the default, a time with seconds in it would not be accepted back. A slider has to say times
/// exactly: a receipt may be microseconds after what a field can show.
fn field(name: &str, title: &str, given: Option<&str>, moments: Option<&Moments>, viewer: &Viewer) -> Markup {
    let given = given.and_then(read_time).map(|read| read.at);
    let stops = moments.filter(|moments| moments.len() > 1).map(|moments| {
        let every = moments.len().div_ceil(MOST_STOPS).max(1);
        // Counted from the latest, which is the one that matters most.
        let mut stops: Vec<String> = moments.iter().rev().step_by(every).map(|at| rfc3339(*at)).collect();
        stops.reverse();
        stops.join(" ")
    });
    html! {
        div.instant data-moments=[&stops] data-given=[stops.as_ref().and(given).map(rfc3339)] {
            label {
                span { (title) " (" (viewer.zone.name()) ")" }
                input type="datetime-local" name=(name) step="any" value=[given.map(|at| viewer.field_value(at))];
            }
            // What the field was filled with, which it does not say itself: clocks that go back tell an hour twice.
            @if let Some(given) = given { input type="hidden" name={ (name) "Filled" } value=(rfc3339(given)); }
        }
    }
}
