//! Where suppliers push their events.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::app::App;
use super::body::receive;
use super::entrance::{Entrance, Passage};
use super::error::Problem;
use crate::access::{Door, Reason};
use crate::intake::{Delivery, Intake, OWN_HEADERS};
use crate::metrics;
use crate::record::{HeaderRecord, OutcomeName, Receipt};

#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListenerParameters {
    /// One of the configured senders, where it is not the usual one.
    pub sender: Option<String>,
}

/// Takes one event in. A 2xx means that it is durable and that the order's timeline shows it.
#[utoipa::path(post, path = "/listener", tag = "listener", params(ListenerParameters),
    request_body(content = Object, description = "An event in the flavour of TMF622, in any of its shapes"),
    responses(
        (status = 200, description = "Kept; also where it could not be placed (`quarantined`)", body = Receipt),
        (status = 400, description = "No JSON; kept all the same", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not shown who it is from; nothing is kept", body = Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "No configured sender, or not one that may post this; nothing is kept", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large; its head is kept", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "Nothing could be made durable", body = Problem,
            content_type = "application/problem+json")))]
pub async fn take(
    request: HttpRequest,
    parameters: web::Query<ListenerParameters>,
    payload: web::Payload,
    passage: web::ReqData<Passage>,
    app: web::Data<App>,
    entrance: web::Data<Entrance>,
    intake: web::Data<Intake>,
) -> Result<HttpResponse, Problem> {
    let received = receive(payload, request.headers(), &passage, app.max_body_bytes, app.limits, &entrance.room).await;
    let received = received.inspect_err(|problem| metrics::refused(Door::Listener, &problem.code))?;
    let sender = received.sender(&passage, None);
    let sender = sender.map_err(|reason| entrance.refuse(Door::Listener, reason, &request))?;
    let ack_status = sender.as_ref().and_then(|sender| sender.ack_status).unwrap_or(app.ack_status);
    let sender = match &sender {
        Some(sender) => &sender.name,
        None => named(&app, parameters.sender.as_deref())
            .inspect_err(|_| drop(entrance.refuse(Door::Listener, Reason::UnknownSender, &request)))?,
    };
    // PostgreSQL keeps no NUL in a text; the path is only kept to be looked at.
    let origin = request.path().replace('\0', "\u{FFFD}");
    let delivery = Delivery::received_now(sender, &origin, received.headers(request.headers()), received.body);
    answer(intake.take(delivery).await?, ack_status)
}

/// Whose delivery it says to be, while nobody has been set up and the service is open.
fn named<'a>(app: &'a App, named: Option<&str>) -> Result<&'a str, Problem> {
    let Some(named) = named else { return Ok(&app.sender) };
    let known = std::iter::once(&app.sender).chain(&app.other_senders).find(|known| *known == named);
    known.map(String::as_str).ok_or_else(|| {
        let senders = std::iter::once(&app.sender).chain(&app.other_senders).cloned().collect();
        let detail = format!("“{named}” is no sender that this service is configured for; nothing was kept.");
        Problem { senders: Some(senders), ..Problem::new(StatusCode::FORBIDDEN, "unknown-sender", detail) }
    })
}

/// The contract's answer: JSON that cannot be placed is acknowledged, since a resend would not help and
/// some senders stop their whole feed at a refused body; what is no JSON is refused, but kept.
fn answer(receipt: Receipt, ack_status: u16) -> Result<HttpResponse, Problem> {
    let refused = match receipt.reason_code.as_deref() {
        Some("not-json") => Some(StatusCode::BAD_REQUEST),
        Some("too-large") => Some(StatusCode::PAYLOAD_TOO_LARGE),
        _ => None,
    };
    if let (Some(status), OutcomeName::Quarantined) = (refused, receipt.outcome) {
        let code = receipt.reason_code.unwrap_or_default();
        let reason = receipt.reason.unwrap_or_default();
        let detail = format!("Not taken as an event: {reason}. It was kept as delivery {}.", receipt.delivery_id);
        let kept = Some(receipt.delivery_id);
        return Err(Problem { delivery_id: kept, path: receipt.reason_path, ..Problem::new(status, &code, detail) });
    }
    let status = StatusCode::from_u16(ack_status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    // RFC 9110: 204 and 205 have no content.
    match status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Ok(response.finish()),
        _ => Ok(response.json(receipt)),
    }
}

/// Headers whose values are kept. No list of secret ones would be complete: senders name their own.
const HARMLESS: [&str; 29] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "correlationid",
    "date",
    "expect",
    "host",
    "idempotency-key",
    "request-id",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
    "via",
    "webhook-id",
    "webhook-timestamp",
    "x-correlation-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
];

/// The headers as they are kept: all names but those that are only this service's to use, and the values of
/// those that cannot hold a secret.
pub fn redacted(headers: &HeaderMap) -> Vec<HeaderRecord> {
    let from_outside = headers.iter().filter(|(name, _)| !name.as_str().starts_with(OWN_HEADERS));
    let kept = from_outside.map(|(name, value)| {
        let value = if HARMLESS.contains(&name.as_str()) {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        } else {
            "[redacted]".to_owned()
        };
        HeaderRecord { name: name.as_str().to_owned(), value }
    });
    let mut kept: Vec<HeaderRecord> = kept.collect();
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    kept
}
