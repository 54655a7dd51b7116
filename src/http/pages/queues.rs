//! The queues: attention, visits missed or moved, values that nobody explained, the feed's health.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use serde_json::Value as Json;

use super::digest::weightiest_first;
use super::frame::{Frame, page};
use super::label;
use super::orders::REASONS;
use super::tabs::tabs;
use super::viewer::{Viewer, span};
use crate::http::link::{order_path, with_query};
use crate::order::{Appointment, ENDED_UNRESOLVED, Moment, Vocabulary, appointment_status, rfc3339, window};
use crate::store::{AttentionRow, FeedNumbers, UnknownRow, VisitRow};

/// The orders that need a person, each once: those with the weightiest reason first, and of these those that wait
/// longest. `reason` is what was asked for, `ended` how many have ended with something unresolved, `next` where the
/// next page begins.
pub fn attention(
    rows: &[AttentionRow],
    reason: Option<&str>,
    ended: i64,
    next: Option<&str>,
    viewer: &Viewer,
) -> Markup {
    let part = if reason == Some("silent") { "/attention?reason=silent" } else { "/attention" };
    let title = reason
        .map_or_else(|| "Attention".to_owned(), |reason| format!("Attention: {}", label::reason_in_words(reason)));
    let content = html! {
        h1 { (title) }
        p.note {
            @match reason {
                Some(ENDED_UNRESOLVED) => "Orders that have ended and still contradict themselves, the longest first. Nobody waits for them to go on; what clashes may have to be put right with the supplier.",
                Some(_) => "Orders that go on and need a person, those that wait longest first.",
                None => "Orders that go on and need a person: those with the weightiest reason first, and of these those that wait longest.",
            }
            " The feed itself takes an order off the list."
        }
        (tabs("Reasons", &REASONS, reason, label::reason_in_words, |reason| with_query("/attention", &[("reason", reason)])))
        @if reason.is_none() { (not_listed(ended)) }
        @if rows.is_empty() { p.nothing { "Nothing waits here." } } @else {
            table.list role="table" aria-label=(title) {
                thead role="rowgroup" { tr role="row" {
                    th role="columnheader" scope="col" { "Order" } th role="columnheader" scope="col" { "Reason" }
                    th role="columnheader" scope="col" { "Since" } th role="columnheader" scope="col" { "Why" }
                    th role="columnheader" scope="col" { "State" }
                } }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" data-walk {
                            (order_cell(&row.order_id, &row.sender))
                            td.reason role="cell" { (label::reason(&row.reason)) (others(row, viewer)) }
                            td.when role="cell" data-label="Since" { (viewer.minute(row.since)) small { (waited(row, viewer)) } }
                            td.why role="cell" { (row.why) }
                            td role="cell" { (label::state(&row.state)) }
                        }
                    }
                }
            }
        }
        (pager("/attention", &[("reason", reason), ("after", next)], next.is_some()))
    };
    page(&Frame::of_part(&title, part), viewer, content)
}

/// What has a list of its own is not lost: it is counted and named here.
fn not_listed(ended: i64) -> Markup {
    html! {
        p.note.apart {
            "Not listed here: "
            a href=(with_query("/attention", &[("reason", Some(ENDED_UNRESOLVED))])) { (label::ended_in_words(ended)) }
            ", and " a href="/attention?reason=silent" { "silent orders" } "."
        }
    }
}

/// What else there is to it, beside the reason that places it here.
fn others(row: &AttentionRow, viewer: &Viewer) -> Markup {
    html! {
        @if !row.others.is_empty() {
            ul.others {
                @for other in weightiest_first(row.others.clone()) {
                    li title=(other.why) { (label::reason(&other.reason)) small { "since " (viewer.day(other.since)) } }
                }
            }
        }
    }
}

fn waited(row: &AttentionRow, viewer: &Viewer) -> String {
    format!("for {}", span(viewer.now - row.since))
}

fn order_cell(order_id: &str, sender: &str) -> Markup {
    html! { th role="rowheader" scope="row" { a href=(order_path(order_id, sender)) { bdi { (order_id) } } small { bdi { (sender) } } } }
}

