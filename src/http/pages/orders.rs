//! The list of orders.

use maud::{Markup, html};

use super::layout::page;
use super::link::{order_path, with_query};
use super::{state, time};
use crate::order::state_in_words;
use crate::record::OrderHead;
use crate::store::{OrderHit, OrderPage};

/// What the list was asked for, as the texts that stood in the address; empty is the same as not given.
#[derive(Clone, Debug, Default)]
pub struct OrdersQuery {
    pub q: Option<String>,
    pub state: Option<String>,
    pub sender: Option<String>,
    /// The senders to choose from.
    pub senders: Vec<String>,
    /// Where the next page begins, as `GET /?cursor=` takes it; `None` on the last page.
    pub next_cursor: Option<String>,
    /// Whether this is a further page: `GET /` had a cursor.
    pub cursor: Option<String>,
}

/// TMF622's states of an order (domain §2), for the filter; others can stand beside them.
const STATES: [&str; 9] =
    ["acknowledged", "inProgress", "pending", "held", "completed", "partial", "failed", "cancelled", "rejected"];

/// The list page.
pub fn orders(page_of: &OrderPage, query: &OrdersQuery) -> Markup {
    let q = given(&query.q);
    let title = q.map_or_else(|| "Orders".to_owned(), |q| format!("Orders with id {q}"));
    let content = html! {
        div.title-row {
            h1 { @if let Some(q) = q { "Orders with id " q { bdi { (q) } } } @else { "Orders" } }
            (filters(page_of, query))
        }
        @if page_of.hits.is_empty() {
            (nothing(query))
        } @else {
            (list(&page_of.hits, q.is_some()))
        }
        (pager(query))
    };
    page(&title, q.unwrap_or_default(), content)
}

fn filters(page: &OrderPage, query: &OrdersQuery) -> Markup {
    let found = page.hits.iter().map(|hit| hit.head.state.as_str());
    let states = options(STATES.into_iter().chain(found), given(&query.state));
    let senders = options(query.senders.iter().map(String::as_str), given(&query.sender));
    html! {
        form.filters action="/" method="get" aria-label="Filter the list" {
            @if let Some(q) = given(&query.q) { input type="hidden" name="q" value=(q); }
            (select("state", "State", &states, given(&query.state), state_in_words))
            (select("sender", "Sender", &senders, given(&query.sender), str::to_owned))
            button type="submit" { "Show" }
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

/// Roles stand in the open because the phone's style makes the table's parts blocks, which would lose them.
fn list(hits: &[OrderHit], is_search: bool) -> Markup {
    html! {
        table.list role="table" aria-label="Orders" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Order" }
                th role="columnheader" scope="col" { "External id" }
                th role="columnheader" scope="col" { "State" }
                th role="columnheader" scope="col" { "Why" }
                th role="columnheader" scope="col" { "Last event" }
                th.number role="columnheader" scope="col" { "Events" }
                th role="columnheader" scope="col" { "Sender" }
                @if is_search { th role="columnheader" scope="col" { "Found by" } }
            } }
            tbody role="rowgroup" { @for hit in hits { (row(&hit.head, is_search.then_some(&hit.matched))) } }
        }
    }
}

fn row(order: &OrderHead, matched: Option<&Vec<String>>) -> Markup {
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                a href=(order_path(&order.order_id, &order.sender)) { bdi { (order.order_id) } }
            }
            td.external role="cell" data-label="External id" {
                @if let Some(external_id) = &order.external_id { bdi { (external_id) } }
            }
            td role="cell" { (state::label(&order.state)) }
            td.why role="cell" { (order.state_reason) }
            td.when role="cell" { (time::to_the_minute(order.last_event_at)) }
            td.number role="cell" data-label="Events" { (order.events) }
            td.sender role="cell" data-label="Sender" { bdi { (order.sender) } }
            @if let Some(matched) = matched { td.found role="cell" data-label="Found by" { (kinds(matched)) } }
        }
    }
}

fn kinds(matched: &[String]) -> String {
    matched.iter().map(|kind| kind.replace('-', " ")).collect::<Vec<_>>().join(", ")
}

fn nothing(query: &OrdersQuery) -> Markup {
    let q = given(&query.q);
    let is_filtered = given(&query.state).is_some() || given(&query.sender).is_some();
    html! {
        div.nothing {
            @if let Some(q) = q {
                p.lead { "No order has the id " q { bdi { (q) } } @if is_filtered { " with these filters" } "." }
                p { "An id is found only whole and as it is written, leading zeros included. These are known:" }
                ul {
                    li { "order id, external id, item id, internal id, product id" }
                    li { "service id (BBONE…), appointment id or reference, customer (CUG…), ONT reference" }
                    li { "event id, delivery id" }
                }
            } @else if is_filtered {
                p.lead { "No order is like that." }
            } @else {
                p.lead { "There are no orders yet." }
                p { "An order stands here as soon as a sender delivers its first event." }
            }
            @if is_filtered { p { a href=(with_query("/", &[("q", q)])) { "Try without filters" } } }
            @else if q.is_some() { p { a href="/" { "All orders" } } }
        }
    }
}

fn pager(query: &OrdersQuery) -> Markup {
    let address = |cursor| {
        let (q, state, sender) = (given(&query.q), given(&query.state), given(&query.sender));
        with_query("/", &[("q", q), ("state", state), ("sender", sender), ("cursor", cursor)])
    };
    let (is_further, next) = (given(&query.cursor).is_some(), given(&query.next_cursor));
    html! {
        @if is_further || next.is_some() {
            nav.pager aria-label="Pages" {
                @if is_further { a href=(address(None)) { "First page" } }
                @if next.is_some() { a rel="next" href=(address(next)) { "Next page" } }
            }
        }
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
