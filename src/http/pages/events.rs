//! The timeline: a heading for every event, a line for every change it made.

use maud::{Markup, html};

use super::link::{order_path, with_query};
use super::order::OrderView;
use super::time;
use crate::order::{Kind, compared, repeats_state, rfc3339, same};
use crate::record::{EntryRecord, OrderHead, TimelineRecord};

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

/// The entries of an event by line: what an item's first appearance, or a change of its state, brings with
/// it stands on one.
fn lines(event: &[EntryRecord]) -> Vec<Vec<&EntryRecord>> {
    let mut lines: Vec<Vec<&EntryRecord>> = Vec::new();
    for entry in event {
        match lines.iter_mut().find(|line| goes_with(line, entry)) {
            Some(line) => line.push(entry),
            None => lines.push(vec![entry]),
        }
    }
    lines
}

fn goes_with(line: &[&EntryRecord], entry: &EntryRecord) -> bool {
    let Some(first) = line.first().filter(|first| first.item_ids == entry.item_ids && entry.item_ids.len() == 1) else {
        return false;
    };
    match (first.known_kind(), entry.known_kind()) {
        (Some(Kind::ItemAdded), Some(kind)) => {
            [Kind::ItemState, Kind::ItemSubStatus, Kind::ExpectedDate, Kind::ServiceId].contains(&kind)
        }
        (Some(Kind::ItemState), Some(Kind::ItemSubStatus)) => true,
        (Some(Kind::ItemState | Kind::ItemSubStatus), Some(Kind::ExpectedDate)) => is_said(line, entry),
        _ => false,
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

/// What the entry says after "Access item 100.1: ", where the line began with the same words.
fn said_of<'e>(first: &EntryRecord, entry: &'e EntryRecord) -> &'e str {
    let label = first.text.split_once(": ").map(|(label, _)| label);
    label.and_then(|label| entry.text.strip_prefix(label)?.strip_prefix(": ")).unwrap_or(&entry.text)
}

/// Whether an entry only says again what the line shows already: a sub-status that stands in the state's
/// parentheses, a date that stands behind the sub-status.
fn is_said(line: &[&EntryRecord], entry: &EntryRecord) -> bool {
    let of_kind = |kind| line.iter().find(|other| other.known_kind() == Some(kind)).copied();
    let said = line.first().map_or("", |first| said_of(first, entry));
    match entry.known_kind() {
        Some(Kind::ItemSubStatus) => of_kind(Kind::ItemState).is_some_and(|state| repeats(state, entry, said)),
        Some(Kind::ExpectedDate) => {
            of_kind(Kind::ItemSubStatus).is_some_and(|other| other.text.ends_with(said) && !is_said(line, other))
        }
        _ => false,
    }
}

/// The date behind a sub-status has an entry of its own and so does not count. A sub-status that the
/// vocabulary puts in other words than its code says something new.
fn repeats(state: &EntryRecord, sub_status: &EntryRecord, said: &str) -> bool {
    let value = |entry: &EntryRecord| entry.to.as_ref().and_then(|to| to.as_str()).unwrap_or_default().to_owned();
    let (to, said) = (value(sub_status), said.split("; expected completion").next().unwrap_or(said));
    let is_there = state.text.ends_with(&format!(" ({to})")) || repeats_state(&value(state), &to);
    is_there && (same(said, &to) || said.strip_prefix("sub-status ") == Some(&to))
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
