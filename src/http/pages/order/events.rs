//! The timeline: a heading for every event, a line for every change it made.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::view::{OrderView, Selection};
use crate::http::link::{order_path, with_query};
use crate::http::pages::label;
use crate::http::pages::viewer::{Viewer, span};
use crate::order::{Kind, compared, rfc3339};
use crate::record::{EntryRecord, OrderHead, TimelineRecord, is_said, lines, said_of};

/// The id of an event's part of the page.
pub fn anchor(position: i64) -> String {
    format!("event-{}", position + 1)
}

/// The events that are selected, as the view orders them.
pub fn events(timeline: &TimelineRecord, selection: &Selection<'_>, view: &OrderView, viewer: &Viewer) -> Markup {
    let before = deliveries_before(timeline);
    let page = OrderPage { order: &timeline.order, view, viewer, before: &before };
    html! {
        @if selection.events.is_empty() {
            p.nothing { "Nothing to tell" @if view.is_filtered() { " with these filters" } "." }
        } @else {
            p.note aria-live="polite" {
                (count(selection.total)) @if view.is_filtered() { " for these filters" }
                @if view.is_oldest_first() { ", oldest first." } @else { ", newest first." }
            }
            @for event in &selection.events { (section(event, &page)) }
            (pager(selection, &page))
        }
    }
}

/// The delivery of the event before each event's, by position.
fn deliveries_before(timeline: &TimelineRecord) -> BTreeMap<i64, uuid::Uuid> {
    let mut before = BTreeMap::new();
    let mut last: Option<(i64, uuid::Uuid)> = None;
    for entry in timeline.entries.iter().filter(|entry| entry.known_kind() != Some(Kind::Conflict)) {
        if let Some((position, delivery)) = last
            && position != entry.event_position
        {
            before.insert(entry.event_position, delivery);
        }
        last = Some((entry.event_position, entry.delivery_id));
    }
    before
}

struct OrderPage<'p> {
    order: &'p OrderHead,
    view: &'p OrderView,
    viewer: &'p Viewer,
    before: &'p BTreeMap<i64, uuid::Uuid>,
}

fn count(events: usize) -> String {
    if events == 1 {
        "1 event that changed something".to_owned()
    } else {
        format!("{events} events that changed something")
    }
}

fn section(event: &[&EntryRecord], page: &OrderPage<'_>) -> Markup {
    let own = event.iter().find(|entry| entry.known_kind() != Some(Kind::Conflict)).or(event.first());
    html! {
        @if let Some(first) = own {
            @let anchor = anchor(first.event_position);
            section.event #(anchor) data-walk data-delivery=(first.delivery_id) {
                header {
                    h3 { (page.viewer.second(first.at)) }
                    (about(first, page))
                }
                ul.entries { @for line in lines(event.iter().copied()) { (entry(&line, first, page.viewer)) } }
            }
        }
    }
}

/// What is to know of an event beside its time: when it came, what is odd about that, and its source.
fn about(event: &EntryRecord, page: &OrderPage<'_>) -> Markup {
    let delay = event.received_at - event.at;
    let moment = rfc3339(event.at);
    let then = page.view.query_with("at", Some(&moment));
    // Relative to the order's own page: there are many of them.
    let then = with_query("", &[&[("sender", Some(page.order.sender.as_str()))], then.as_slice()].concat());
    html! {
        ul.about {
            @if event.at_estimated {
                li.flag { "time estimated: none was stated, this is when it was received" }
            } @else if delay.num_seconds() != 0 {
                li { "received " (page.viewer.beside(event.received_at, event.at)) }
            }
            @if event.late { li.flag { "late" @if delay.num_seconds() > 0 { ": received " (span(delay)) " after" } } }
            li.links {
                a href={ "/deliveries/" (event.delivery_id) } {
                    @match &event.event_id { Some(id) => { "event " bdi { (label::beginning(id)) } }, None => "delivery without an event id" }
                }
                @if let Some(before) = page.before.get(&event.event_position) {
                    " " a href={ "/deliveries/" (event.delivery_id) "/difference?with=" (before) } { "what differs" }
                }
                " " a href=(then) { "as it was then" }
            }
        }
    }
}

/// A line. What only repeats what the line says already is left out. Those who listen to the page are told of what kind
/// each of its parts is, where its own words do not begin with that.
fn entry(line: &[&EntryRecord], event: &EntryRecord, viewer: &Viewer) -> Markup {
    let Some((first, others)) = line.split_first() else {
        return html! {};
    };
    html! {
        li class={ "entry" (weight(first)) } {
            span.kind { (kind(first)) }
            p {
                (severity(first))
                (first.text)
                @for other in others.iter().filter(|other| !is_said(line, other)) {
                    @let said = said_of(first, other);
                    @if !said.starts_with(&kind(other)) { span.hidden { ". " (kind(other)) ":" } }
                    " · " (said)
                }
                @if first.delivery_id != event.delivery_id {
                    " (" a href={ "/deliveries/" (first.delivery_id) } { "its delivery" }
                    ", received " (viewer.beside(first.received_at, event.at)) ")"
                }
            }
        }
    }
}

/// The kind's own name, readable: "item state", "item sub-status".
fn kind(entry: &EntryRecord) -> String {
    entry.kind.replacen('-', " ", 1)
}

fn severity(entry: &EntryRecord) -> Markup {
    let severity = entry.message.as_ref().and_then(|message| message.severity.as_deref());
    html! {
        @if let Some(severity) = severity {
            @let class = if compared(severity) == "informational" { "hidden" } else { "severity" };
            span class=(class) { (severity) } " "
        }
    }
}

/// What must not be overlooked, and what sums up. A contradiction that is over is history.
fn weight(entry: &EntryRecord) -> &'static str {
    let stands = || entry.is_contradiction_opened() && entry.valid_to.is_none();
    match entry.known_kind() {
        Some(Kind::Contradiction) if !stands() => "",
        Some(Kind::Conflict | Kind::Contradiction) => " alarm",
        Some(Kind::Milestone) if !entry.is_milestone_reached() => "",
        Some(Kind::OrderCreated | Kind::OrderState | Kind::Milestone) => " weighty",
        _ => "",
    }
}

fn pager(selection: &Selection<'_>, page: &OrderPage<'_>) -> Markup {
    let path = order_path(&page.order.order_id, &page.order.sender);
    let address = |page_number: usize| {
        let number = page_number.to_string();
        let query = page.view.query_with("page", Some(number.as_str()).filter(|_| page_number > 1));
        format!("{}#timeline", with_query(&path, &query))
    };
    html! {
        @if selection.pages > 1 {
            nav.pager aria-label="Pages of the timeline" {
                @if selection.page > 1 { a rel="prev" href=(address(selection.page - 1)) { "Previous page" } }
                span { "Page " (selection.page) " of " (selection.pages) }
                @if selection.page < selection.pages { a rel="next" href=(address(selection.page + 1)) { "Next page" } }
            }
        }
    }
}
