//! Sessions: a random text in a cookie, its hash and all else in the database.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::entrance::{Entrance, Staff};
use crate::access::{NoRandom, Reason, Scope, Secret, State};
use crate::store::{Session, StoreError};

/// A browser takes a cookie of the first name only over TLS, for this host alone and for all of it.
const SECURE_NAME: &str = "__Host-order-timeline";
const PLAIN_NAME: &str = "order-timeline";
/// A session's use is noted so often; not with every request.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The session that a request belongs to.
///
/// # Errors
/// Where the database is not available. Inside: why there is none.
pub async fn of(
    entrance: &Entrance,
    state: &State,
    request: &HttpRequest,
) -> Result<Result<Staff, Reason>, StoreError> {
    let Some(secret) = secret(entrance, request) else { return Ok(Err(Reason::NoCredentials)) };
    let hash = secret.sha256();
    let now = Utc::now();
    let Some(session) = entrance.store.session(&hash).await? else { return Ok(Err(Reason::SessionOver)) };
    let has_key = |key_id: &Uuid| state.keys.get(key_id).is_some_and(|key| key.holds(now));
    let is_over = session.expires_at <= now
        || session.seen_at + entrance.settings.session_idle <= now
        // One without a key was opened at the issuer, and holds only while that is asked.
        || session.key_id.map_or(entrance.oidc.is_none(), |key_id| !has_key(&key_id));
    if is_over {
        entrance.store.end_session(&hash).await?;
        return Ok(Err(Reason::SessionOver));
    }
    if session.seen_at + NOTED_EVERY <= now {
        entrance.store.touch_session(&hash, now).await?;
    }
    let scopes = session.scopes.iter().filter_map(|scope| Scope::from_name(scope)).collect();
    Ok(Ok(Staff { name: Some(session.name), subject: Some(session.subject), scopes, by_cookie: true }))
}

/// What a session is opened for.
#[derive(Debug)]
pub struct Person {
    pub subject: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub key_id: Option<Uuid>,
}

/// Why no session could be opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// Opens a session; gives the cookie that is it.
///
/// # Errors
/// Where the database is not available.
pub async fn open(entrance: &Entrance, person: Person, request: &HttpRequest) -> Result<Cookie<'static>, NotOpened> {
    let secret = Secret::generate("")?;
    let now = Utc::now();
    entrance.store.forget_sessions(now).await?;
    let session = Session {
        session_hash: secret.sha256().to_vec(),
        subject: person.subject,
        name: person.name,
        scopes: person.scopes.iter().map(|scope| scope.name().to_owned()).collect(),
        key_id: person.key_id,
        created_at: now,
        seen_at: now,
        expires_at: now + entrance.settings.session_longest,
    };
    entrance.store.add_session(&session).await?;
    Ok(cookie(entrance, request, secret.reveal(), Duration::seconds(entrance.settings.session_longest.num_seconds())))
}

/// Ends the session of a request; gives the cookie that takes its place.
///
/// # Errors
/// Where the database is not available.
pub async fn close(entrance: &Entrance, request: &HttpRequest) -> Result<Cookie<'static>, StoreError> {
    if let Some(secret) = secret(entrance, request) {
        entrance.store.end_session(&secret.sha256()).await?;
    }
    Ok(cookie(entrance, request, "", Duration::ZERO))
}

fn name(entrance: &Entrance, request: &HttpRequest) -> &'static str {
    if entrance.is_secure(request) { SECURE_NAME } else { PLAIN_NAME }
}

fn secret(entrance: &Entrance, request: &HttpRequest) -> Option<Secret> {
    Some(Secret::new(request.cookie(name(entrance, request))?.value().to_owned()))
}

fn cookie(entrance: &Entrance, request: &HttpRequest, value: &str, age: Duration) -> Cookie<'static> {
    Cookie::build(name(entrance, request), value.to_owned())
        .path("/")
        .http_only(true)
        .secure(entrance.is_secure(request))
        // Links from elsewhere (a ticket, a mail) find the reader signed in; posts from elsewhere do not.
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}
