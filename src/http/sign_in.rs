//! How people sign in and out: with a key, or at the issuer of their organisation.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use tracing::{info, warn};

use super::entrance::Entrance;
use super::error::Problem;
use super::judge::is_same_site;
use super::pages::{SignInView, Viewer, sign_in};
use super::session::{self, NotOpened, Person};
use super::site::{html, problem_page, viewer_of};
use crate::access::{Door, NotSignedIn, Oidc, Reason, Scope, Secret, key_id, same};
use crate::store::{SignIn, StoreError};

/// Somebody who is away for longer begins anew.
const SIGN_IN_TAKES: TimeDelta = TimeDelta::minutes(10);
/// Binds a sign-in to the browser that began it: nobody can sign another in as themselves.
const STATE_COOKIE: &str = "order-timeline-sign-in";

#[derive(Debug, Default, Deserialize)]
pub struct SignInParameters {
    to: Option<String>,
}

#[derive(Deserialize)]
pub struct KeyForm {
    key: String,
    to: Option<String>,
}

#[derive(Deserialize)]
pub struct Callback {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// The page.
pub async fn show(
    request: HttpRequest,
    parameters: web::Query<SignInParameters>,
    entrance: web::Data<Entrance>,
) -> HttpResponse {
    let name = match entrance.gate.shared.get().await {
        Ok(state) => session::of(&entrance, &state, &request).await.ok().and_then(Result::ok),
        Err(_) => None,
    };
    let view = SignInView {
        name: name.as_ref().and_then(|staff| staff.name.as_deref()),
        ..view(&entrance, parameters.to.as_deref())
    };
    html(StatusCode::OK, &sign_in(&view, &stranger(&request)))
}

/// Signs in with an API key.
pub async fn with_key(request: HttpRequest, form: web::Form<KeyForm>, entrance: web::Data<Entrance>) -> HttpResponse {
    let to = local(form.to.as_deref());
    let state = match entrance.gate.shared.get().await {
        Ok(state) => state,
        Err(cause) => return problem_page(&cause.into(), &stranger(&request)),
    };
    if !is_same_site(&request) {
        return problem_page(&entrance.refuse(Door::Public, Reason::ForeignSite, &request), &stranger(&request));
    }
    let secret = Secret::new(form.key.trim().to_owned());
    let key = key_id(secret.reveal()).and_then(|key_id| state.keys.get(&key_id));
    let key = key.filter(|key| key.secret.is_of(&secret) && key.holds(Utc::now()));
    let Some(key) = key else {
        entrance.refuse(Door::Public, Reason::WrongCredentials, &request);
        let trouble = Some("This is no key, or one that has expired or was revoked.");
        return html(
            StatusCode::UNAUTHORIZED,
            &sign_in(&SignInView { trouble, ..view(&entrance, Some(to)) }, &stranger(&request)),
        );
    };
    if !Scope::Read.is_in(&key.scopes) {
        entrance.refuse(Door::Public, Reason::NoScope, &request);
        let trouble = Some("This key is for the figures alone, and opens no page. Sign in with one that reads.");
        let view = SignInView { trouble, ..view(&entrance, Some(to)) };
        return html(StatusCode::FORBIDDEN, &sign_in(&view, &stranger(&request)));
    }
    let person =
        Person { subject: key.subject(), name: key.name.clone(), scopes: key.scopes.clone(), key_id: Some(key.key_id) };
    opened(&entrance, person, &request, to).await
}

/// Sends the browser to the issuer.
pub async fn start(
    request: HttpRequest,
    parameters: web::Query<SignInParameters>,
    entrance: web::Data<Entrance>,
) -> HttpResponse {
    let Some(oidc) = &entrance.oidc else { return problem_page(&no_issuer(), &stranger(&request)) };
    let begun = match oidc.begin().await {
        Ok(begun) => begun,
        Err(cause) => return failed(&entrance, &cause, &request),
    };
    let now = Utc::now();
    let remembered = SignIn {
        state_hash: begun.state.sha256().to_vec(),
        nonce: begun.nonce,
        verifier: begun.verifier,
        return_to: local(parameters.to.as_deref()).to_owned(),
        expires_at: now + SIGN_IN_TAKES,
    };
    if let Err(cause) = entrance.store.begin_sign_in(&remembered, now).await {
        return problem_page(&cause.into(), &stranger(&request));
    }
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, begun.location))
        .cookie(state_cookie(&entrance, &request, begun.state.reveal(), SIGN_IN_TAKES.num_seconds()))
        .finish()
}

/// Where the issuer sends the browser back to.
pub async fn callback(
    request: HttpRequest,
    parameters: web::Query<Callback>,
    entrance: web::Data<Entrance>,
) -> HttpResponse {
    let Some(oidc) = &entrance.oidc else { return problem_page(&no_issuer(), &stranger(&request)) };
    match come_back(oidc, &entrance, &request, parameters.into_inner()).await {
        Ok(Ok((person, to))) if person.scopes.is_empty() => {
            entrance.refuse(Door::Public, Reason::NoScope, &request);
            let trouble =
                format!("{} is signed in at the issuer, but in none of the groups that may read.", person.name);
            let view = SignInView { trouble: Some(&trouble), ..view(&entrance, Some(&to)) };
            html(StatusCode::FORBIDDEN, &sign_in(&view, &stranger(&request)))
        }
        Ok(Ok((person, to))) => {
            let mut response = opened(&entrance, person, &request, &to).await;
            let _ = response.add_cookie(&state_cookie(&entrance, &request, "", 0));
            response
        }
        Ok(Err(cause)) => failed(&entrance, &cause, &request),
        Err(cause) => problem_page(&cause.into(), &stranger(&request)),
    }
}

