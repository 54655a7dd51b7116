//! The form that filters the list of orders.

use chrono::NaiveTime;
use chrono_tz::Europe::London;
use maud::{Markup, html};

use super::{OrdersQuery, REASONS, Row, given};
use crate::http::link::with_query;
use crate::http::pages::label;
use crate::http::pages::viewer::Viewer;
use crate::order::state_in_words;
use crate::wire::read_time;

/// TMF622's states of an order (domain §2), for the filter; others can stand beside them.
const STATES: [&str; 9] =
    ["acknowledged", "inProgress", "pending", "held", "completed", "partial", "failed", "cancelled", "rejected"];

pub fn filters(rows: &[Row], query: &OrdersQuery, viewer: &Viewer) -> Markup {
    let found = rows.iter().map(|(hit, _)| hit.head.state.as_str());
    let states = options(STATES.into_iter().chain(found), given(&query.state));
    let senders = options(query.senders.iter().map(String::as_str), given(&query.sender));
    let reasons = options(["any"].into_iter().chain(REASONS), given(&query.attention));
    html! {
        form.filters action="/orders" method="get" aria-label="Filter the list" {
            @for hidden in ["q", "sort", "limit"] {
                @if let Some((_, Some(value))) = query.filters().into_iter().find(|(name, _)| *name == hidden) {
                    input type="hidden" name=(hidden) value=(value);
                }
            }
            (select("state", "State", &states, given(&query.state), state_in_words))
            (select("attention", "Needs attention", &reasons, given(&query.attention), |reason| {
                if reason == "any" { "for any reason".to_owned() } else { label::reason_in_words(reason) }
            }))
            (select("sender", "Sender", &senders, given(&query.sender), str::to_owned))
            label { span { "Customer" } input name="party" value=[given(&query.party)] placeholder="CUG…" size="14"; }
            @if let Some(offering) = given(&query.offering) { label { span { "Offering" } input name="offering" value=(offering) size="10"; } }
            @if given(&query.started_from).is_some() { (time_field("startedFrom", "First event from", &query.started_from, viewer)) }
            (time_field("changedFrom", "Last event from", &query.changed_from, viewer))
            (time_field("changedTo", "before", &query.changed_to, viewer))
            button type="submit" { "Show" }
            @if query.is_filtered() { a.reset href=(with_query("/orders", &[("q", given(&query.q))])) { "Without filters" } }
        }
    }
}

/// A day where the time of the address is the beginning of one, which is what days mean here; else the time, so that
/// the same list comes again.
fn time_field(name: &str, title: &str, text: &Option<String>, viewer: &Viewer) -> Markup {
    let at = given(text).and_then(read_time).map(|read| read.at);
    let day = at.map(|at| at.with_timezone(&London)).filter(|local| local.time() == NaiveTime::MIN);
    html! {
        @match (at, day) {
            (Some(at), None) => label {
                span { (title) " (" (viewer.zone.name()) ")" }
                input type="datetime-local" name=(name) step="any" value=(viewer.field_value(at));
            },
            (_, day) => label { span { (title) } input type="date" name=(name) value=[day.map(|day| day.format("%Y-%m-%d"))]; },
        }
    }
}

/// Each value once, whatever its spelling, with the chosen one among them.
fn options<'v>(values: impl Iterator<Item = &'v str>, chosen: Option<&'v str>) -> Vec<&'v str> {
    let mut options: Vec<&str> = Vec::new();
    for value in values.chain(chosen) {
        if !options.iter().any(|had| had.eq_ignore_ascii_case(value)) {
            options.push(value);
        }
    }
    options
}

fn select(name: &str, title: &str, values: &[&str], chosen: Option<&str>, words: fn(&str) -> String) -> Markup {
    html! {
        label { span { (title) }
            select name=(name) {
                option value="" { "any" }
                @for value in values {
                    option value=(value) selected[chosen.is_some_and(|chosen| chosen.eq_ignore_ascii_case(value))] {
                        (words(value))
                    }
                }
            }
        }
    }
}
