//! The list of orders.

mod filters;

use maud::{Markup, html};

use super::digest::Digest;
use super::frame::{Frame, page};
use super::label;
use super::viewer::Viewer;
use crate::http::link::{order_path, with_query};
use crate::order::{Attention, ENDED_UNRESOLVED, is_over};
use crate::store::{MOST_MATCHES, OrderHit};

/// What the list was asked for, as the texts that stood in the address; empty is the same as not given.
#[derive(Clone, Debug, Default)]
pub struct OrdersQuery {
    pub q: Option<String>,
    pub state: Option<String>,
    pub attention: Option<String>,
    pub sender: Option<String>,
    pub party: Option<String>,
    pub offering: Option<String>,
    /// So many a page, where the address says it.
    pub limit: Option<String>,
    pub started_from: Option<String>,
    pub changed_from: Option<String>,
    pub changed_to: Option<String>,
    pub sort: Option<String>,
    /// Whether this is a further page: the address had a cursor.
    pub cursor: Option<String>,
    /// The senders to choose from.
    pub senders: Vec<String>,
    /// Where the next page begins; `None` on the last page.
    pub next_cursor: Option<String>,
    /// No id is the one asked for; these begin with it.
    pub only_begins: bool,
    /// More orders have the id than are looked at.
    pub is_cut: bool,
}

/// An order of the list with what it shows of it.
pub type Row = (OrderHit, Digest);

/// The reasons for attention, the weightiest first.
pub const REASONS: [&str; 9] = [
    "action-needed",
    "missed",
    "access-failed",
    "supplier-cancelled",
    "contradiction",
    "delayed",
    "flagged",
    "silent",
    ENDED_UNRESOLVED,
];

/// Those with a queue of their own. Silence is found, not told; and for an order that has ended nobody waits.
pub fn stands_apart(reason: &str) -> bool {
    reason == "silent" || reason == ENDED_UNRESOLVED
}