fn pager(path: &str, query: &[(&str, Option<&str>)], has_more: bool) -> Markup {
    html! { @if has_more { nav.pager aria-label="Pages" { a rel="next" href=(with_query(path, query)) { "Next page" } } } }
}

/// Visits that were missed or moved, the latest first; those said at `since` or later.
pub fn visits(
    rows: &[VisitRow],
    fault: Option<&str>,
    since: Option<DateTime<Utc>>,
    next: Option<&str>,
    vocabulary: &Vocabulary,
    viewer: &Viewer,
) -> Markup {
    let content = html! {
        h1 { "Visits missed or moved" }
        p.note {
            "By whose fault, as far as the supplier says. Orders that wait for a new appointment are under "
            a href="/attention?reason=missed" { "missed" } " and " a href="/attention?reason=access-failed" { "access failed" } "."
        }
        @let from = since.map(rfc3339);
        @let address = |fault: Option<&str>| with_query("/visits", &[("fault", fault), ("from", from.as_deref())]);
        (tabs("Fault", &["customer", "supplier", "unknown"], fault, label::fault_in_words, address))
        @if let Some(since) = since {
            p.note { "Said since " (viewer.minute(since)) ". " a href=(with_query("/visits", &[("fault", fault)])) { "Earlier ones, too" } }
        }
        @if rows.is_empty() { p.nothing { "No such visit." } } @else {
            table.list role="table" aria-label="Visits missed or moved" {
                thead role="rowgroup" { tr role="row" {
                    th role="columnheader" scope="col" { "Order" } th role="columnheader" scope="col" { "Fault" }
                    th role="columnheader" scope="col" { "Window" } th role="columnheader" scope="col" { "What was said" }
                    th role="columnheader" scope="col" { "Said" } th role="columnheader" scope="col" { "State" }
                } }
                tbody role="rowgroup" { @for row in rows { (visit(row, vocabulary, viewer)) } }
            }
        }
        (pager("/visits", &[("fault", fault), ("from", from.as_deref()), ("before", next)], next.is_some()))
    };
    page(&Frame::of_part("Visits missed or moved", "/visits"), viewer, content)
}

fn visit(row: &VisitRow, vocabulary: &Vocabulary, viewer: &Viewer) -> Markup {
    let stated =
        |name: &str| row.appointment.as_ref().and_then(|appointment| appointment.get(name)).and_then(Json::as_str);
    let moment = |name: &str| stated(name).map(|text| Moment::new(text, text.parse().ok()));
    let hours = window(&Appointment { start: moment("start"), finish: moment("finish"), ..Appointment::default() });
    let tone = match row.fault.as_str() {
        "customer" => "doubt",
        "supplier" => "bad",
        _ => "plain",
    };
    html! {
        tr role="row" data-walk {
            (order_cell(&row.order_id, &row.sender))
            td role="cell" data-label="Fault" {
                span class={ "label " (tone) } { (row.fault) }
                @if let Some(code) = &row.fault_code { small { (label::said_by_message(code, vocabulary)) } }
            }
            td role="cell" data-label="Window" {
                (hours.unwrap_or_default())
                @if let Some(status) = stated("status") { small title=(status) { (appointment_status(status, vocabulary)) } }
            }
            td.why role="cell" {
                (row.sentence)
                @if let Some(times) = row.reschedules.filter(|times| *times > 0) { small { "moved " (times) @if times == 1 { " time" } @else { " times" } } }
            }
            td.when role="cell" data-label="Said" { (viewer.minute(row.at)) small { a href={ "/deliveries/" (row.delivery_id) } { "delivery" } } }
            td role="cell" { (label::state(&row.state)) }
        }
    }
}

