//! `POST /oauth/token`: OAuth 2 client credentials for senders (RFC 6749 §4.4).

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Serialize;
use serde_json::json;
use tracing::{error, warn};

use super::entrance::{Entrance, retry_after};
use super::peer;
use crate::access::{Authorization, Door, Reason, SCOPE, Secret, Sender, State, issue};
use crate::metrics;

/// What is asked for a token with. For the description of the API.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its form is used")]
pub struct TokenRequest {
    /// `client_credentials`
    grant_type: String,
    /// With `client_secret`, where these are not in the header Authorization (Basic).
    client_id: Option<String>,
    client_secret: Option<String>,
    /// `listener`, or nothing.
    scope: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    /// In seconds.
    expires_in: u32,
    scope: &'static str,
}

/// An error of RFC 6749 §5.2.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenError {
    error: &'static str,
    error_description: &'static str,
}

/// Why no token is given: the error, what of it is told, and what is counted.
struct Refused {
    error: &'static str,
    description: &'static str,
    reason: Option<Reason>,
}

impl Refused {
    const CLIENT: Self = Self {
        error: "invalid_client",
        description: "The client is unknown, or its secret is wrong or no longer valid.",
        reason: Some(Reason::WrongCredentials),
    };

    fn request(description: &'static str) -> Self {
        Self { error: "invalid_request", description, reason: None }
    }
}

/// Gives a sender a token for its client id and secret.
#[utoipa::path(post, path = "/oauth/token", tag = "listener",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 503, description = "It cannot be told now")))]
pub async fn give(
    request: HttpRequest,
    form: Result<web::Bytes, actix_web::Error>,
    entrance: web::Data<Entrance>,
) -> HttpResponse {
    let form = match form {
        Ok(form) => form,
        Err(cause) => {
            let mut answer =
                answer(&entrance, &request, &Refused::request("The form is too large, or did not come whole."));
            *answer.status_mut() = cause.as_response_error().status_code();
            return answer;
        }
    };
    // The first token of all may be asked for before there is a key to sign it with.
    let state = match entrance.gate.shared.able_to_sign().await {
        Ok(state) => state,
        Err(cause) => {
            error!(%cause, "no token was given: who has access cannot be read");
            return unavailable();
        }
    };
    let asked = match asked(&request, &form) {
        Ok(asked) => asked,
        Err(refused) => return answer(&entrance, &request, &refused),
    };
    let (sender, secret_id) = match known(&entrance, &request, &state, &asked).await {
        Ok(Some(known)) => known,
        Ok(None) => return answer(&entrance, &request, &Refused::CLIENT),
        Err(reason) => {
            entrance.count(Door::Token, reason, &request);
            return unavailable();
        }
    };
    let demand = sender.demands.as_ref().ok().and_then(|demands| demands.oauth.as_ref());
    let (Some(demand), true) = (demand, sender.enabled) else {
        let description = "This sender was disabled, or shows who it is in another way.";
        let reason = Some(Reason::SenderDisabled);
        return answer(&entrance, &request, &Refused { error: "unauthorized_client", description, reason });
    };
    if let Err(refused) = checked(&asked) {
        return answer(&entrance, &request, &refused);
    }
    match issue(&state.signing_keys, &sender.name, demand, secret_id, Utc::now()) {
        Ok(access_token) => unkept(HttpResponse::Ok().json(TokenAnswer {
            access_token,
            token_type: "Bearer",
            expires_in: demand.seconds(),
            scope: SCOPE,
        })),
        Err(cause) => {
            warn!(cause, "no token could be signed; the sender is asked to come again");
            unavailable()
        }
    }
}

/// The sender of these credentials, in one of the forms in which they may have been written.
async fn known<'s>(
    entrance: &Entrance,
    request: &HttpRequest,
    state: &'s State,
    asked: &Asked,
) -> Result<Option<(&'s Sender, uuid::Uuid)>, Reason> {
    let from = entrance.settings.proxies.client(request);
    for (client_id, secret) in &asked.credentials {
        if let Some((sender, found)) = entrance.gate.client(state, client_id, secret, from).await? {
            return Ok(Some((sender, found.secret_id)));
        }
    }
    Ok(None)
}

