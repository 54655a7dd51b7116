//! What all pages share: who looks, problems as pages, and what guards every request.
//!
//! A page's problems are pages too: whoever reads them is a person.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{InternalError, PathError, QueryPayloadError, UrlencodedError};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use chrono::Utc;
use maud::Markup;

use super::entrance::{Entrance, staff_of};
use super::error::{Problem, bad_form, bad_path, bad_query};
use super::hybris;
use super::idle::Asked;
use super::pages::{self, Viewer, Who, Zone};
use super::peer;
use super::plain_words;
use crate::access::{Scope, State};
use crate::store::StoreError;

/// Where a viewer's zone is kept.
pub const ZONE_COOKIE: &str = "zone";

/// Who looks, and when.
pub fn viewer_of(request: &HttpRequest) -> Viewer {
    let cookies = request.headers().get_all(header::COOKIE).filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let zone = pairs.find(|(name, _)| *name == ZONE_COOKIE).and_then(|(_, zone)| Zone::from_name(zone));
    let here = request.uri().path_and_query().map_or("/", |here| here.as_str());
    let who = staff_of(request).map(|staff| Who { may_operate: Scope::Operate.is_in(&staff.scopes), name: staff.name });
    Viewer { zone: zone.unwrap_or_default(), now: Utc::now(), here: here.to_owned(), who }
}

/// A query that cannot be read, told in the form of what was asked for.
pub fn bad_query_told(cause: QueryPayloadError, request: &HttpRequest) -> actix_web::Error {
    let response = told(request, &bad_query(&plain_words::of_query(&cause.to_string())));
    InternalError::from_response(cause, response).into()
}

/// The same for a path.
pub fn bad_path_told(cause: PathError, request: &HttpRequest) -> actix_web::Error {
    let response = told(request, &bad_path(&plain_words::of_path(request.path())));
    InternalError::from_response(cause, response).into()
}

/// The same for a form.
pub fn bad_form_told(cause: UrlencodedError, request: &HttpRequest) -> actix_web::Error {
    let response = told(request, &bad_form(&cause));
    InternalError::from_response(cause, response).into()
}

/// A problem as a page where a browser asked for one, in the document's form at the Hybris front door, else as a
/// program gets it.
pub fn told(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let mut response = if hybris::is_front_door(request) {
        hybris::told(problem)
    } else if wants_page(request) {
        problem_page(problem, &viewer_of(request))
    } else {
        return problem.error_response();
    };
    for (name, value) in problem.headers() {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Whether a browser asks for a page. What is only for programs answers as they expect it, whatever they accept:
/// some libraries name HTML first in all that they ask.
pub fn wants_page(request: &HttpRequest) -> bool {
    const PROGRAMS: [&str; 3] = ["/api/", "/listener", "/oauth/"];
    let accepts = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && !PROGRAMS.iter().any(|part| request.path().starts_with(part))
}

pub fn problem_page(problem: &Problem, viewer: &Viewer) -> HttpResponse {
    // The detail is for whoever delivers; who looks at a page delivers nothing.
    let detail = match problem.code.as_str() {
        "database-unavailable" => {
            "The service cannot reach its database at the moment. Nothing that was received is lost. Try again in a few \
             seconds; if it lasts, tell whoever operates the service."
        }
        _ => problem.detail.as_str(),
    };
    html(problem.status, &pages::message(problem.title, detail, viewer))
}

/// A page, or what went wrong instead.
pub fn shown(page: Result<Markup, Problem>, viewer: &Viewer) -> HttpResponse {
    match page {
        Ok(page) => html(StatusCode::OK, &page),
        Err(problem) => problem_page(&problem, viewer),
    }
}

pub fn html(status: StatusCode, page: &Markup) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(page.0.clone())
}

/// Sent with every answer: only files of our own run or lend style, and nothing is framed, or guessed to be
/// another type. What says nothing else of how long it may be kept is not kept.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
    let asked = Asked::now(request.request());
    let mut response = match refusal(request.request(), openness(&request).await) {
        Some(problem) => {
            let response = told(request.request(), &problem);
            request.into_response(response)
        }
        None => next.call(request).await?.map_into_boxed_body(),
    };
    for (name, value) in HEADERS {
        if name != header::CACHE_CONTROL || !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    // Whoever came encrypted once comes encrypted again.
    let entrance = response.request().app_data::<web::Data<Entrance>>();
    if entrance.is_some_and(|entrance| entrance.is_secure(response.request())) {
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    Ok(response.map_body(|_, body| asked.answered(body)))
}

fn is_own(origin: &HeaderValue, named: &str) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(named))
}

/// Whether the service is open to whoever reaches it.
enum Openness {
    Open,
    Closed,
    /// Until it is known who has access, nobody is let in; and nothing is lost by telling how the service fares.
    Unknown(StoreError),
    UnknownToHealth,
}

async fn openness(request: &ServiceRequest) -> Openness {
    let Some(entrance) = request.app_data::<web::Data<Entrance>>() else { return Openness::Open };
    let of = |state: &State| if entrance.is_open(state) { Openness::Open } else { Openness::Closed };
    if request.path().starts_with("/health/") {
        return entrance.gate.shared.known().map_or(Openness::UnknownToHealth, |state| of(&state));
    }
    entrance.gate.shared.get().await.map_or_else(Openness::Unknown, |state| of(&state))
}

fn refusal(request: &HttpRequest, openness: Openness) -> Option<Problem> {
    let named = peer::named_host(request);
    let host = named
        .rsplit_once(':')
        .map_or(named, |(host, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { named });
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if !host.eq_ignore_ascii_case("localhost") && host.parse::<std::net::IpAddr>().is_err() {
        match openness {
            Openness::Open => {
                let detail = format!("This service answers to its own address and to localhost, not to “{host}”.");
                return Some(Problem::new(StatusCode::FORBIDDEN, "foreign-host", detail));
            }
            // It may turn out to be open before the doors are asked.
            Openness::Unknown(cause) => return Some(cause.into()),
            Openness::Closed | Openness::UnknownToHealth => {}
        }
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
