//! The API's orders and timelines.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::app::App;
use super::error::{Problem, bad_query};
use super::parameters::{OrderIdInPath, resolve, time};
use crate::record::{OrderHead, OrderRecord, TimelineRecord};
use crate::store::{Cursor, OrderHit, OrderQuery, Sort};

/// The filters of a list as they stand in the address. An unknown one is an error, never ignored.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListParameters {
    /// Any id, of an order or of what belongs to it: each hit says which kind of id matched.
    pub q: Option<String>,
    /// The order's state, such as `inProgress`, `completed`, `failed`; case, spaces and punctuation do not matter.
    pub state: Option<String>,
    /// Orders that need a person for this reason, such as `missed`, `delayed`, `contradiction`, `silent`; `any` for all
    /// that go on and need one. `ended-unresolved` for orders that have ended and still contradict themselves, which
    /// `any` leaves out.
    pub attention: Option<String>,
    /// The sender's name, such as `bt-wholesale`.
    pub sender: Option<String>,
    /// The id of a related party, such as `CUG5000000001`.
    pub party: Option<String>,
    /// The id of an item's product offering.
    pub offering: Option<String>,
    /// Orders whose first event is of this time or later; RFC 3339, such as `2024-03-01T00:00:00Z`. A first event that is
    /// dated ahead of the order's last receipt counts from that.
    pub started_from: Option<String>,
    /// Orders whose newest event is of this time or later; RFC 3339, such as `2024-03-01T00:00:00Z`. An event that is dated
    /// ahead of its receipt counts from its receipt, here and where lists are sorted.
    pub changed_from: Option<String>,
    /// Orders whose newest event is of before this time; RFC 3339.
    pub changed_to: Option<String>,
    /// `lastEventAt`, `orderId` or `state`, with a `-` before it for the other way round; the newest events first by
    /// itself.
    pub sort: Option<String>,
    /// How many at most, 1 to 500; 50 by itself.
    pub limit: Option<u16>,
    /// Where the list goes on: `nextCursor` of the answer before, with everything else the same.
    pub cursor: Option<String>,
}

/// Which order, where several senders have one of the id; and when.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderParameters {
    /// The sender's name, where several have an order of this id.
    pub sender: Option<String>,
    /// Only what is about this item and the order as a whole.
    pub item: Option<String>,
    /// As it was at this time; RFC 3339, such as `2024-03-01T12:00:00Z`.
    pub at: Option<String>,
    /// As it was known at this time: what was received later is left out; RFC 3339.
    pub known_at: Option<String>,
}

const LIMIT: u16 = 50;
const HIGHEST_LIMIT: u16 = 500;

/// A list of orders, those with the newest events first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(ListParameters),
    responses((status = 200, body = PageBody), (status = 400, body = Problem, content_type = "application/problem+json")))]
pub async fn list(parameters: web::Query<ListParameters>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let page = app.store.orders(&query(&parameters)?).await?;
    let orders = page.hits.into_iter().map(HitBody::from).collect();
    Ok(HttpResponse::Ok().json(PageBody { orders, next_cursor: page.next.map(cursor_text) }))
}

/// An order as it is, as it was at a time, or as it was known at a time.
#[utoipa::path(get, path = "/api/v1/orders/{order_id}", tag = "orders",
    params(("order_id" = String, Path, description = "The order's id; one of dots alone has a `=` before it"), OrderParameters),
    responses((status = 200, body = OrderRecord), (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Asked for another time, and bodies of the order were let go", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "Several senders have an order of this id", body = Problem,
            content_type = "application/problem+json")))]
pub async fn show(
    order_id: web::Path<OrderIdInPath>,
    parameters: web::Query<OrderParameters>,
    app: web::Data<App>,
) -> Result<HttpResponse, Problem> {
    if parameters.item.as_ref().is_some_and(|item| !item.is_empty()) {
        return Err(bad_query(&"item is for the order's timeline; an order has all its items"));
    }
    Ok(HttpResponse::Ok().json(asked_for(&app, &order_id, &parameters).await?.0))
}

/// What happened to an order, when, and when we heard of it.
#[utoipa::path(get, path = "/api/v1/orders/{order_id}/timeline", tag = "orders",
    params(("order_id" = String, Path, description = "The order's id; one of dots alone has a `=` before it"), OrderParameters),
    responses((status = 200, body = TimelineRecord), (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Several senders have an order of this id", body = Problem,
            content_type = "application/problem+json")))]
pub async fn timeline(
    order_id: web::Path<OrderIdInPath>,
    parameters: web::Query<OrderParameters>,
    app: web::Data<App>,
) -> Result<HttpResponse, Problem> {
    let (at, known_at) = times(&parameters)?;
    let key = resolve(&app, &order_id, parameters.sender.as_deref()).await?;
    let found = app.store.timeline(key, at, known_at, &app.vocabulary.now()).await?;
    let mut timeline = found.ok_or_else(|| not_found(&order_id, at.or(known_at)))?;
    retain_item(&mut timeline, &parameters);
    Ok(HttpResponse::Ok().json(timeline))
}

