//! What was received: lists, and one delivery with its body, headers and oddities.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::frame::{Frame, page};
use super::json;
use super::label;
use super::tabs::tabs;
use super::viewer::Viewer;
use crate::http::link::{in_path, order_path, with_query};
use crate::order::rfc3339;
use crate::record::{DeliveryRecord, OutcomeName};
use crate::store::DeliveryBody;

/// What a list of deliveries is of.
#[derive(Clone, Debug, Default)]
pub struct DeliveriesQuery {
    /// The order that they are about; its id and sender.
    pub order: Option<(String, String)>,
    pub outcome: Option<OutcomeName>,
    /// Only those received then or later.
    pub received_from: Option<DateTime<Utc>>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A list of deliveries, the latest first.
pub fn deliveries(list: &[DeliveryRecord], query: &DeliveriesQuery, viewer: &Viewer) -> Markup {
    let is_quarantine = query.outcome == Some(OutcomeName::Quarantined) && query.order.is_none();
    let title = match (&query.order, is_quarantine) {
        (Some((id, _)), _) => format!("Deliveries of order {id}"),
        (None, true) => "Quarantine".to_owned(),
        (None, false) => "Deliveries".to_owned(),
    };
    let path = query
        .order
        .as_ref()
        .map_or_else(|| "/deliveries".to_owned(), |(id, _)| format!("/orders/{}/deliveries", in_path(id)));
    let sender = query.order.as_ref().map(|(_, sender)| sender.as_str());
    let outcome = query.outcome.map(OutcomeName::name);
    let received_from = query.received_from.map(rfc3339);
    let address = |outcome: Option<&str>, before| {
        with_query(
            &path,
            &[("sender", sender), ("outcome", outcome), ("receivedFrom", received_from.as_deref()), ("before", before)],
        )
    };
    let content = html! {
        h1 { (title) }
        @if is_quarantine { p.note { "Bodies that are kept but could not be placed. Reading one again helps after a new version of the program, or a repair." } (for_operators(viewer)) }
        @if let Some((id, sender)) = &query.order { p { a href=(order_path(id, sender)) { "Order " bdi { (id) } } } }
        (tabs("Outcomes", &outcomes(query), outcome, str::to_owned, |outcome| address(outcome, None)))
        @if let Some(from) = query.received_from {
            p.note { "Received since " (viewer.minute(from)) ". " a href=(with_query(&path, &[("sender", sender), ("outcome", outcome)])) { "Earlier ones, too" } }
        }
        @if list.is_empty() { p.nothing { @if is_quarantine { "Nothing is quarantined." } @else { "There are no such deliveries." } } }
        @else if is_quarantine { (quarantine(list, viewer)) }
        @else { (table(list, viewer)) }
        @if let Some(next) = &query.next { nav.pager aria-label="Pages" { a rel="next" href=(address(outcome, Some(next))) { "Next page" } } }
    };
    let part = if is_quarantine { "/deliveries?outcome=quarantined" } else { "" };
    page(&Frame::of_part(&title, part), viewer, content)
}

/// Of all deliveries only the quarantined have an index of their own; an order's and a day's are few.
fn outcomes(query: &DeliveriesQuery) -> Vec<&'static str> {
    if query.order.is_some() || query.received_from.is_some() {
        return OutcomeName::ALL.map(OutcomeName::name).to_vec();
    }
    let chosen = query.outcome.filter(|outcome| *outcome != OutcomeName::Quarantined);
    [Some(OutcomeName::Quarantined), chosen].into_iter().flatten().map(OutcomeName::name).collect()
}

fn table(list: &[DeliveryRecord], viewer: &Viewer) -> Markup {
    html! {
        table.list role="table" aria-label="Deliveries" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Received" } th role="columnheader" scope="col" { "Outcome" }
                th role="columnheader" scope="col" { "Order" } th role="columnheader" scope="col" { "Event" }
                th role="columnheader" scope="col" { "Why, oddities" } th.number role="columnheader" scope="col" { "Bytes" }
            } }
            tbody role="rowgroup" {
                @for delivery in list {
                    tr role="row" data-walk {
                        (received(delivery, viewer))
                        td role="cell" { (label::outcome(delivery.outcome)) }
                        td role="cell" data-label="Order" { @if let Some(id) = &delivery.order_id { a.one-line href=(order_path(id, &delivery.sender)) title=(id) { bdi { (id) } } } }
                        td role="cell" data-label="Event" {
                            @if let Some(kind) = &delivery.event_type { bdi { (kind) } }
                            @if let Some(at) = delivery.event_time { small { (viewer.second(at)) } }
                        }
                        td.why role="cell" { (delivery.reason.as_deref().unwrap_or_default()) @if !delivery.oddities.is_empty() { small { (oddities_counted(delivery)) } } }
                        td.number role="cell" data-label="Bytes" { (delivery.body_length) }
                    }
                }
            }
        }
    }
}