async fn come_back(
    oidc: &Oidc,
    entrance: &Entrance,
    request: &HttpRequest,
    callback: Callback,
) -> Result<Result<(Person, String), NotSignedIn>, StoreError> {
    let refused = |why: &str| Ok(Err(NotSignedIn::Refused(why.to_owned())));
    let Some(state) = callback.state else { return refused("there is no state") };
    let cookie = request.cookie(STATE_COOKIE);
    if !cookie.is_some_and(|cookie| same(cookie.value().as_bytes(), state.as_bytes())) {
        return refused("another browser began it");
    }
    let Some(begun) = entrance.store.end_sign_in(&Secret::new(state).sha256(), Utc::now()).await? else {
        return refused("it took too long, or was ended already");
    };
    let Some(code) = callback.code else {
        // The issuer's word, for the log.
        return refused(&format!("the issuer says {:?}", callback.error.unwrap_or_default()));
    };
    let signed_in = oidc.end(code, begun.nonce, begun.verifier).await;
    Ok(signed_in.map(|who| {
        let person = Person { subject: who.subject, name: who.name, scopes: who.scopes, key_id: None };
        (person, begun.return_to)
    }))
}

/// Signs out.
pub async fn sign_out(request: HttpRequest, entrance: web::Data<Entrance>) -> HttpResponse {
    if !is_same_site(&request) {
        return problem_page(&entrance.refuse(Door::Public, Reason::ForeignSite, &request), &stranger(&request));
    }
    match session::close(&entrance, &request).await {
        Ok(cookie) => HttpResponse::SeeOther().insert_header((header::LOCATION, "/sign-in")).cookie(cookie).finish(),
        Err(cause) => problem_page(&cause.into(), &stranger(&request)),
    }
}

async fn opened(entrance: &Entrance, person: Person, request: &HttpRequest, to: &str) -> HttpResponse {
    let scopes: Vec<&str> = person.scopes.iter().copied().map(Scope::name).collect();
    info!(subject = person.subject, ?scopes, "signed in");
    match session::open(entrance, person, request).await {
        Ok(cookie) => HttpResponse::SeeOther().insert_header((header::LOCATION, to)).cookie(cookie).finish(),
        Err(NotOpened::Store(cause)) => problem_page(&cause.into(), &stranger(request)),
        Err(NotOpened::Random(cause)) => {
            warn!(%cause, "no session could be opened");
            let detail = "The service has no random numbers now.";
            problem_page(&Problem::new(StatusCode::SERVICE_UNAVAILABLE, "internal", detail), &stranger(request))
        }
    }
}

fn failed(entrance: &Entrance, cause: &NotSignedIn, request: &HttpRequest) -> HttpResponse {
    warn!(%cause, "nobody was signed in");
    let (status, trouble) = match cause {
        NotSignedIn::Issuer(_) => (StatusCode::BAD_GATEWAY, "The issuer of sign-ins does not answer. Try again later."),
        NotSignedIn::Refused(_) => (StatusCode::FORBIDDEN, "The sign-in did not hold. Begin anew."),
    };
    html(status, &sign_in(&SignInView { trouble: Some(trouble), ..view(entrance, None) }, &stranger(request)))
}

fn view<'v>(entrance: &'v Entrance, to: Option<&'v str>) -> SignInView<'v> {
    let issuer = entrance.oidc.as_ref().and_then(|oidc| oidc.settings.issuer.host_str());
    SignInView { name: None, to: local(to), issuer, trouble: None }
}

/// Whoever signs in. What their address asks for is theirs, and shown nowhere but where it is made harmless.
fn stranger(request: &HttpRequest) -> Viewer {
    Viewer { here: "/sign-in".to_owned(), ..viewer_of(request) }
}

/// A place of this service to go to, and no other's.
fn local(to: Option<&str>) -> &str {
    let is_local = |to: &&str| {
        to.starts_with('/')
            && !to.starts_with("//")
            && !to.contains('\\')
            && !to.contains(|letter: char| letter.is_control())
    };
    to.filter(is_local).unwrap_or("/")
}

fn state_cookie(entrance: &Entrance, request: &HttpRequest, value: &str, seconds: i64) -> Cookie<'static> {
    Cookie::build(STATE_COOKIE, value.to_owned())
        .path("/sign-in")
        .http_only(true)
        .secure(entrance.is_secure(request))
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(seconds))
        .finish()
}

fn no_issuer() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "No issuer of sign-ins is configured.")
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(local(Some("/orders/1?sender=x")), "/orders/1?sender=x");
        for to in ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x", "orders", ""] {
            assert_eq!(local(Some(to)), "/", "{to}");
        }
    }
}