/// The order and the timeline that the parameters ask for.
pub async fn asked_for(
    app: &App,
    order_id: &str,
    parameters: &OrderParameters,
) -> Result<(OrderRecord, TimelineRecord), Problem> {
    let (at, known_at) = times(parameters)?;
    let key = resolve(app, order_id, parameters.sender.as_deref()).await?;
    let found = app.store.order(key, at, known_at, &app.vocabulary.now()).await?;
    let (order, mut timeline) = found.ok_or_else(|| not_found(order_id, at.or(known_at)))?;
    retain_item(&mut timeline, parameters);
    Ok((order, timeline))
}

/// `at` and `knownAt` of the address.
fn times(parameters: &OrderParameters) -> Result<(AskedTime, AskedTime), Problem> {
    Ok((time("at", parameters.at.as_ref())?, time("knownAt", parameters.known_at.as_ref())?))
}

type AskedTime = Option<DateTime<Utc>>;

/// The code of the problem that the order is there, and was not at the time asked for.
pub const NOTHING_KNOWN_THEN: &str = "nothing-known-then";

fn not_found(order_id: &str, asked_for_time: AskedTime) -> Problem {
    if asked_for_time.is_none() {
        return Problem::no_such_order(order_id);
    }
    let detail = format!("Nothing was known of order “{order_id}”, or had happened to it, at that time.");
    Problem::new(StatusCode::NOT_FOUND, NOTHING_KNOWN_THEN, detail)
}

fn retain_item(timeline: &mut TimelineRecord, parameters: &OrderParameters) {
    if let Some(item) = parameters.item.as_ref().filter(|item| !item.is_empty()) {
        timeline.entries.retain(|entry| entry.is_about(item));
    }
}

/// The filters, checked.
pub fn query(parameters: &ListParameters) -> Result<OrderQuery, Problem> {
    let given =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let sort = match given(&parameters.sort).as_deref() {
        None | Some("-lastEventAt") => Sort::NewestFirst,
        Some("lastEventAt") => Sort::OldestFirst,
        Some("orderId") => Sort::IdsUp,
        Some("-orderId") => Sort::IdsDown,
        Some("state") => Sort::StatesUp,
        Some("-state") => Sort::StatesDown,
        Some(_) => {
            return Err(bad_query(
                &"sort is lastEventAt, orderId or state, with a - before it for the other way round",
            ));
        }
    };
    let limit = parameters.limit.unwrap_or(LIMIT);
    if limit == 0 || limit > HIGHEST_LIMIT {
        return Err(bad_query(&format_args!("limit is between 1 and {HIGHEST_LIMIT}")));
    }
    let after = given(&parameters.cursor)
        .map(|text| cursor(&text, sort).ok_or_else(|| bad_query(&"cursor is none that a list gave")))
        .transpose()?;
    Ok(OrderQuery {
        q: given(&parameters.q),
        or_begins: false,
        state: given(&parameters.state),
        attention: given(&parameters.attention),
        sender: given(&parameters.sender),
        party: given(&parameters.party),
        offering: given(&parameters.offering),
        started_from: time("startedFrom", given(&parameters.started_from).as_ref())?,
        changed_from: time("changedFrom", given(&parameters.changed_from).as_ref())?,
        changed_to: time("changedTo", given(&parameters.changed_to).as_ref())?,
        sort,
        limit,
        after,
    })
}

/// Where the next page begins, as the address carries it.
pub fn cursor_text(cursor: Cursor) -> String {
    match cursor {
        Cursor::Moved(at, key) => format!("{}_{}", at.timestamp_micros(), key.simple()),
        Cursor::OrderId(id, key) => format!("{}_{id}", key.simple()),
        Cursor::State(state, at, key) => format!("{}_{}_{state}", at.timestamp_micros(), key.simple()),
    }
}

/// Only a cursor of the same sort says where a page begins.
fn cursor(text: &str, sort: Sort) -> Option<Cursor> {
    let (first, second) = text.split_once('_')?;
    match sort {
        Sort::NewestFirst | Sort::OldestFirst => {
            Some(Cursor::Moved(DateTime::from_timestamp_micros(first.parse().ok()?)?, second.parse().ok()?))
        }
        Sort::StatesUp | Sort::StatesDown => {
            let (key, state) = second.split_once('_')?;
            let at = DateTime::from_timestamp_micros(first.parse().ok()?)?;
            Some(Cursor::State(state.to_owned(), at, key.parse().ok()?))
        }
        Sort::IdsUp | Sort::IdsDown => Some(Cursor::OrderId(second.to_owned(), first.parse().ok()?)),
    }
}

#[skip_serializing_none]
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct PageBody {
    orders: Vec<HitBody>,
    next_cursor: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct HitBody {
    #[serde(flatten)]
    head: OrderHead,
    /// The kinds of id by which `q` matched.
    matched: Vec<String>,
}

impl From<OrderHit> for HitBody {
    fn from(hit: OrderHit) -> Self {
        Self { head: hit.head, matched: hit.matched }
    }
}
