//! The pages' handlers, and what guards every request.
//!
//! A page's problems are pages too: whoever reads them is a person.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{InternalError, QueryPayloadError};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use maud::Markup;

use super::app::App;
use super::entrance::Entrance;
use super::error::{Problem, bad_query};
use super::orders::{ListParameters, OrderParameters, asked_for, cursor_text, query};
use super::pages::{self, OrderView, OrdersQuery};

/// The list of orders.
pub async fn orders(parameters: web::Query<ListParameters>, app: web::Data<App>) -> HttpResponse {
    shown(orders_page(&parameters, &app).await)
}

async fn orders_page(parameters: &ListParameters, app: &App) -> Result<Markup, Problem> {
    let page = app.store.orders(&query(parameters)?).await?;
    let view = OrdersQuery {
        q: parameters.q.clone(),
        state: parameters.state.clone(),
        sender: parameters.sender.clone(),
        senders: app.store.senders().await?,
        next_cursor: page.next.map(cursor_text),
        cursor: parameters.cursor.clone(),
    };
    Ok(pages::orders(&page, &view))
}

/// One order and its timeline.
pub async fn order(
    order_id: web::Path<String>,
    parameters: web::Query<OrderParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let page = order_page(&app, &order_id, parameters.into_inner()).await;
    match page {
        Err(Problem { senders: Some(senders), status, .. }) => html(status, &pages::choose_sender(&order_id, &senders)),
        page => shown(page),
    }
}

async fn order_page(app: &App, order_id: &str, parameters: OrderParameters) -> Result<Markup, Problem> {
    let (order, timeline) = asked_for(app, order_id, &parameters).await?;
    let vocabulary = Arc::clone(&app.vocabulary);
    let OrderParameters { item, at, known_at, .. } = parameters;
    // A page of thousands of items takes its time; the worker has deliveries to receive meanwhile.
    web::block(move || pages::order(&order, &timeline, &OrderView { item, at, known_at }, &vocabulary))
        .await
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The page could not be made."))
}

pub async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(pages::STYLE)
}

/// A query that cannot be read, told in the form of what was asked for.
pub fn bad_query_told(cause: QueryPayloadError, request: &HttpRequest) -> actix_web::Error {
    let response = told(request, &bad_query(&cause));
    InternalError::from_response(cause, response).into()
}

fn told(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let is_page = request.path() == "/" || request.path().starts_with("/orders/");
    if is_page { problem_page(problem) } else { problem.error_response() }
}

pub fn problem_page(problem: &Problem) -> HttpResponse {
    html(problem.status, &pages::message(problem.title, &problem.detail))
}

fn shown(page: Result<Markup, Problem>) -> HttpResponse {
    match page {
        Ok(page) => html(StatusCode::OK, &page),
        Err(problem) => problem_page(&problem),
    }
}

pub fn html(status: StatusCode, page: &Markup) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(page.0.clone())
}

/// Sent with every answer: nothing of ours runs scripts, is framed, or is guessed to be another type.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Keeps other web sites out. While nobody has been set up, the service is open to whoever is on this machine, and so
/// to every page that a browser here shows: a page may post across sites, or name this address as its own (DNS
/// rebinding). A browser tells of both. Later a name is no key any more, but posts across sites stay refused.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let may_be_open = match request.app_data::<web::Data<Entrance>>() {
        Some(entrance) => entrance.may_be_open().await,
        None => true,
    };
    let mut response = match refusal(request.request(), may_be_open) {
        Some(problem) => {
            let response = told(request.request(), &problem);
            request.into_response(response)
        }
        None => next.call(request).await?.map_into_boxed_body(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn is_own(origin: &HeaderValue, named: &str) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(named))
}

fn refusal(request: &HttpRequest, may_be_open: bool) -> Option<Problem> {
    // The header itself: what a proxy forwards could be set by a page.
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = named
        .rsplit_once(':')
        .map_or(named, |(host, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { named });
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if may_be_open && !host.eq_ignore_ascii_case("localhost") && host.parse::<std::net::IpAddr>().is_err() {
        let detail = format!("This service answers to its own address and to localhost, not to “{host}”.");
        return Some(Problem::new(StatusCode::FORBIDDEN, "foreign-host", detail));
    }
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let site = request.headers().get("Sec-Fetch-Site").and_then(|site| site.to_str().ok());
    let from_elsewhere = match site {
        Some(site) => !matches!(site, "same-origin" | "none"),
        // Browsers that do not tell the site tell at least the origin.
        None => request.headers().get(header::ORIGIN).is_some_and(|origin| !is_own(origin, named)),
    };
    // PostgreSQL has no NUL in a text. A listener's query says nothing and is not read.
    if is_safe && request.query_string().contains("%00") {
        return Some(bad_query(&"it holds a NUL character"));
    }
    (!is_safe && from_elsewhere)
        .then(|| Problem::new(StatusCode::FORBIDDEN, "foreign-site", "Another web site's page may not post here."))
}
