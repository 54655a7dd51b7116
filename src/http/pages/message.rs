//! Pages that say one thing.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::frame::{Frame, page};
use super::order::instant;
use super::viewer::Viewer;
use crate::http::link::{in_path, order_path, with_query};
use crate::order::rfc3339;
use crate::record::OrderHead;

/// A page with a sentence or two: not found, not available, a time that cannot be read.
pub fn message(title: &str, detail: &str, viewer: &Viewer) -> Markup {
    let content = html! {
        h1 { (title) }
        p.lead { (detail) }
        p { a href="/" { "Home" } " · " a href="/orders" { "All orders" } }
    };
    page(&Frame::new(title), viewer, content)
}

/// The page for an order id that several senders use: each has an order of its own.
pub fn choose_sender(order_id: &str, senders: &[String], viewer: &Viewer) -> Markup {
    let title = format!("Order {order_id}");
    let content = html! {
        h1 { "Order " bdi { (order_id) } }
        p.lead { "Several senders have an order with this id. Which one is it?" }
        ul.plain {
            @for sender in senders {
                li { a href=(order_path(order_id, sender)) { "Order " bdi { (order_id) } " of " bdi { (sender) } } }
            }
        }
    };
    page(&Frame { search: order_id, ..Frame::new(&title) }, viewer, content)
}

/// The page for a moment at which nothing had happened to an order, or nothing was known of it. `at` and `known_at` are
/// the times as they were asked for, `head` is the order as it is now, `first_heard` its first receipt.
pub fn nothing_yet(
    head: &OrderHead,
    first_heard: Option<DateTime<Utc>>,
    at: Option<&str>,
    known_at: Option<&str>,
    viewer: &Viewer,
) -> Markup {
    let title = format!("Order {}: nothing known yet", head.order_id);
    let now = order_path(&head.order_id, &head.sender);
    let as_of = |name: &str, time: DateTime<Utc>| {
        with_query(
            &format!("/orders/{}", in_path(&head.order_id)),
            &[("sender", Some(&head.sender)), (name, Some(&rfc3339(time)))],
        )
    };
    let content = html! {
        h1 { "Order " bdi { (head.order_id) } ": nothing known yet" }
        p.lead {
            @match (at, known_at) {
                (Some(at), None) => { "Nothing had happened to it yet at " (instant(at, viewer)) "." },
                (None, Some(known_at)) => { "Nothing was known of it yet at " (instant(known_at, viewer)) "." },
                (Some(at), Some(known_at)) => { "Of what had happened to it at " (instant(at, viewer)) ", nothing was known yet at " (instant(known_at, viewer)) "." },
                (None, None) => "Nothing is known of it yet.",
            }
        }
        p.lead {
            @if let Some(first) = first_heard { "First heard of on " (viewer.exact(first)) ". " }
            "Its first event is of " (viewer.exact(head.first_event_at)) "."
        }
        p.actions {
            a href=(now) { "Show now" }
            @if let Some(first) = first_heard { a href=(as_of("knownAt", first)) { "As we first knew it" } }
            a href=(as_of("at", head.first_event_at)) { "As it was at its first event" }
        }
    };
    page(&Frame { search: &head.order_id, ..Frame::of_part(&title, "/orders/") }, viewer, content)
}
