//! What stands before every route: whoever may not pass a door is answered here.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use chrono::{TimeDelta, Utc};
use tracing::warn;

use super::body::Room;
use super::error::{Problem, RETRY_SECONDS};
use super::peer::{self, Proxies};
use super::session;
use super::site::{told, wants_page};
use crate::access::{
    Admission, Authorization, Copy, Door, Gate, Kind, Oidc, OidcSettings, Reason, Refusals, Scope, Sender, State,
    key_id,
};
use crate::metrics;
use crate::store::{Store, StoreError};

/// What an operator may set about access.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// The database is asked so often who has access.
    pub refresh: Duration,
    /// Open to whoever reaches the service while nothing is set up, also where that is not this machine alone.
    pub unprotected: bool,
    pub proxies: Proxies,
    /// A session ends after so long without a request, and after so long in any case.
    pub session_idle: TimeDelta,
    pub session_longest: TimeDelta,
    /// Where people sign in, if anywhere.
    pub oidc: Option<OidcSettings>,
    /// Who has access, as far as that is known before the service asks itself.
    pub known: Option<Arc<State>>,
    /// Where that is copied to, for a start while the database is away.
    pub copy: Option<Arc<Copy>>,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(2),
            unprotected: false,
            proxies: Proxies::default(),
            session_idle: TimeDelta::hours(1),
            session_longest: TimeDelta::hours(12),
            oidc: None,
            known: None,
            copy: None,
        }
    }
}

/// What judges requests, shared by all workers.
#[derive(Debug)]
pub struct Entrance {
    pub store: Store,
    pub gate: Gate,
    pub settings: AccessSettings,
    pub refusals: Refusals,
    /// What all bodies on their way in share.
    pub room: Room,
    /// Where people sign in, if anywhere.
    pub oidc: Option<Oidc>,
    /// The service can be reached from this machine only.
    pub is_local: bool,
    /// The service speaks TLS itself.
    pub is_tls: bool,
    /// So long a request's body may take.
    pub body_time_out: Duration,
}

/// Who reads or operates. Whoever was let in through the door to read or to operate stands in the request's
/// extensions, for pages that tell people who they are and offer them what they may do ([`staff_of`]).
#[derive(Clone, Debug)]
pub struct Staff {
    /// The name of a key or of a person; none while the service is open.
    pub name: Option<String>,
    /// The same for the log: `key:` and the key's name, or the issuer's id of a person.
    pub subject: Option<String>,
    pub scopes: Vec<Scope>,
    pub by_cookie: bool,
}

impl Staff {
    /// Whoever comes while nobody is set up and the service is open.
    fn anybody() -> Self {
        Self { name: None, subject: None, scopes: Scope::ALL.to_vec(), by_cookie: false }
    }
}

/// Who asks, where the request came through a door for staff and programs.
pub fn staff_of(request: &HttpRequest) -> Option<Staff> {
    request.extensions().get::<Staff>().cloned()
}

/// How a delivery has passed the door. The sender is told when the body is there.
#[derive(Clone, Debug)]
pub enum Passage {
    /// Nobody has been set up: any sender may be named.
    Open,
    Judged(Admission),
}

impl Passage {
    /// The sender that a delivery with this body is from; none where the service is open.
    ///
    /// # Errors
    /// Where no sender has signed it, or it is not from `only`.
    pub fn sender(&self, body: &[u8], only: Option<&str>) -> Result<Option<Arc<Sender>>, Reason> {
        match self {
            Self::Open => Ok(None),
            Self::Judged(admission) => {
                let sender = admission.admit(body)?;
                if only.is_some_and(|only| only != sender.name) { Err(Reason::OtherSender) } else { Ok(Some(sender)) }
            }
        }
    }
}

impl Entrance {
    /// Whether whoever reaches the service may do everything.
    pub fn is_open(&self, state: &State) -> bool {
        (self.is_local || self.settings.unprotected) && !state.is_set_up() && self.oidc.is_none()
    }

    /// The same for those who cannot wait: until it is known, it is taken to be open, which is the stricter for
    /// what depends on it.
    pub async fn may_be_open(&self) -> bool {
        self.gate.shared.get().await.map_or(true, |state| self.is_open(&state))
    }

    /// Whether browsers reach the service encrypted.
    pub fn is_secure(&self, request: &HttpRequest) -> bool {
        self.is_tls || self.settings.proxies.is_secure(request)
    }

    /// Answers a refusal, and counts it.
    pub fn refuse(&self, door: Door, reason: Reason, request: &HttpRequest) -> Problem {
        self.count(door, reason, request);
        problem(door, reason)
    }

    /// Counts a refusal that is answered in another form.
    pub fn count(&self, door: Door, reason: Reason, request: &HttpRequest) {
        let who = self.settings.proxies.client(request).map(|address| address.to_string()).unwrap_or_default();
        self.refusals.count(door, reason, &who);
        metrics::refused(door, reason.code());
    }
}

fn problem(door: Door, reason: Reason) -> Problem {
    let status = match reason.kind() {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let kept = if door == Door::Listener { " Nothing was kept." } else { "" };
    let challenge = (status == StatusCode::UNAUTHORIZED).then(|| match reason {
        Reason::NoCredentials if door == Door::Listener => {
            "Bearer realm=\"order-timeline\", Basic realm=\"order-timeline\"".to_owned()
        }
        Reason::NoCredentials => "Bearer realm=\"order-timeline\"".to_owned(),
        // RFC 6750 §3.1
        _ => format!(
            "Bearer realm=\"order-timeline\", error=\"invalid_token\", error_description=\"{}\"",
            reason.detail()
        ),
    });
    Problem { challenge, ..Problem::new(status, reason.code(), format!("{}{kept}", reason.detail())) }
}

/// Reads anew, as long as the service runs, who has access.
pub async fn keep_up_to_date(entrance: web::Data<Entrance>) {
    let mut told = false;
    let mut faults = Vec::new();
    // What was read for the start need not be read again at once.
    if let Some(state) = entrance.gate.shared.known().filter(|_| entrance.settings.copy.is_none()) {
        faults = state.faults();
        if let Err(cause) = entrance.gate.shared.keep_signing_keys().await {
            warn!(%cause, "there may be no key to sign with yet");
        }
        tokio::time::sleep(entrance.settings.refresh).await;
    }
    loop {
        let done = match entrance.gate.shared.refresh().await {
            Ok(state) => {
                let now = state.faults();
                now.iter()
                    .filter(|fault| !faults.contains(*fault))
                    .for_each(|fault| warn!("{fault}; nothing of it is taken"));
                faults = now;
                entrance.gate.shared.keep_signing_keys().await
            }
            Err(cause) => Err(cause),
        };
        match done {
            Ok(()) => told = false,
            Err(cause) if !told => {
                warn!(%cause, "who has access cannot be read; what was read last holds");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(entrance.settings.refresh).await;
    }
}

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
    let to = super::pages::encoded(request.uri().path_and_query().map_or("/", |to| to.as_str()));
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
            authority.is_some() && authority == text("host")
        }
        (None, None) => false,
    }
}

fn named_sender(request: &HttpRequest) -> Option<String> {
    let query = web::Query::<std::collections::HashMap<String, String>>::from_query(request.query_string()).ok()?;
    query.get("sender").cloned()
}

/// The header that says when to come again, for answers that are no problems.
pub fn retry_after() -> (header::HeaderName, HeaderValue) {
    (header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS))
}
