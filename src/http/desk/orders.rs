//! The list of orders, the same as CSV, and ids as they are typed.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{NaiveDate, NaiveTime, Utc};
use chrono_tz::Europe::London;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::http::app::App;
use crate::http::error::Problem;
use crate::http::link::{order_path, with_query};
use crate::http::orders::{ListParameters, cursor_text, query};
use crate::http::pages::{self, Digest, OrdersQuery, Row, Viewer};
use crate::http::site::{shown, viewer_of};
use crate::order::rfc3339;
use crate::store::{OrderHit, OrderKey, OrderQuery};

pub async fn list(request: HttpRequest, parameters: web::Query<ListParameters>, app: web::Data<App>) -> HttpResponse {
    let viewer = viewer_of(&request);
    let parameters = with_days(parameters.into_inner());
    if let Some(address) = canonical(&parameters, &viewer) {
        return HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish();
    }
    match page_of(&parameters, &app).await {
        Ok(Found::One(address)) => HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish(),
        Ok(Found::Many(hits, view)) => {
            let rows = rows(&app, hits, &viewer).await;
            shown(rows.map(|rows| pages::orders(&rows, &view, &viewer)), &viewer)
        }
        Err(problem) => shown(Err(problem), &viewer),
    }
}

enum Found {
    /// The address of the only order that has the id.
    One(String),
    Many(Vec<OrderHit>, Box<OrdersQuery>),
}

async fn page_of(parameters: &ListParameters, app: &App) -> Result<Found, Problem> {
    let query = OrderQuery { or_begins: true, ..query(parameters)? };
    let page = app.store.orders(&query).await?;
    let is_plain_search = OrderQuery { q: None, or_begins: false, limit: 0, ..query.clone() } == OrderQuery::default();
    if let (Some(q), true, false, [only]) = (&query.q, is_plain_search, page.only_begins, page.hits.as_slice()) {
        let kind = only.matched.first().map(String::as_str);
        let order = order_path(&only.head.order_id, &only.head.sender);
        return Ok(Found::One(with_query(&order, &[("q", Some(q)), ("by", kind)])));
    }
    let view = OrdersQuery {
        senders: app.store.senders_heard().await?,
        next_cursor: page.next.map(cursor_text),
        only_begins: page.only_begins,
        is_cut: page.is_cut,
        ..asked_in(parameters)
    };
    Ok(Found::Many(page.hits, Box::new(view)))
}

/// A date field gives a day; it begins at midnight in London.
fn with_days(parameters: ListParameters) -> ListParameters {
    let begin = |text: Option<String>| {
        let day = text.as_deref().and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
        let midnight = day.and_then(|day| day.and_time(NaiveTime::MIN).and_local_timezone(London).earliest());
        midnight.map(|at| at.to_rfc3339()).or(text)
    };
    ListParameters {
        started_from: begin(parameters.started_from),
        changed_from: begin(parameters.changed_from),
        changed_to: begin(parameters.changed_to),
        ..parameters
    }
}

/// Where a form's field gave a time, the address of the same list with its times in UTC: it means the same to whoever it
/// is sent to.
fn canonical(asked: &ListParameters, viewer: &Viewer) -> Option<String> {
    let utc = |text: &Option<String>| viewer.from_field(text.as_deref()?.trim()).map(rfc3339);
    let times = [&asked.started_from, &asked.changed_from, &asked.changed_to];
    let read = times.map(utc);
    if read.iter().all(Option::is_none) {
        return None;
    }
    let [started_from, changed_from, changed_to] = read;
    let canonical = OrdersQuery {
        started_from: started_from.or_else(|| asked.started_from.clone()),
        changed_from: changed_from.or_else(|| asked.changed_from.clone()),
        changed_to: changed_to.or_else(|| asked.changed_to.clone()),
        ..asked_in(asked)
    };
    Some(canonical.address("/orders", None))
}

