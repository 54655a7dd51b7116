//! What stands before every route: whoever may not pass a door is answered here.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use chrono::Utc;

use super::entrance::{Entrance, Passage, Staff};
use super::error::Problem;
use super::peer;
use super::session;
use super::site::{told, wants_page};
use crate::access::{Authorization, Door, Kind, Reason, Scope, State, key_id};
use crate::store::StoreError;

/// Lets a request through a door, or answers it.
pub async fn check(
    door: Door,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(entrance) = request.app_data::<web::Data<Entrance>>().cloned() else {
        let missing = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service has no entrance.");
        return Ok(request.into_response(missing.error_response()));
    };
    match judge(&entrance, door, request.request()).await {
        // The forms that strangers may post are short; whoever takes his time over one holds a connection with it.
        Ok(()) if door != Door::Listener && !request.method().is_safe() => {
            let shown = request.request().clone();
            match tokio::time::timeout(entrance.body_time_out, next.call(request)).await {
                Ok(answer) => Ok(answer?.map_into_boxed_body()),
                Err(_) => Ok(ServiceResponse::new(shown.clone(), told(&shown, &too_slow()))),
            }
        }
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(NotLetIn::Problem(problem)) => {
            let answer = told(request.request(), &problem);
            Ok(request.into_response(answer))
        }
        Err(NotLetIn::SignIn) => {
            let answer = to_sign_in(request.request());
            Ok(request.into_response(answer))
        }
    }
}

fn too_slow() -> Problem {
    let detail = "The request did not arrive whole in the time that it may take.";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail)
}

/// What somebody who is not let in is told.
enum NotLetIn {
    Problem(Problem),
    /// A person who may be let in after signing in.
    SignIn,
}

impl From<Problem> for NotLetIn {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

fn to_sign_in(request: &HttpRequest) -> HttpResponse {
    let to = super::link::encoded(request.uri().path_and_query().map_or("/", |to| to.as_str()));
    HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/sign-in?to={to}"))).finish()
}

async fn judge(entrance: &Entrance, door: Door, request: &HttpRequest) -> Result<(), NotLetIn> {
    if matches!(door, Door::Public | Door::Token) {
        return Ok(());
    }
    let state = entrance.gate.shared.get().await.map_err(Problem::from)?;
    let refused = |reason| entrance.refuse(door, reason, request);
    if door == Door::Listener {
        let passage = if is_let_in_unasked(entrance, &state, request).map_err(refused)? {
            Passage::Open
        } else {
            let presented = peer::presented(request, &entrance.settings.proxies);
            let named = named_sender(request);
            Passage::Judged(entrance.gate.knock(&state, &presented, named.as_deref()).await.map_err(refused)?)
        };
        request.extensions_mut().insert(passage);
        return Ok(());
    }
    match staff(entrance, &state, door, request).await {
        Ok(staff) => {
            request.extensions_mut().insert(staff);
            Ok(())
        }
        Err(NotStaff::Reason(reason))
            if reason.kind() == Kind::Unauthenticated && request.method().is_safe() && wants_page(request) =>
        {
            entrance.count(door, reason, request);
            Err(NotLetIn::SignIn)
        }
        Err(NotStaff::Reason(reason)) => Err(refused(reason).into()),
        Err(NotStaff::Store(cause)) => Err(Problem::from(cause).into()),
    }
}

/// Whether nobody has to show anything.
///
/// # Errors
/// Where it would be so, but the request came through a proxy: whoever set that up did not mean to open the service to
/// the world.
fn is_let_in_unasked(entrance: &Entrance, state: &State, request: &HttpRequest) -> Result<bool, Reason> {
    if !entrance.is_open(state) {
        return Ok(false);
    }
    if peer::is_forwarded(request.headers()) && !entrance.settings.unprotected {
        return Err(Reason::OpenBehindProxy);
    }
    Ok(true)
}

/// Whether a request that was let in to read would be let in still: for answers that go on and on.
pub async fn may_read_on(entrance: &Entrance, request: &HttpRequest) -> bool {
    let Ok(state) = entrance.gate.shared.get().await else { return false };
    staff(entrance, &state, Door::Read, request).await.is_ok()
}

/// Why somebody is not let in, or that it cannot be told.
enum NotStaff {
    Reason(Reason),
    Store(StoreError),
}

impl From<Reason> for NotStaff {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

async fn staff(entrance: &Entrance, state: &State, door: Door, request: &HttpRequest) -> Result<Staff, NotStaff> {
    if is_let_in_unasked(entrance, state, request)? {
        return Ok(Staff::anybody());
    }
    let staff = match peer::authorization(request.headers()) {
        Authorization::Bearer(bearer) => {
            let Some(key_id) = key_id(bearer.reveal()) else {
                return Err(if bearer.reveal().contains('.') {
                    Reason::SenderAtOtherDoor
                } else {
                    Reason::WrongCredentials
                }
                .into());
            };
            let key =
                state.keys.get(&key_id).filter(|key| key.secret.is_of(&bearer)).ok_or(Reason::WrongCredentials)?;
            if !key.holds(Utc::now()) {
                return Err(Reason::KeyExpired.into());
            }
            Staff {
                name: Some(key.name.clone()),
                subject: Some(key.subject()),
                scopes: key.scopes.clone(),
                by_cookie: false,
            }
        }
        Authorization::Basic { .. } | Authorization::Other => return Err(Reason::WrongCredentials.into()),
        Authorization::None => session::of(entrance, state, request).await.map_err(NotStaff::Store)??,
    };
    let wanted = match door {
        Door::Operate => Scope::Operate,
        Door::Metrics => Scope::Metrics,
        _ => Scope::Read,
    };
    if !wanted.is_in(&staff.scopes) {
        return Err(Reason::NoScope.into());
    }
    if staff.by_cookie && !request.method().is_safe() && !is_same_site(request) {
        return Err(Reason::ForeignSite.into());
    }
    Ok(staff)
}

/// Whether a page of ours sent this. A browser sends cookies along with whatever any page posts, but says where
/// from; what does not say it is no browser that has business with a cookie.
pub fn is_same_site(request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(peer::named_host(request)))
        }
        (None, None) => false,
    }
}

fn named_sender(request: &HttpRequest) -> Option<String> {
    let query = web::Query::<std::collections::HashMap<String, String>>::from_query(request.query_string()).ok()?;
    query.get("sender").cloned()
}
