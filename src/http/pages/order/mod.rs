//! The page of one order.

mod axis;
mod events;
mod items;
mod lanes;
mod ledger;
mod milestones;
mod missed;
mod picture;
mod side;
mod travel;
mod view;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::digest::{Digest, weight};
use super::frame::{Frame, page};
use super::label;
use super::orders::slip;
use super::viewer::Viewer;
use crate::http::link::{in_path, order_path, with_query};
use crate::order::{ENDED_UNRESOLVED, Moment, Vocabulary, day_or_time, is_over, state_in_words};
use crate::record::{AttentionRecord, ContradictionRecord, OrderHead, OrderRecord, TimelineRecord};
use crate::wire::read_time;

pub use items::flat;
pub use travel::{Moments, instant};
pub use view::OrderView;

/// An order's page. `order` and `timeline` are as of the view's times; `version` tells this state of the order
/// from all others, where it is now's; `moments` are those of the order as it is now.
pub fn order(
    order: &OrderRecord,
    timeline: &TimelineRecord,
    version: Option<i64>,
    moments: &Moments,
    view: &OrderView,
    vocabulary: &Vocabulary,
    viewer: &Viewer,
) -> Markup {
    let head = &timeline.order;
    let selection = view.select(timeline);
    let is_shown = |position| selection.events.iter().flatten().any(|entry| entry.event_position == position);
    // Of what is still to come nothing is known: asked for a time ahead, the page shows what is known now.
    let asked = [view.at(), view.known_at()].into_iter().flatten().filter_map(read_time).map(|read| read.at);
    let moment = asked.fold(viewer.now, DateTime::min);
    let content = html! {
        div.order data-live=[version.map(|_| stream(head))] data-version=[version] data-order=(head.order_id)
            data-sender=(head.sender) data-href=(order_path(&head.order_id, &head.sender)) data-state=(state_in_words(&head.state)) {
            div #head {
                (travel::banner(head, view, viewer))
                @if let Some((id, kind)) = &view.found {
                    p.found { "Found by " (label::in_words(kind)) " " q { bdi { (id) } } "." }
                }
                div.title-row {
                    h1 { "Order " bdi { (head.order_id) } " " (label::state(&head.state)) }
                    p.heard { "last event " (viewer.ago(head.last_event_at)) @if version.is_some() { span.live #live hidden {} } }
                }
                p.lead { (head.state_reason) }
                (attention(order, viewer))
                (facts(head, order, moment, vocabulary, viewer))
                (milestones::strip(timeline, is_shown, vocabulary, viewer))
                (picture::picture(order, timeline, moment, vocabulary, viewer))
            }
            p.news #news role="status" {}
            div.columns {
                section.timeline aria-labelledby="timeline" {
                    div.title-row { h2 #timeline { "Timeline" } }
                    (travel::filters(order, view, vocabulary))
                    (travel::times(order, view, moments, viewer))
                    div #events { (events::events(timeline, &selection, view, viewer)) }
                }
                aside.side #side aria-label="More of the order" {
                    (ledger::appointments(timeline, vocabulary, viewer))
                    (ledger::dates(timeline, viewer))
                    (side::parties(order))
                    (side::resolved(timeline, viewer))
                    (side::identifiers(order))
                }
            }
            section #all-items aria-labelledby="items" {
                h2 #items { "Items" }
                @if order.items.is_empty() { p { "No event has named an item yet." } }
                @else { (items::items(&order.items, vocabulary)) }
            }
            (side::as_data(head, view))
        }
    };
    page(&Frame::of_part(&format!("Order {}", head.order_id), "/orders/"), viewer, content)
}

fn stream(head: &OrderHead) -> String {
    with_query(&format!("/api/v1/orders/{}/stream", in_path(&head.order_id)), &[("sender", Some(&head.sender))])
}

