//! The timeline: a heading for every event, a line for every change it made.

use maud::{Markup, html};

use super::link::{order_path, with_query};
use super::order::OrderView;
use super::time;
use crate::order::{Kind, compared, rfc3339};
use crate::record::{EntryRecord, OrderHead, TimelineRecord, is_said, lines, said_of};

/// The events of a timeline, in the order of time.
pub fn events(timeline: &TimelineRecord, view: &OrderView) -> Markup {
    let events: Vec<&[EntryRecord]> = timeline.entries.chunk_by(|a, b| a.event_position == b.event_position).collect();
    html! {
        @match view.item() {
            _ if events.is_empty() => p.nothing { "Nothing to tell" @if view.item().is_some() { " about this item" } "." },
            Some(item) => p.note { (count(events.len())) " about item " bdi { (item) } ", oldest first." },
            None => p.note {
                (count(events.len())) ", oldest first."
                @if events.len() > 3 { " " a href={ "#event-" (events.len()) } { "Go to the latest" } }
            }
        }
        @for (number, event) in (1_usize..).zip(&events) { (section(number, event, &timeline.order, view)) }
    }
}

fn count(events: usize) -> String {
    if events == 1 {
        "1 event that changed something".to_owned()
    } else {
        format!("{events} events that changed something")
    }
}

fn section(number: usize, event: &[EntryRecord], order: &OrderHead, view: &OrderView) -> Markup {
    let own = event.iter().find(|entry| entry.known_kind() != Some(Kind::Conflict)).or(event.first());
    html! {
        @if let Some(first) = own {
            section.event #{ "event-" (number) } aria-labelledby={ "event-" (number) "-time" } {
                header {
                    h3 #{ "event-" (number) "-time" } { (time::to_the_second(first.at)) }
                    (about(first, order, view))
                }
                ul.entries { @for line in lines(event) { (entry(&line, first)) } }
            }
        }
    }
}

/// What is to know of an event beside its time: when it came, what is odd about that, and its source.
fn about(event: &EntryRecord, order: &OrderHead, view: &OrderView) -> Markup {
    let delay = event.received_at - event.at;
    let moment = rfc3339(event.at);
    let then = [("item", view.item()), ("at", Some(moment.as_str())), ("knownAt", view.known_at())];
    let then = with_query(&order_path(&order.order_id, &order.sender), &then);
    html! {
        ul.about {
            @if event.at_estimated {
                li.flag { "time estimated: none was stated, this is when it was received" }
            } @else {
                li { "received " (time::beside(event.received_at, event.at)) }
            }
            @if event.late {
                li.flag { "late" @if delay.num_seconds() > 0 { ": received " (time::span(delay)) " after" } }
            }
            li { @match &event.event_id {
                Some(id) => { "event " span.id title=(id) { bdi { (shortened(id)) } } }
                None => "event without an id"
            } }
            li {
                a href={ "/api/v1/deliveries/" (event.delivery_id) "/body" } { "body" }
                " · " a href=(then) { "as it was then" }
            }
        }
    }
}

/// The first part of a long id; its title holds it whole.
fn shortened(id: &str) -> String {
    const SHOWN: usize = 8;
    if id.chars().count() <= SHOWN + 4 {
        id.to_owned()
    } else {
        format!("{}…", id.chars().take(SHOWN).collect::<String>())
    }
}

/// A line. What only repeats what the line says already is there for those who listen to the page.
fn entry(line: &[&EntryRecord], event: &EntryRecord) -> Markup {
    let Some((first, others)) = line.split_first() else {
        return html! {};
    };
    html! {
        li class={ "entry " (weight(first)) } {
            span.kind { (kind(first)) }
            p {
                (severity(first))
                (first.text)
                @for other in others {
                    @if is_said(line, other) {
                        span.hidden { ". " (kind(other)) ": " (said_of(first, other)) }
                    } @else {
                        span.hidden { ". " (kind(other)) ":" } span.dot aria-hidden="true" { " ·" } " " (said_of(first, other))
                    }
                }
                @if first.delivery_id != event.delivery_id {
                    " (" a href={ "/api/v1/deliveries/" (first.delivery_id) "/body" } { "its body" }
                    ", received " (time::beside(first.received_at, event.at)) ")"
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

/// What must not be overlooked, and what sums up.
fn weight(entry: &EntryRecord) -> &'static str {
    match entry.known_kind() {
        Some(Kind::Conflict | Kind::Contradiction) => "alarm",
        Some(Kind::OrderCreated | Kind::OrderState | Kind::Milestone) => "weighty",
        _ => "usual",
    }
}