/// The credentials of the header Basic. They are form-encoded in it (RFC 6749 §2.3.1), which many clients do not
/// know: what could be both is tried as both, the standard's first.
fn in_both_forms(user: String, password: Secret) -> Vec<(String, Secret)> {
    let decoded = decoded(&user).zip(decoded(password.reveal()));
    let decoded = decoded.filter(|(user_too, secret)| *user_too != user || secret != password.reveal());
    let decoded = decoded.map(|(user, secret)| (user, Secret::new(secret)));
    decoded.into_iter().chain([(user, password)]).collect()
}

/// What a form's value says; none where it is not written as one.
fn decoded(text: &str) -> Option<String> {
    let form = format!("v={}", text.replace('&', "%26").replace('=', "%3D"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&form).ok()?;
    pairs.into_iter().next().map(|(_, value)| value)
}

struct Asked {
    credentials: Vec<(String, Secret)>,
    grant_type: Option<String>,
    scope: Option<String>,
}

/// The client's credentials, from the header or from the form, never from both (RFC 6749 §2.3).
fn asked(request: &HttpRequest, form: &[u8]) -> Result<Asked, Refused> {
    let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = is_form.is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    });
    if !is_form {
        return Err(Refused::request("The request is not application/x-www-form-urlencoded."));
    }
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_bytes(form).map_err(|_| Refused::request("The form cannot be read."))?;
    let mut fields = HashMap::new();
    for (name, value) in pairs {
        // A parameter without a value is one that is not there (§3.2).
        if !value.is_empty() && fields.insert(name, value).is_some() {
            return Err(Refused::request("A parameter stands there twice."));
        }
    }
    let in_form = (fields.remove("client_id"), fields.remove("client_secret"));
    let credentials = match (peer::authorization(request.headers()), in_form) {
        (Authorization::Basic { .. }, (_, Some(_))) => {
            return Err(Refused::request("The credentials stand in the header and in the form; one place will do."));
        }
        (Authorization::Basic { user, password }, (client_id, None)) => {
            let credentials = in_both_forms(user, password);
            if client_id.is_some_and(|client_id| credentials.iter().all(|(user, _)| *user != client_id)) {
                return Err(Refused::request("The header and the form name different clients."));
            }
            credentials
        }
        (Authorization::None, (Some(client_id), Some(secret))) => vec![(client_id, Secret::new(secret))],
        _ => {
            return Err(Refused {
                error: "invalid_client",
                description: "The request shows no client credentials.",
                reason: Some(Reason::NoCredentials),
            });
        }
    };
    Ok(Asked { credentials, grant_type: fields.remove("grant_type"), scope: fields.remove("scope") })
}

fn checked(asked: &Asked) -> Result<(), Refused> {
    match asked.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "The grant type is client_credentials.";
            return Err(Refused { error: "unsupported_grant_type", description, reason: None });
        }
        None => return Err(Refused::request("The parameter grant_type is missing.")),
    }
    if asked.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|scope| scope != SCOPE)) {
        return Err(Refused { error: "invalid_scope", description: "The scope is listener.", reason: None });
    }
    Ok(())
}

fn answer(entrance: &Entrance, request: &HttpRequest, refused: &Refused) -> HttpResponse {
    match refused.reason {
        Some(reason) => entrance.count(Door::Token, reason, request),
        None => metrics::refused(Door::Token, refused.error),
    }
    let status = if refused.error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let mut response = HttpResponse::build(status)
        .json(json!(TokenError { error: refused.error, error_description: refused.description }));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"order-timeline\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    unkept(response)
}

fn unavailable() -> HttpResponse {
    let description = "The service cannot tell now; try again later.";
    let body = TokenError { error: "temporarily_unavailable", error_description: description };
    unkept(HttpResponse::ServiceUnavailable().insert_header(retry_after()).json(body))
}

/// Nothing between us and the client is to keep a token (RFC 6749 §5.1).
fn unkept(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