fn received(delivery: &DeliveryRecord, viewer: &Viewer) -> Markup {
    html! { th role="rowheader" scope="row" { a href={ "/deliveries/" (delivery.delivery_id) } { (viewer.second(delivery.received_at)) } small { bdi { (delivery.sender) } } } }
}

fn oddities_counted(delivery: &DeliveryRecord) -> String {
    match delivery.oddities.len() {
        1 => "1 oddity".to_owned(),
        count => format!("{count} oddities"),
    }
}

/// What is quarantined says what is wrong, where, and how it came; most of it names neither order nor event.
fn quarantine(list: &[DeliveryRecord], viewer: &Viewer) -> Markup {
    html! {
        table.list.quarantine role="table" aria-label="Quarantine" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Received" } th role="columnheader" scope="col" { "What is wrong" }
                th role="columnheader" scope="col" { "Came by" }
                th.number role="columnheader" scope="col" { "Bytes" }
                @if viewer.may_operate() { th role="columnheader" scope="col" { span.hidden { "Actions" } } }
            } }
            tbody role="rowgroup" {
                @for delivery in list {
                    tr role="row" data-walk {
                        (received(delivery, viewer))
                        td.what role="cell" {
                            (delivery.reason.as_deref().unwrap_or_default())
                            small {
                                @if let Some(code) = &delivery.reason_code { (label::in_words(code)) }
                                @if let Some(path) = &delivery.reason_path { span title="Where in the body" { ", " @if !path.is_empty() { "at " } (place(path)) } }
                            }
                        }
                        td role="cell" data-label="Came by" {
                            bdi.one-line title=(delivery.origin) { (delivery.origin) }
                            @if let Some(id) = &delivery.order_id { small { "names order " a href=(order_path(id, &delivery.sender)) { bdi { (id) } } } }
                            @if let Some(kind) = &delivery.event_type { small { bdi { (kind) } } }
                        }
                        td.number role="cell" data-label="Bytes" { (delivery.body_length) }
                        @if viewer.may_operate() { td role="cell" { (retry_button(delivery)) } }
                    }
                }
            }
        }
    }
}

/// Why somebody who reads finds no button.
fn for_operators(viewer: &Viewer) -> Markup {
    html! {
        @if !viewer.may_operate() {
            p.note { "Reading one again is for operators." @if let Some(name) = viewer.who.as_ref().and_then(|who| who.name.as_deref()) { " You are signed in as " bdi { (name) } ", who may read." } }
        }
    }
}

fn retry_button(delivery: &DeliveryRecord) -> Markup {
    html! {
        form method="post" action={ "/deliveries/" (delivery.delivery_id) "/retry" } {
            button type="submit" { "Read again" span.hidden { " the delivery of " (rfc3339(delivery.received_at)) } }
        }
    }
}

/// One delivery. `told` is what came of reading it again, `before` the delivery to compare it with.
pub fn delivery(
    delivery: &DeliveryRecord,
    body: Option<&DeliveryBody>,
    before: Option<uuid::Uuid>,
    told: Option<&str>,
    viewer: &Viewer,
) -> Markup {
    let title = format!("Delivery {}", delivery.delivery_id);
    let content = html! {
        div.title-row {
            h1 { "Delivery " (label::outcome(delivery.outcome)) }
            p.actions {
                @if let Some(before) = before { a href={ "/deliveries/" (delivery.delivery_id) "/difference?with=" (before) } { "What differs from the one before" } }
                a href={ "/api/v1/deliveries/" (delivery.delivery_id) "/body" } { "Exact bytes" }
            }
        }
        @if let Some(told) = told { p.banner role="status" { (told) } }
        @if let Some(reason) = &delivery.reason {
            section.attention aria-label="Why it is quarantined" {
                p { strong { (delivery.reason_code.as_deref().unwrap_or("quarantined")) } ": " (reason) @if let Some(path) = &delivery.reason_path { " (" @if path.is_empty() { "at the root" } @else { "at " code { (path) } } ")" } }
                @if delivery.outcome == OutcomeName::Quarantined { @if viewer.may_operate() { (retry_button(delivery)) } @else { (for_operators(viewer)) } }
            }
        }
        (facts(delivery, viewer))
        (oddities(delivery))
        (body_shown(body))
        section aria-labelledby="headers" {
            h2 #headers { "Headers" }
            @if delivery.headers.is_empty() { p { "None were kept." } }
            dl.headers { @for header in &delivery.headers { div { dt { bdi { (header.name) } } dd { bdi { (header.value) } } } } }
        }
    };
    page(&Frame::of_part(&title, ""), viewer, content)
}

