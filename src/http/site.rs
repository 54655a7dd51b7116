//! The pages' handlers, and what guards every request.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::app::App;
use super::error::Problem;

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

/// Keeps other web sites out. The service is open to whoever is on this machine, and so to every page
/// that a browser here shows: a page may post across sites, or name this address as its own (DNS
/// rebinding). A browser tells of both.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = match refusal(request.request()) {
        Some(problem) => request.into_response(problem.error_response()),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn refusal(request: &HttpRequest) -> Option<Problem> {
    // The header itself: what a proxy forwards could be set by a page.
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = named
        .rsplit_once(':')
        .map_or(named, |(host, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { named });
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host != "localhost" && host.parse::<std::net::IpAddr>().is_err() {
        let detail = format!("This service answers to its own address and to localhost, not to “{host}”.");
        return Some(Problem::new(StatusCode::FORBIDDEN, "foreign-host", detail));
    }
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let site = request.headers().get("Sec-Fetch-Site").and_then(|site| site.to_str().ok());
    let from_elsewhere = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    (!is_safe && from_elsewhere)
        .then(|| Problem::new(StatusCode::FORBIDDEN, "foreign-site", "Another web site's page may not post here."))
}
