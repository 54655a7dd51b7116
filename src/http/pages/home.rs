//! The first page: the day in numbers, what waits, what moved last.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use maud::{Markup, html};

use super::chart::{Bar, Part, bars};
use super::frame::{Frame, page};
use super::label;
use super::orders::{REASONS, Row, events};
use super::viewer::Viewer;
use crate::http::link::{order_path, with_query};
use crate::order::{ENDED_UNRESOLVED, capitalised, rfc3339};
use crate::record::OutcomeName;
use crate::store::Numbers;

/// The first page. `latest` are the orders that moved last.
pub fn home(numbers: &Numbers, latest: &[Row], viewer: &Viewer) -> Markup {
    let received: i64 = numbers.deliveries.iter().map(|(_, _, count)| count).sum();
    let of_outcome =
        |outcome| numbers.deliveries.iter().filter(move |(_, one, _)| *one == outcome).map(|(_, _, n)| n).sum::<i64>();
    let content = html! {
        h1.hidden { "Home" }
        section aria-label="The last 24 hours" {
            ul.numbers {
                @let since = rfc3339(numbers.since());
                @let events = with_query("/deliveries", &[("outcome", Some("applied")), ("receivedFrom", Some(&since))]);
                (number("events in 24 h", of_outcome(OutcomeName::Applied).to_string(), &events))
                (number("new orders in 24 h", numbers.new_orders.to_string(), &with_query("/orders", &[("startedFrom", Some(&since))])))
                (number("orders need attention", numbers.waiting.to_string(), "/attention"))
                (number("bodies in quarantine", counted(numbers.quarantined, true), "/deliveries?outcome=quarantined"))
            }
        }
        div.charts {
            (bars("Deliveries by the hour", &by_hour(numbers, viewer)))
            (bars("Orders by the day of their last event", &by_day(numbers, viewer)))
        }
        div.columns.even {
            section aria-labelledby="waiting" {
                h2 #waiting { "What waits" }
                @let ended = of_reason(numbers, ENDED_UNRESOLVED);
                @if numbers.attention.len() == usize::from(ended > 0) { p.nothing { "No order needs attention." } }
                @else { p.note { "Orders by reason; one that has several stands at each." } }
                ul.tally {
                    @for reason in REASONS.into_iter().filter(|reason| *reason != ENDED_UNRESOLVED) {
                        @let count = of_reason(numbers, reason);
                        @if count > 0 {
                            li {
                                a href=(with_query("/attention", &[("reason", Some(reason))])) { (label::in_words(reason)) }
                                span.count { (counted(count, reason == "silent")) }
                            }
                        }
                    }
                }
                @if ended > 0 {
                    p.note { a href=(with_query("/attention", &[("reason", Some(ENDED_UNRESOLVED))])) { (capitalised(&label::ended_in_words(ended))) } "." }
                }
                h2 { "Visits missed or moved in " (Numbers::VISIT_DAYS) " days" }
                @if numbers.visits.is_empty() { p.nothing { "None." } }
                ul.tally {
                    @for (fault, count) in &numbers.visits {
                        li { a href=(with_query("/visits", &[("fault", Some(fault)), ("from", Some(&rfc3339(numbers.visits_since())))])) { (label::fault_in_words(fault)) } span.count { (count) } }
                    }
                }
            }
            section aria-labelledby="latest" {
                h2 #latest { "Moved last" }
                @if latest.is_empty() { p.nothing { "There are no orders yet. One stands here as soon as a sender delivers its first event." } }
                ul.latest { @for row in latest { (moved(row, viewer)) } }
                div #recent hidden {}
            }
        }
        p.note {
            "Numbers of " (viewer.second(numbers.at)) ". "
            a href=(with_query("/deliveries", &[("receivedFrom", Some(&rfc3339(numbers.since())))])) { (received) @if received == 1 { " body was" } @else { " bodies were" } " received in 24 hours" } "."
        }
    };
    page(&Frame::of_part("Home", "/"), viewer, content)
}

fn of_reason(numbers: &Numbers, reason: &str) -> i64 {
    numbers.attention.iter().find(|(known, _)| known == reason).map_or(0, |(_, count)| *count)
}

fn number(name: &str, count: String, href: &str) -> Markup {
    html! { li { a href=(href) { strong { (count) } span { (name) } } } }
}

fn counted(count: i64, is_bounded: bool) -> String {
    if is_bounded && count >= Numbers::COUNTED { format!("{count} or more") } else { count.to_string() }
}

fn moved((hit, digest): &Row, viewer: &Viewer) -> Markup {
    let order = &hit.head;
    html! {
        li data-walk {
            a href=(order_path(&order.order_id, &order.sender)) { bdi { (order.order_id) } }
            " " (label::state(&order.state))
            @if let Some(one) = digest.attention.first() { " " span title=(one.why) { (label::reason(&one.reason)) } }
            small { (label::brief(&digest.product)) @if !digest.product.is_empty() { " · " } (viewer.ago(order.last_event_at)) " · " (events(order.events)) }
        }
    }
}

/// The last 24 hours, empty ones too. The first and the last are parts of hours: together the bars are what is counted.
fn by_hour(numbers: &Numbers, viewer: &Viewer) -> Vec<Bar> {
    let this = numbers.at.duration_trunc(TimeDelta::hours(1)).unwrap_or(numbers.at);
    let mut counts: BTreeMap<DateTime<Utc>, BTreeMap<OutcomeName, i64>> =
        (0..=24).map(|hours| (this - TimeDelta::hours(hours), BTreeMap::new())).collect();
    for (hour, outcome, count) in &numbers.deliveries {
        if let Some(known) = counts.get_mut(hour) {
            known.insert(*outcome, *count);
        }
    }
    let tone = |outcome| match outcome {
        OutcomeName::Applied => "good",
        OutcomeName::Duplicate | OutcomeName::Spooled => "plain",
        OutcomeName::Conflict => "doubt",
        OutcomeName::Quarantined => "bad",
    };
    let bar = |(hour, counts): (DateTime<Utc>, BTreeMap<OutcomeName, i64>)| {
        let local = viewer.local(hour);
        Bar {
            label: local.format("%H:%M").to_string(),
            name: local.format("%a %H:%M").to_string(),
            parts: OutcomeName::ALL
                .map(|outcome| (tone(outcome), outcome.name(), counts.get(&outcome).copied().unwrap_or(0)))
                .to_vec(),
        }
    };
    counts.into_iter().map(bar).collect()
}

/// The last 14 days, by how orders stand now.
fn by_day(numbers: &Numbers, viewer: &Viewer) -> Vec<Bar> {
    const TONES: [(&str, &str); 5] = [
        ("good", "completed"),
        ("busy", "in progress"),
        ("doubt", "waiting or partial"),
        ("bad", "failed or rejected"),
        ("plain", "otherwise"),
    ];
    let today = viewer.local(numbers.at).date_naive();
    let days: Vec<NaiveDate> =
        (0..14).rev().filter_map(|days| today.checked_sub_days(chrono::Days::new(days))).collect();
    let count = |day: NaiveDate, tone: &str| -> i64 {
        let of_day =
            numbers.orders.iter().filter(|(known, state, _)| *known == day && label::tone_of_state(state) == tone);
        of_day.map(|(_, _, count)| count).sum()
    };
    let bar = |day: NaiveDate| Bar {
        label: day.format("%-d %b").to_string(),
        name: day.format("%a %-d %b").to_string(),
        parts: TONES.map(|(tone, name)| -> Part { (tone, name, count(day, tone)) }).to_vec(),
    };
    days.into_iter().map(bar).collect()
}