fn facts(delivery: &DeliveryRecord, viewer: &Viewer) -> Markup {
    html! {
        dl.facts {
            div { dt { "Delivery id" } dd { (label::copied(&delivery.delivery_id.to_string())) } }
            div { dt { "Received" } dd { (viewer.second(delivery.received_at)) } }
            div { dt { "Sender" } dd { bdi { (delivery.sender) } } }
            div { dt { "Came by" } dd { bdi { (delivery.origin) } } }
            @if let Some(id) = &delivery.order_id { div { dt { "Order" } dd { a href=(order_path(id, &delivery.sender)) { bdi { (id) } } } } }
            @if let Some(id) = &delivery.event_id { div { dt { "Event id" } dd { (label::copied(id)) } } }
            @if let Some(kind) = &delivery.event_type { div { dt { "Event type" } dd { bdi { (kind) } } } }
            @if let Some(at) = delivery.event_time { div { dt { "Event time" } dd { (viewer.second(at)) @if let Some(text) = &delivery.event_time_text { small { "as sent: " (text) } } } } }
            @if let Some(related) = delivery.related_delivery_id {
                div { dt { @if delivery.outcome == OutcomeName::Conflict { "Counts in its stead" } @else { "First with this content" } } dd { a href={ "/deliveries/" (related) } { (label::shortened(&related.to_string())) } } }
            }
            div { dt { "Bytes" } dd { (delivery.body_length) } }
            div { dt { "SHA-256" } dd { (label::shortened(&delivery.body_hash)) } }
        }
    }
}

fn oddities(delivery: &DeliveryRecord) -> Markup {
    html! {
        @if !delivery.oddities.is_empty() {
            section aria-labelledby="oddities" {
                h2 #oddities { "Oddities" }
                p.note { "Deviations that were tolerated while reading." }
                ul.plain { @for oddity in &delivery.oddities { li { (place(&oddity.path)) ": " (told(oddity)) } } }
            }
        }
    }
}

/// Where in the body: its root has an empty path.
fn place(path: &str) -> Markup {
    html! { @if path.is_empty() { "at the root" } @else { code { (path) } } }
}

/// An oddity says its kind in the form in which programs get it.
fn told(oddity: &crate::wire::Oddity) -> String {
    let kind = serde_json::to_value(oddity).ok().and_then(|value| Some(value.get("kind")?.as_str()?.to_owned()));
    label::in_words(&kind.unwrap_or_default())
}

fn body_shown(body: Option<&DeliveryBody>) -> Markup {
    const SHOWN: usize = 512 * 1024;
    html! {
        section aria-labelledby="body" {
            h2 #body { "Body" }
            @match body {
                None => p { "The body is no longer kept." },
                Some(body) => {
                    @let shown = body.bytes.get(..SHOWN).unwrap_or(&body.bytes);
                    @let text = String::from_utf8_lossy(shown);
                    @if shown.len() < body.bytes.len() { p.note { "Only the beginning is shown here; the exact bytes have all of it." } }
                    @if usize::try_from(body.received_length).is_ok_and(|received| received > body.bytes.len()) { p.flag { "It was too large to be kept whole: " (body.received_length) " bytes." } }
                    @match json::pretty(shown) {
                        Some(pretty) => {
                            pre.body tabindex="0" aria-label="Body, indented" { code { (pretty) } }
                            details { summary { "As it came" } pre.body tabindex="0" aria-label="Body as it came" { code { (text) } } }
                        }
                        None => { p.note { "It is not JSON that can be indented; this is as it came." } pre.body tabindex="0" aria-label="Body as it came" { code { (text) } } }
                    }
                }
            }
        }
    }
}