impl OrdersQuery {
    fn filters(&self) -> [(&'static str, Option<&str>); 11] {
        [
            ("q", given(&self.q)),
            ("state", given(&self.state)),
            ("attention", given(&self.attention)),
            ("sender", given(&self.sender)),
            ("party", given(&self.party)),
            ("offering", given(&self.offering)),
            ("startedFrom", given(&self.started_from)),
            ("changedFrom", given(&self.changed_from)),
            ("changedTo", given(&self.changed_to)),
            ("sort", given(&self.sort)),
            ("limit", given(&self.limit)),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(name, value)| !matches!(*name, "q" | "sort" | "limit") && value.is_some())
    }

    /// The same list at another path, from a cursor on.
    pub fn address(&self, path: &str, cursor: Option<&str>) -> String {
        let mut query = self.filters().to_vec();
        query.push(("cursor", cursor));
        with_query(path, &query)
    }

    fn sorted_by(&self, sort: &str) -> String {
        let changed = |(name, value)| if name == "sort" { (name, Some(sort)) } else { (name, value) };
        with_query("/orders", &self.filters().map(changed))
    }
}

/// The list page.
pub fn orders(rows: &[Row], query: &OrdersQuery, viewer: &Viewer) -> Markup {
    let q = given(&query.q);
    let title = q.map_or_else(|| "Orders".to_owned(), |q| format!("Orders with id {q}"));
    let content = html! {
        div.title-row {
            h1 {
                @match (q, query.only_begins) {
                    (Some(q), true) => { "Orders with an id that begins with " q { bdi { (q) } } },
                    (Some(q), false) => { "Orders with id " q { bdi { (q) } } },
                    (None, _) => "Orders",
                }
            }
            @if !rows.is_empty() {
                p.actions { a href=(query.address("/orders.csv", None)) download { "CSV of this list" } }
            }
        }
        @if query.only_begins && !rows.is_empty() {
            p.note { "No order has just this id." }
        }
        @if query.is_cut {
            p.note { "More orders than " (MOST_MATCHES) " have this id; some of them are listed. A customer’s latest orders are found with the filter for customers." }
        }
        (filters::filters(rows, query, viewer))
        @if rows.is_empty() { (nothing(query)) } @else { (list(rows, query, viewer)) }
        (pager(query))
    };
    page(&Frame { search: q.unwrap_or_default(), ..Frame::of_part(&title, "/orders") }, viewer, content)
}

/// Roles stand in the open because the phone's style makes the table's parts blocks, which would lose them.
fn list(rows: &[Row], query: &OrdersQuery, viewer: &Viewer) -> Markup {
    let is_search = given(&query.q).is_some();
    html! {
        table.list role="table" aria-label="Orders" {
            thead role="rowgroup" { tr role="row" {
                (sortable("Order", "orderId", query))
                (sortable("State", "state", query))
                th role="columnheader" scope="col" { "Attention" }
                th role="columnheader" scope="col" { "Product" }
                th role="columnheader" scope="col" { "Customer, service" }
                th role="columnheader" scope="col" { "Appointment" }
                th role="columnheader" scope="col" { "Expected" }
                (sortable("Last event", "lastEventAt", query))
                @if is_search { th role="columnheader" scope="col" { "Found by" } }
            } }
            tbody role="rowgroup" { @for one in rows { (row(one, is_search, viewer)) } }
        }
    }
}

/// A column's head that sorts by it, and the other way round where it does already.
fn sortable(name: &str, sort: &str, query: &OrdersQuery) -> Markup {
    let now = given(&query.sort).unwrap_or("-lastEventAt");
    let down = format!("-{sort}");
    let (aria, other) = match now {
        now if now == sort => (Some("ascending"), down.as_str()),
        now if now == down => (Some("descending"), sort),
        _ if sort == "lastEventAt" => (None, down.as_str()),
        _ => (None, sort),
    };
    html! {
        th role="columnheader" scope="col" aria-sort=[aria] {
            a.sort href=(query.sorted_by(other)) {
                (name)
                span.arrow aria-hidden="true" { @match aria { Some("ascending") => "↑", Some(_) => "↓", None => "↕" } }
            }
        }
    }
}

fn row((hit, digest): &Row, is_search: bool, viewer: &Viewer) -> Markup {
    let order = &hit.head;
    html! {
        tr role="row" data-walk {
            th role="rowheader" scope="row" {
                a.one-line href=(order_path(&order.order_id, &order.sender)) title=(order.order_id) { bdi { (order.order_id) } }
                small { @if let Some(external_id) = &order.external_id { bdi.one-line title=(external_id) { (external_id) } " · " } bdi { (order.sender) } }
            }
            td role="cell" { span title=(order.state_reason) { (label::state(&order.state)) } }
            td role="cell" data-label="Attention" { (attention(digest, viewer)) }
            td role="cell" data-label="Product" { (label::brief(&digest.product)) }
            td.ids role="cell" data-label="Customer, service" {
                @for id in few(&digest.customers) { bdi.one-line title=(id) { (id) } br; }
                @for id in few(&digest.service_ids) { small { bdi.one-line title=(id) { (id) } } }
                @let more = rest(&digest.customers) + rest(&digest.service_ids);
                @if more > 0 { small { "and " (more) " more" } }
            }
            td role="cell" data-label="Appointment" {
                @if let Some(visit) = &digest.appointment {
                    @if visit.is_to_come(viewer.now) && !is_over(&order.state) { span.coming { (visit.window) } } @else { (visit.window) }
                    @if let Some(status) = &visit.status { small { (label::brief(status)) } }
                }
            }
            td role="cell" data-label="Expected" {
                @if let Some(expected) = &digest.expected { (expected.day) (slip(expected.slip)) }
            }
            td.when role="cell" data-label="Last event" { (viewer.ago(order.last_event_at)) small { (events(order.events)) } }
            @if is_search { td role="cell" data-label="Found by" { (kinds(&hit.matched)) } }
        }
    }
}

/// Lists stay readable however many ids an order has.
fn few(ids: &[String]) -> &[String] {
    ids.get(..2).unwrap_or(ids)
}

fn rest(ids: &[String]) -> usize {
    ids.len() - few(ids).len()
}

pub fn events(count: i64) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

/// The first reason in full, the others by number.
fn attention(digest: &Digest, viewer: &Viewer) -> Markup {
    html! {
        @if let Some((first, others)) = digest.attention.split_first() {
            span title=(first.why) { (label::reason(&first.reason)) }
            @if !others.is_empty() { " " span.more title=(in_words(others)) { "+" (others.len()) span.hidden { " more: " (in_words(others)) } } }
            small { "since " (viewer.day(first.since)) }
        }
    }
}

fn in_words(reasons: &[Attention]) -> String {
    reasons.iter().map(|one| label::reason_in_words(&one.reason)).collect::<Vec<_>>().join(", ")
}

pub fn slip(days: i64) -> Markup {
    html! {
        @if days != 0 {
            small class=[(days > 0).then_some("slipped")] {
                (days.abs()) @if days.abs() == 1 { " day " } @else { " days " } @if days > 0 { "later" } @else { "earlier" }
                " than first said"
            }
        }
    }
}

pub fn kinds(matched: &[String]) -> String {
    matched.iter().map(|kind| kind.replacen('-', " ", 1)).collect::<Vec<_>>().join(", ")
}

fn nothing(query: &OrdersQuery) -> Markup {
    let q = given(&query.q);
    let is_filtered = query.is_filtered();
    html! {
        div.nothing {
            @if let Some(q) = q {
                p.lead { "No order has the id " q { bdi { (q) } } @if is_filtered { " with these filters" } ", and none begins with it." }
                p { "An id is found whole or by its beginning, in capitals or not, with its leading zeros or without, blanks inside it do not matter. These are known:" }
                ul {
                    li { "order id, external id, item id, internal id, product id" }
                    li { "service id (BBONE…), appointment id or reference, customer (CUG…), ONT reference" }
                    li { "event id (six letters of its beginning will do), delivery id (whole)" }
                }
            } @else if is_filtered {
                p.lead { "No order is like that." }
            } @else {
                p.lead { "There are no orders yet." }
                p { "An order stands here as soon as a sender delivers its first event." }
            }
        }
    }
}

fn pager(query: &OrdersQuery) -> Markup {
    let (is_further, next) = (given(&query.cursor).is_some(), given(&query.next_cursor));
    html! {
        @if is_further || next.is_some() {
            nav.pager aria-label="Pages" {
                @if is_further { a href=(query.address("/orders", None)) { "First page" } }
                @if next.is_some() { a rel="next" href=(query.address("/orders", next)) { "Next page" } }
            }
        }
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
