//! Ledgers: every version of the appointments, and of the expected dates.

use maud::{Markup, html};
use serde_json::Value as Json;

use super::missed;
use crate::http::link::{order_path, with_query};
use crate::http::pages::label;
use crate::http::pages::viewer::Viewer;
use crate::order::{Appointment, Kind, Moment, Vocabulary, appointment_status, day_or_time, window};
use crate::record::{EntryRecord, TimelineRecord};

/// So many versions are shown of each.
const SHOWN: usize = 12;

/// The appointments' versions, the latest first.
pub fn appointments(timeline: &TimelineRecord, vocabulary: &Vocabulary, viewer: &Viewer) -> Markup {
    let versions: Vec<&EntryRecord> = of_kind(timeline, Kind::Appointment);
    let said = missed::of(timeline, &versions, vocabulary);
    html! {
        @if !versions.is_empty() {
            section.ledger aria-labelledby="appointments" {
                h2 #appointments { "Appointments" }
                ol {
                    @for entry in versions.iter().rev().take(SHOWN) {
                        li class=[entry.valid_to.map(|_| "former")] {
                            (appointment(entry, vocabulary, viewer))
                            @for one in said.get(&(entry.event_position, entry.ordinal)).into_iter().flatten() { (missed::told(one, viewer)) }
                        }
                    }
                }
                (counts(&versions))
                (earlier(versions.len(), Kind::Appointment, timeline))
            }
        }
    }
}

fn of_kind(timeline: &TimelineRecord, kind: Kind) -> Vec<&EntryRecord> {
    timeline.entries.iter().filter(|entry| entry.known_kind() == Some(kind)).collect()
}

fn appointment(entry: &EntryRecord, vocabulary: &Vocabulary, viewer: &Viewer) -> Markup {
    let stated = |name: &str| entry.to.as_ref().and_then(|to| to.get(name)).and_then(Json::as_str);
    let moment = |name: &str| stated(name).map(|text| Moment::new(text, text.parse().ok()));
    let hours = window(&Appointment { start: moment("start"), finish: moment("finish"), ..Appointment::default() });
    let fault = entry.fact("fault").and_then(Json::as_str);
    let words = stated("status").map(|status| appointment_status(status, vocabulary));
    let changed: Vec<&str> =
        entry.fact("changed").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let fault_code = entry.fact("faultCode").and_then(Json::as_str);
    html! {
        p {
            strong { (hours.unwrap_or_else(|| "No time yet".to_owned())) }
            @if let Some(slot) = entry.fact("slot").and_then(Json::as_str) { " " (label::in_words(slot)) }
            @if entry.valid_to.is_some() { span.hidden { " (changed since)" } }
        }
        p {
            @if let Some(status) = stated("status") { span title=(status) { (words.as_deref().unwrap_or(status)) } }
            @if let (Some(fault), Some(code), true) = (fault, fault_code, changed.contains(&"window")) {
                // The message is about the visit that this one takes the place of.
                " · moved; fault: " span.fault { "the " (fault) } ", " (label::said_by_message(code, vocabulary))
            } @else if let Some(fault) = fault.filter(|fault| !words.as_ref().is_some_and(|words| words.contains(fault))) {
                " · " span.fault { "by the " (fault) }
                @if let Some(code) = fault_code { ", said " (label::said_by_message(code, vocabulary)) }
            }
        }
        p.by {
            "item " bdi { (entry.item_ids.join(", ")) }
            @if let Some(reference) = stated("reference") { " · " (label::id(reference)) }
            @if let Some(id) = stated("id") { " · " (label::id(id)) }
            " · said " (viewer.minute(entry.at))
            @if !changed.is_empty() { " · changed: " (changed.join(", ")) }
        }
    }
}

/// The ledgers show the latest versions; the timeline has all of them.
fn earlier(versions: usize, kind: Kind, timeline: &TimelineRecord) -> Markup {
    let order = &timeline.order;
    let all = with_query(&order_path(&order.order_id, &order.sender), &[("kind", Some(kind.name()))]);
    html! {
        @if versions > SHOWN {
            p.by { a href={ (all) "#timeline" } { (versions - SHOWN) " earlier ones are in the timeline" } }
        }
    }
}

fn counts(versions: &[&EntryRecord]) -> Markup {
    let moved = versions.iter().filter_map(|entry| entry.fact("reschedules")?.as_i64()).max().unwrap_or(0);
    html! { @if moved > 0 { p.by { "The window moved " (moved) @if moved == 1 { " time." } @else { " times." } } } }
}

/// The expected dates' versions, the latest first; what one event says of several items is one version.
pub fn dates(timeline: &TimelineRecord, viewer: &Viewer) -> Markup {
    let mut versions: Vec<(&EntryRecord, Vec<&str>)> = Vec::new();
    for entry in of_kind(timeline, Kind::ExpectedDate) {
        let is_same = |known: &EntryRecord| {
            (known.event_position, &known.to, &known.facts, known.valid_to.is_some())
                == (entry.event_position, &entry.to, &entry.facts, entry.valid_to.is_some())
        };
        let items = entry.item_ids.iter().map(String::as_str);
        match versions.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, known)) => known.extend(items),
            None => versions.push((entry, items.collect())),
        }
    }
    html! {
        @if !versions.is_empty() {
            section.ledger aria-labelledby="dates" {
                h2 #dates { "Expected completion" }
                ol {
                    @for (entry, items) in versions.iter().rev().take(SHOWN) {
                        li class=[entry.valid_to.map(|_| "former")] { (date(entry, items, viewer)) }
                    }
                }
                (earlier(versions.len(), Kind::ExpectedDate, timeline))
            }
        }
    }
}

fn date(entry: &EntryRecord, items: &[&str], viewer: &Viewer) -> Markup {
    let text = entry.to_text.as_deref().or_else(|| entry.to.as_ref()?.as_str()).unwrap_or_default();
    let at = entry.to.as_ref().and_then(Json::as_str).and_then(|at| at.parse().ok());
    let number = |name: &str| entry.fact(name).and_then(Json::as_i64).filter(|days| *days != 0);
    let is_first = entry.fact("first").and_then(Json::as_bool).unwrap_or(false);
    let in_text_of = entry.fact("inTextOf").and_then(Json::as_str);
    html! {
        p {
            strong { (day_or_time(&Moment::new(text, at))) }
            @if is_first && in_text_of.is_none() { " first said" }
            @if entry.valid_to.is_some() { span.hidden { " (changed since)" } }
            @if let Some(days) = number("daysFromFirst") {
                " " span class=[(days > 0).then_some("slipped")] {
                    (days.abs()) @if days.abs() == 1 { " day " } @else { " days " }
                    @if days > 0 { "later than first said" } @else { "earlier than first said" }
                }
            }
        }
        p.by {
            @match items { [] => "the order", [one] => { "item " bdi { (one) } }, several => { "items " (several.join(", ")) } }
            @if let Some(code) = in_text_of { " · only in the text of message " (code) }
            @else if let Some(code) = entry.fact("reasonCode").and_then(Json::as_str) { " · reason: message " (code) }
            " · said " (viewer.minute(entry.at))
        }
    }
}
