//! What requests are judged by, and who they turn out to be from.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, web};
use chrono::TimeDelta;
use tracing::warn;

use super::body::Room;
use super::error::{Problem, RETRY_SECONDS};
use super::peer::Proxies;
use crate::access::{
    Admission, Copy, Door, Gate, Kind, Oidc, OidcSettings, Reason, Refusals, Scope, Sender, Signatures, State,
};
use crate::metrics;
use crate::store::Store;

/// What an operator may set about access.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// The database is asked so often who has access.
    pub refresh: Duration,
    /// Open to whoever reaches the service while nothing is set up, also where that is not this machine alone.
    pub unprotected: bool,
    pub proxies: Proxies,
    /// Whoever set the service up has said that others reach it through a proxy. Then it is not open for being at an
    /// address of this machine alone: a proxy need not tell that it has passed something on.
    pub is_behind_proxy: bool,
    /// Whoever set the service up has said that browsers reach it by `https`.
    pub is_public_address_encrypted: bool,
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
            is_behind_proxy: false,
            is_public_address_encrypted: false,
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
    pub fn anybody() -> Self {
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
        let mut signatures = self.signatures();
        signatures.update(body);
        self.signer(&signatures, only)
    }

    /// What a body's signature is checked by as it comes.
    pub fn signatures(&self) -> Signatures {
        match self {
            Self::Open => Signatures::default(),
            Self::Judged(admission) => admission.signatures(),
        }
    }

    /// As [`Passage::sender`], of a body that these signatures have taken.
    ///
    /// # Errors
    /// As there.
    pub fn signer(&self, signatures: &Signatures, only: Option<&str>) -> Result<Option<Arc<Sender>>, Reason> {
        match self {
            Self::Open => Ok(None),
            Self::Judged(admission) => {
                let sender = admission.admit(signatures)?;
                if only.is_some_and(|only| only != sender.name) { Err(Reason::OtherSender) } else { Ok(Some(sender)) }
            }
        }
    }
}

impl Entrance {
    /// Whether whoever reaches the service may do everything.
    pub fn is_open(&self, state: &State) -> bool {
        let is_alone = self.is_local && !self.settings.is_behind_proxy;
        (is_alone || self.settings.unprotected) && !state.is_set_up() && self.oidc.is_none()
    }

    /// Whether browsers reach the service encrypted.
    pub fn is_secure(&self, request: &HttpRequest) -> bool {
        self.is_tls || self.settings.is_public_address_encrypted || self.settings.proxies.is_secure(request)
    }

    /// Answers a refusal, and counts it.
    pub fn refuse(&self, door: Door, reason: Reason, request: &HttpRequest) -> Problem {
        self.count(door, reason, request);
        problem(door, reason)
    }

    /// Counts a request that something was sent with and that no route takes.
    pub fn lost(&self, request: &HttpRequest) {
        const SHOWN: usize = 100;
        let path: String = request.path().chars().take(SHOWN).flat_map(char::escape_debug).collect();
        let who = format!("{} to {} {path}", self.client(request), request.method());
        self.count_of(Door::Nowhere, Reason::NoRoute, &who);
    }

    /// Counts a refusal that is answered in another form.
    pub fn count(&self, door: Door, reason: Reason, request: &HttpRequest) {
        self.count_of(door, reason, &self.client(request));
    }

    fn count_of(&self, door: Door, reason: Reason, who: &str) {
        self.refusals.count(door, reason, who);
        metrics::refused(door, reason.code());
    }

    fn client(&self, request: &HttpRequest) -> String {
        self.settings.proxies.client(request).map(|address| address.to_string()).unwrap_or_default()
    }
}

fn problem(door: Door, reason: Reason) -> Problem {
    let status = match reason.kind() {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
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

/// The header that says when to come again, for answers that are no problems.
pub fn retry_after() -> (header::HeaderName, HeaderValue) {
    (header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS))
}