/// Values that the vocabulary does not know.
pub fn unknown(rows: &[UnknownRow], viewer: &Viewer) -> Markup {
    let content = html! {
        h1 { "Unknown values" }
        p.note {
            "Values that the feed uses and the vocabulary does not explain, the most frequent first. They are kept and shown as they came. "
            "An operator explains one with " code { "order-timeline vocabulary set" } "."
        }
        @if rows.is_empty() { p.nothing { "The vocabulary knows every value that has come." } } @else {
            table.list role="table" aria-label="Unknown values" {
                thead role="rowgroup" { tr role="row" {
                    th role="columnheader" scope="col" { "Value" } th role="columnheader" scope="col" { "Of what" }
                    th.number role="columnheader" scope="col" { "Events" } th.number role="columnheader" scope="col" { "Orders" }
                    th role="columnheader" scope="col" { "First seen" } th role="columnheader" scope="col" { "Last seen" }
                    th role="columnheader" scope="col" { "For example" }
                } }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" data-walk {
                            th role="rowheader" scope="row" { bdi { (row.value) } }
                            td.subject role="cell" { (label::in_words(&row.subject)) }
                            td.number role="cell" data-label="Events" { (row.occurrences) }
                            td.number role="cell" data-label="Orders" { (row.orders) }
                            td.when role="cell" data-label="First seen" { (viewer.minute(row.first_seen)) }
                            td.when role="cell" data-label="Last seen" { (viewer.minute(row.last_seen)) }
                            td role="cell" { @if let Some((sender, order_id)) = &row.example { "order " a href=(order_path(order_id, sender)) { bdi { (order_id) } } } }
                        }
                    }
                }
            }
        }
    };
    page(&Frame::of_part("Unknown values", "/unknown"), viewer, content)
}

/// How each sender's feed is.
pub fn feed(feeds: &[FeedNumbers], viewer: &Viewer) -> Markup {
    let content = html! {
        h1 { "Feed health" }
        p.note { "Of the last 24 hours, by sender. See also " a href="/unknown" { "values not seen before" } " and the " a href="/deliveries?outcome=quarantined" { "quarantine" } "." }
        @if feeds.is_empty() { p.nothing { "No sender is set up, and none has delivered anything yet." } } @else {
            table.list role="table" aria-label="Feed health" {
                thead role="rowgroup" { tr role="row" {
                    th role="columnheader" scope="col" { "Sender" } th role="columnheader" scope="col" { "Last body" }
                    th.number role="columnheader" scope="col" { "Last hour" } th.number role="columnheader" scope="col" { "Applied" }
                    th.number role="columnheader" scope="col" { "Duplicate" } th.number role="columnheader" scope="col" { "Conflict" }
                    th.number role="columnheader" scope="col" { "Quarantined" } th.number role="columnheader" scope="col" { "With oddities" }
                    th.number role="columnheader" scope="col" { "Over 1 h late" } th role="columnheader" scope="col" { "Time from event to receipt" }
                } }
                tbody role="rowgroup" { @for feed in feeds { (sender(feed, viewer)) } }
            }
        }
    };
    page(&Frame::of_part("Feed health", "/feed"), viewer, content)
}

fn sender(feed: &FeedNumbers, viewer: &Viewer) -> Markup {
    let numbers = [
        ("Last hour", feed.last_hour),
        ("Applied", feed.applied),
        ("Duplicate", feed.duplicates),
        ("Conflict", feed.conflicts),
        ("Quarantined", feed.quarantined),
        ("With oddities", feed.odd),
        ("Over 1 h late", feed.late),
    ];
    html! {
        tr role="row" data-walk {
            th role="rowheader" scope="row" { bdi { (feed.sender) } }
            td.when role="cell" data-label="Last body" {
                @match feed.last_received_at { Some(at) => (viewer.ago(at)), None => span { "never" } }
                @if feed.is_disabled { small { "disabled" } }
                @else if feed.last_received_at.is_none() { small { "nothing has come yet" } }
                @else if feed.last_received_at.is_none_or(|at| viewer.now - at > TimeDelta::hours(24)) { small.slipped { "silent for over a day" } }
            }
            @for (name, count) in numbers { td.number role="cell" data-label=(name) { (count) } }
            td role="cell" data-label="Time from event to receipt" {
                @if let (Some(median), Some(p95)) = (feed.lag_median, feed.lag_p95) { (seconds(median)) " usually, " (seconds(p95)) " for the slowest 5 %" }
            }
        }
    }
}

/// Senders' clocks may be ahead; then it took no time.
fn seconds(seconds: f64) -> String {
    let whole = std::time::Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
    TimeDelta::from_std(whole).map_or_else(|_| "ages".to_owned(), span)
}