/// What an address asks for, as the page of it shows it.
fn asked_in(parameters: &ListParameters) -> OrdersQuery {
    let parameters = parameters.clone();
    OrdersQuery {
        q: parameters.q,
        state: parameters.state,
        attention: parameters.attention,
        sender: parameters.sender,
        party: parameters.party,
        offering: parameters.offering,
        limit: parameters.limit.map(|limit| limit.to_string()),
        started_from: parameters.started_from,
        changed_from: parameters.changed_from,
        changed_to: parameters.changed_to,
        sort: parameters.sort,
        cursor: parameters.cursor,
        ..OrdersQuery::default()
    }
}

/// The orders with what a list shows of them.
pub async fn rows(app: &App, hits: Vec<OrderHit>, viewer: &Viewer) -> Result<Vec<Row>, Problem> {
    let key = |hit: &OrderHit| OrderKey::of_order(&hit.head.sender, &hit.head.order_id);
    let keys: Vec<OrderKey> = hits.iter().map(key).collect();
    let vocabulary = app.vocabulary.now();
    let orders = app.store.digests(&keys, &vocabulary).await?;
    let bare: Vec<_> = keys.iter().map(|key| key.0).collect();
    let mut attention = app.store.attention_of(&bare).await?;
    let row = |hit: OrderHit| {
        let key = key(&hit);
        let of_order = attention.remove(&key.0).unwrap_or_default();
        let digest = orders.get(&key).map(|order| Digest::of_order(order, of_order, &vocabulary, viewer.now));
        (hit, digest.unwrap_or_default())
    };
    Ok(hits.into_iter().map(row).collect())
}

/// So many orders are read at a time.
const CSV_PAGE: u16 = 500;

/// The list as CSV, from where the list begins to its end, however long it is: written as it is read, a part at a time.
/// Where that breaks off, the browser says that the file is not whole.
pub async fn csv(request: HttpRequest, parameters: web::Query<ListParameters>, app: web::Data<App>) -> HttpResponse {
    let viewer = viewer_of(&request);
    let first = match query(&with_days(parameters.into_inner())) {
        Ok(query) => OrderQuery { or_begins: true, limit: CSV_PAGE, ..query },
        Err(problem) => return shown(Err(problem), &viewer),
    };
    let head: Bytes = format!("{}\r\n", pages::ORDERS_HEAD.join(",")).into();
    let lines = stream::try_unfold((app, Some(first), Some(head), viewer), |state| async move {
        let (app, next, head, viewer) = state;
        if let Some(head) = head {
            return Ok::<_, Problem>(Some((head, (app, next, None, viewer))));
        }
        let Some(query) = next else { return Ok(None) };
        let page = app.store.orders(&query).await?;
        let rows = rows(&app, page.hits, &viewer).await?;
        let lines: String = rows.iter().map(pages::orders_line).collect();
        let next = page.next.map(|after| OrderQuery { after: Some(after), ..query });
        Ok(Some((lines.into(), (app, next, None, viewer))))
    });
    let name = format!("attachment; filename=\"orders-{}.csv\"", Utc::now().format("%Y-%m-%d-%H%M"));
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(lines)
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    q: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SuggestionBody {
    kind: String,
    value: String,
    order_id: String,
    sender: String,
    state: String,
    href: String,
}

/// The ids that begin with what was typed so far, for the search box.
pub async fn suggestions(typed: web::Query<Typed>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    const SHORTEST: usize = 2;
    const MOST: u16 = 10;
    let begin = typed.q.trim().trim_start_matches('#');
    if begin.chars().count() < SHORTEST {
        return Ok(HttpResponse::Ok().json([(); 0]));
    }
    let found = app.store.suggestions(begin, MOST).await?.into_iter();
    let body = found.map(|one| SuggestionBody {
        href: with_query(&order_path(&one.order_id, &one.sender), &[("q", Some(&one.value)), ("by", Some(&one.kind))]),
        kind: one.kind.replace('-', " "),
        value: one.value,
        order_id: one.order_id,
        sender: one.sender,
        state: crate::order::state_in_words(&one.state),
    });
    Ok(HttpResponse::Ok().json(body.collect::<Vec<_>>()))
}
