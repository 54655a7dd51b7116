//! Errors as the outside sees them: `application/problem+json` (RFC 9457) with a stable `code`.

use std::fmt;

use actix_web::error::UrlencodedError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Serialize;
use serde_with::skip_serializing_none;
use tracing::{error, warn};
use uuid::Uuid;

use super::entrance::Entrance;
use super::site::told;
use crate::intake::NotTaken;
use crate::store::StoreError;

/// A problem: what was wrong, where, what to do. Causes inside the service are logged, not told.
#[skip_serializing_none]
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    #[serde(skip)]
    pub status: StatusCode,
    pub title: &'static str,
    /// Stable, for programs.
    pub code: String,
    pub detail: String,
    /// Where in the JSON.
    pub path: Option<String>,
    /// The delivery under which the body was kept all the same.
    pub delivery_id: Option<Uuid>,
    /// The senders to choose from.
    pub senders: Option<Vec<String>>,
    /// How to show who one is: the header `WWW-Authenticate`.
    #[serde(skip)]
    pub challenge: Option<String>,
}

/// Seconds after which a sender may try again.
pub const RETRY_SECONDS: u32 = 5;

impl Problem {
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title: status.canonical_reason().unwrap_or("Error"),
            code: code.to_owned(),
            detail: detail.into(),
            path: None,
            delivery_id: None,
            senders: None,
            challenge: None,
        }
    }

    pub fn no_such_order(order_id: &str) -> Self {
        let detail = format!("No order with the id “{}” has been heard of.", order_id.replace('\0', "\u{FFFD}"));
        Self::new(StatusCode::NOT_FOUND, "no-such-order", detail)
    }

    pub fn several_senders(order_id: &str, senders: Vec<String>) -> Self {
        let detail = format!(
            "{} senders have an order with the id “{order_id}”; name one with ?sender={}.",
            senders.len(),
            senders.first().map_or("", String::as_str)
        );
        Self { senders: Some(senders), ..Self::new(StatusCode::CONFLICT, "several-senders", detail) }
    }

    /// What stands in the head of the answer, in whichever form the rest is told.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let later = (self.status == StatusCode::SERVICE_UNAVAILABLE).then(|| HeaderValue::from(RETRY_SECONDS));
        let challenge = self.challenge.as_deref().and_then(|challenge| HeaderValue::from_str(challenge).ok());
        let later = later.map(|value| (RETRY_AFTER, value));
        later.into_iter().chain(challenge.map(|value| (WWW_AUTHENTICATE, value)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        #[derive(Serialize)]
        struct Body<'p> {
            r#type: &'static str,
            status: u16,
            #[serde(flatten)]
            problem: &'p Problem,
        }
        let mut response = HttpResponse::build(self.status);
        for header in self.headers() {
            response.insert_header(header);
        }
        let body = Body { r#type: "about:blank", status: self.status.as_u16(), problem: self };
        response.content_type("application/problem+json").body(serde_json::to_string(&body).unwrap_or_default())
    }
}

/// Of a read: what the database refuses there is what was asked for.
impl From<StoreError> for Problem {
    fn from(cause: StoreError) -> Self {
        match &cause {
            StoreError::Refused(refusal) if refusal.as_database_error().is_some() => {
                warn!(%cause, "the database refused the values of a request");
                let detail = "The request asks for a value that cannot be looked up.";
                Self::new(StatusCode::BAD_REQUEST, "bad-query", detail)
            }
            StoreError::NoLongerKept => {
                let detail = "Exact bodies that this needs were let go, as the operator of the service wishes \
                              (--keep-bodies), or are damaged. What was made of them is kept: the order and its timeline as they are now.";
                Self::new(StatusCode::GONE, "bodies-gone", detail)
            }
            _ => unavailable(&cause, "Try again in a moment."),
        }
    }
}

impl From<NotTaken> for Problem {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Store(cause) if cause.may_be_its_own() => {
                error!(%cause, "the database did not take a delivery");
                let detail = "The service cannot add to this order at the moment; it says nothing of other orders. \
                              Sending it again after the time in Retry-After does no harm.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", detail)
            }
            NotTaken::Store(cause) => unavailable(
                &cause,
                "The delivery may or may not have been kept; sending it again after the time in Retry-After does no harm.",
            ),
            NotTaken::Failed => {
                let detail = "The service failed to take the delivery in and cannot say whether it was kept. \
                              Sending it again does no harm.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", detail)
            }
            NotTaken::SpoolFull | NotTaken::SpoolFailed => {
                error!(cause = %not_taken, "a delivery was not kept");
                let detail = "The service cannot use its database at the moment, and this machine's disk has no room \
                              for more deliveries. Sending it again after the time in Retry-After does no harm.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, not_taken.code(), detail)
            }
            NotTaken::Busy => {
                let detail = "More deliveries are waiting than can be taken in; this one was not kept. \
                              Try again after the time in Retry-After.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
            }
        }
    }
}

/// Whatever the database's trouble is: nothing was half done, and later it may go.
fn unavailable(cause: &StoreError, what_to_do: &str) -> Problem {
    error!(%cause, "the database did not serve a request");
    let detail = format!("The service cannot reach or use its database at the moment. {what_to_do}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-unavailable", detail)
}

pub fn bad_query(cause: &dyn fmt::Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-query", format!("The query cannot be understood: {cause}."))
}

pub fn bad_path(cause: &dyn fmt::Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-path", format!("The address cannot be understood: {cause}."))
}

/// A form that was posted.
pub fn bad_form(cause: &UrlencodedError) -> Problem {
    let (status, code) = match cause {
        UrlencodedError::Overflow { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
        UrlencodedError::ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-form"),
        _ => (StatusCode::BAD_REQUEST, "bad-form"),
    };
    Problem::new(status, code, format!("The form cannot be understood: {cause}"))
}

/// Whoever posts may be a sender that was told a wrong address: its feed is not to be lost without a trace.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    if let Some(entrance) = request.app_data::<web::Data<Entrance>>().filter(|_| !request.method().is_safe()) {
        entrance.lost(&request);
    }
    told(&request, &nothing_there(&request))
}

pub fn nothing_there(request: &HttpRequest) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", format!("There is nothing at {}.", request.path()))
}

pub fn method_not_allowed(request: &HttpRequest, methods: &'static str) -> HttpResponse {
    let detail = format!("{} takes {methods}, not {}.", request.path(), request.method());
    let mut response = told(request, &Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

impl actix_web::Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}
