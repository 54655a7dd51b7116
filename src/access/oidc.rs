//! Sign-in of people with OpenID Connect: authorization code with PKCE, state and nonce.

use std::time::{Duration, Instant};

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope as WantedScope, TokenResponse, http,
};
use reqwest::Url;
use tokio::sync::Mutex;

use super::issuer::http_client;
use super::jwt::Token;
use super::key::Scope;
use super::secret::Secret;

/// Where people sign in, and what makes staff of them.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    pub issuer: Url,
    pub client_id: String,
    pub client_secret: Option<Secret>,
    /// Where browsers reach this service.
    pub public_url: Url,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim of the ID token that names a person's groups or roles.
    pub groups_claim: String,
    pub read_groups: Vec<String>,
    pub operate_groups: Vec<String>,
}

impl OidcSettings {
    /// Where the issuer sends people back to.
    pub fn redirect_url(&self) -> String {
        format!("{}/sign-in/callback", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// A sign-in to begin: where to send the browser, and what to remember until it comes back.
#[derive(Debug)]
pub struct Begun {
    pub location: String,
    pub state: Secret,
    pub nonce: String,
    pub verifier: String,
}

/// Who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub subject: String,
    pub name: String,
    /// None for somebody in none of the groups.
    pub scopes: Vec<Scope>,
}

/// Why somebody could not be signed in. The cause is for the log.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedIn {
    #[error("the issuer of sign-ins does not answer as it should: {0}")]
    Issuer(String),
    #[error("the sign-in does not hold: {0}")]
    Refused(String),
}

/// The issuer, with what is known of it.
#[derive(Debug)]
pub struct Oidc {
    pub settings: OidcSettings,
    client: reqwest::Client,
    metadata: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

/// What is known of the issuer is asked anew after so long, or where a token is signed with a key that is not in it,
/// but then not more often than this.
const FRESH: Duration = Duration::from_hours(1);
const PAUSE: Duration = Duration::from_secs(10);
const TIME_OUT: Duration = Duration::from_secs(10);

impl Oidc {
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(settings: OidcSettings) -> Result<Self, String> {
        Ok(Self { settings, client: http_client(TIME_OUT)?, metadata: Mutex::default() })
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// Where the issuer does not answer.
    pub async fn begin(&self) -> Result<Begun, NotSignedIn> {
        let client = self.core(self.metadata(FRESH).await?)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        for scope in &self.settings.scopes {
            request = request.add_scope(WantedScope::new(scope.clone()));
        }
        let (location, state, nonce) = request.url();
        Ok(Begun {
            location: location.to_string(),
            state: Secret::new(state.into_secret()),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Ends a sign-in with the code that the browser has brought back.
    ///
    /// # Errors
    /// Where the issuer does not answer, or its answer does not hold.
    pub async fn end(&self, code: String, nonce: String, verifier: String) -> Result<SignedIn, NotSignedIn> {
        let client = self.core(self.metadata(FRESH).await?)?;
        let send = |request| self.send(request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|cause| NotSignedIn::Issuer(cause.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&send)
            .await
            .map_err(|cause| NotSignedIn::Refused(cause.to_string()))?;
        let _ = answer.access_token();
        let id_token = answer.id_token().ok_or_else(|| NotSignedIn::Refused("there is no ID token".to_owned()))?;
        let nonce = Nonce::new(nonce);
        let checked = match id_token.claims(&client.id_token_verifier(), &nonce) {
            Ok(_) => Ok(()),
            // The issuer may have changed its keys since it was asked.
            Err(_) => {
                let client = self.core(self.metadata(PAUSE).await?)?;
                id_token.claims(&client.id_token_verifier(), &nonce).map(|_| ())
            }
        };
        checked.map_err(|cause| NotSignedIn::Refused(cause.to_string()))?;
        self.who(id_token)
    }

    /// Who an ID token speaks of. It has been checked.
    fn who(&self, id_token: &CoreIdToken) -> Result<SignedIn, NotSignedIn> {
        let text = id_token.to_string();
        let claims = Token::parse(&text).and_then(|token| token.unverified_claims());
        let claims = claims.map_err(|_| NotSignedIn::Refused("the ID token cannot be read".to_owned()))?;
        let subject = claims.text("sub").unwrap_or_default();
        let is_in = |groups: &[String]| groups.iter().any(|group| claims.has(&self.settings.groups_claim, group));
        let mut scopes = Vec::new();
        if is_in(&self.settings.read_groups) {
            scopes.push(Scope::Read);
        }
        if is_in(&self.settings.operate_groups) {
            scopes.push(Scope::Operate);
        }
        let name = ["name", "preferred_username", "email"].iter().find_map(|name| claims.text(name));
        Ok(SignedIn { name: name.unwrap_or_else(|| subject.clone()), subject, scopes })
    }

    async fn metadata(&self, fresh: Duration) -> Result<CoreProviderMetadata, NotSignedIn> {
        let mut known = self.metadata.lock().await;
        if let Some((at, metadata)) = &*known
            && at.elapsed() < fresh
        {
            return Ok(metadata.clone());
        }
        let issuer = self.settings.issuer.as_str();
        // Url writes a slash after a host that stands alone; an issuer's name is compared letter by letter.
        let bare = issuer.strip_suffix('/').filter(|_| self.settings.issuer.path() == "/").unwrap_or(issuer);
        let issuer = IssuerUrl::new(bare.to_owned()).map_err(|cause| NotSignedIn::Issuer(cause.to_string()))?;
        let send = |request| self.send(request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &send).await;
        let metadata = metadata.map_err(|cause| NotSignedIn::Issuer(format!("{cause:?}")))?;
        *known = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    fn core(&self, metadata: CoreProviderMetadata) -> Result<Core, NotSignedIn> {
        let secret = self.settings.client_secret.as_ref().map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        let client_id = ClientId::new(self.settings.client_id.clone());
        let redirect = RedirectUrl::new(self.settings.redirect_url());
        let redirect = redirect.map_err(|cause| NotSignedIn::Issuer(cause.to_string()))?;
        Ok(CoreClient::from_provider_metadata(metadata, client_id, secret).set_redirect_uri(redirect))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Sending> {
        let request = reqwest::Request::try_from(request)?;
        let answer = self.client.execute(request).await?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        Ok(response.body(answer.bytes().await?.to_vec())?)
    }
}

type Core = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

/// Why the issuer could not be asked.
#[derive(Debug, thiserror::Error)]
enum Sending {
    #[error(transparent)]
    Http(#[from] http::Error),
    #[error(transparent)]
    Reqwest(#[from] reqwest::Error),
}