/// Why somebody should look at the order: first thing to read where there is any reason.
fn attention(order: &OrderRecord, viewer: &Viewer) -> Markup {
    html! {
        @if !order.attention.is_empty() || !order.contradictions.is_empty() {
            section.attention aria-labelledby="attention" {
                @let is_over = !order.attention.is_empty() && order.attention.iter().all(|one| one.reason == ENDED_UNRESOLVED);
                h2 #attention { @if is_over { "Ended with something unresolved" } @else { "Needs attention" } }
                ul {
                    // Contradictions stand below, each by itself.
                    @for one in by_weight(&order.attention).filter(|one| !matches!(one.reason.as_str(), "contradiction" | ENDED_UNRESOLVED)) {
                        li { (label::reason(&one.reason)) " since " (viewer.minute(one.since)) ": " (one.why) }
                    }
                    @let contradictions = longest_first(&order.contradictions);
                    @let (first, others) = contradictions.split_at(contradictions.len().min(SHOWN_CONTRADICTIONS));
                    @for one in first { (contradiction(one, viewer)) }
                    @if !others.is_empty() {
                        li { details {
                            summary { (others.len()) @if others.len() == 1 { " more contradiction" } @else { " more contradictions" } }
                            ul { @for one in others { (contradiction(one, viewer)) } }
                        } }
                    }
                }
            }
        }
    }
}

/// What the order itself says of when it is complete; its items say it each for themselves.
fn own_date(order: &OrderRecord) -> Option<String> {
    let text = order.expected_completion.as_ref()?;
    Some(day_or_time(&Moment::new(text, text.parse().ok())))
}

/// In the order of the queue.
fn by_weight(attention: &[AttentionRecord]) -> impl Iterator<Item = &AttentionRecord> {
    let mut sorted: Vec<&AttentionRecord> = attention.iter().collect();
    sorted.sort_by_key(|one| weight(&one.reason));
    sorted.into_iter()
}

/// The one that has stood longest is the one that the queue names.
fn longest_first(contradictions: &[ContradictionRecord]) -> Vec<&ContradictionRecord> {
    let mut sorted: Vec<&ContradictionRecord> = contradictions.iter().collect();
    sorted.sort_by_key(|one| one.since);
    sorted
}

/// An order of fifty items can contradict itself fifty times; the page begins with more than that.
const SHOWN_CONTRADICTIONS: usize = 3;

fn contradiction(one: &ContradictionRecord, viewer: &Viewer) -> Markup {
    let [first, second] = &one.statements;
    html! { li { (label::reason("contradiction")) " since " (viewer.minute(one.since)) ": " (first) ", yet " (second) } }
}

/// The order's facts as of the moment that the page shows: what is next, and what was last, counts from there.
fn facts(
    head: &OrderHead,
    order: &OrderRecord,
    moment: DateTime<Utc>,
    vocabulary: &Vocabulary,
    viewer: &Viewer,
) -> Markup {
    let digest = Digest::of_record(order, vocabulary, moment);
    let (services, more) = digest.service_ids.split_at(digest.service_ids.len().min(3));
    html! {
        dl.facts {
            @if !digest.product.is_empty() { div { dt { "Product" } dd { (label::brief(&digest.product)) } } }
            @if !services.is_empty() {
                div { dt { "Service id" } dd {
                    @for id in services { (label::copied(id)) }
                    @if !more.is_empty() { small { "and " (more.len()) " more below" } }
                } }
            }
            @if let Some(visit) = &digest.appointment {
                // Nobody comes for an order that has ended, whatever was booked.
                @let (is_ahead, has_ended) = (visit.is_ahead(moment), is_over(&head.state));
                div { dt { @if visit.is_over || is_ahead && has_ended { "Appointment" } @else if is_ahead { "Next appointment" } @else { "Last appointment" } } dd {
                    (visit.window) @if let Some(status) = &visit.status { small { (label::brief(status)) } }
                    @if is_ahead && has_ended { small { "the order has ended" } }
                } }
            }
            @if let Some(expected) = &digest.expected { div { dt { "Expected completion" } dd {
                (expected.day) (slip(expected.slip))
                @if let Some(own) = own_date(order).filter(|own| *own != expected.day) { small { "the order itself says " (own) } }
            } } }
            @if let Some(external_id) = &head.external_id { div { dt { "External id" } dd { (label::copied(external_id)) } } }
            div { dt { "Sender" } dd { bdi { (head.sender) } } }
            @for party in order.parties.iter().take(3) {
                div { dt { "Party " (label::brief(&party.role)) } dd { (label::copied(&party.id)) } }
            }
            @for (name, value) in &order.characteristics { div { dt { (label::brief(name)) } dd { bdi { (value) } } } }
            div { dt { "First event" } dd { (viewer.minute(head.first_event_at)) } }
            div { dt { "Last event" } dd { (viewer.minute(head.last_event_at)) } }
            div { dt { "Last received" } dd { (viewer.minute(head.last_received_at)) } }
            div { dt { "Events" } dd { (head.events) } }
        }
    }
}
