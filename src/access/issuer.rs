//! Outside issuers of tokens: their keys, fetched when they are needed and kept while the issuer is away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{JwkSet, PublicKeyUse};
use reqwest::Url;
use serde::Deserialize;
use tracing::warn;

use super::demand::{IssuerDemand, is_private};
use super::jwt::{Claims, Token};
use super::reason::Reason;
use crate::cryptography;

/// Keys are fetched anew after so long, so that one that the issuer took back ends.
const FRESH: Duration = Duration::from_mins(15);
/// Between two fetches of one issuer's keys, whatever is asked: tokens with made-up key ids must not make us
/// hammer an issuer.
const PAUSE: Duration = Duration::from_secs(10);
const TIME_OUT: Duration = Duration::from_secs(5);
/// Larger answers are no sets of keys.
const LARGEST: usize = 1024 * 1024;

/// An issuer, and where its keys are if that was said.
type Place = (String, Option<Url>);

/// The issuers' keys.
#[derive(Debug)]
pub struct Issuers {
    client: reqwest::Client,
    shelves: Mutex<HashMap<Place, Arc<Shelf>>>,
}

/// One issuer's keys. Looking at them waits for nothing; only one fetch is under way, and only those wait for it that
/// need a key which is not there.
#[derive(Debug, Default)]
struct Shelf {
    keys: Mutex<Option<Fetched>>,
    /// When they were fetched last, well or not; held while they are fetched.
    tried: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
struct Fetched {
    keys: Arc<JwkSet>,
    at: Instant,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: Url,
}

impl Issuers {
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new() -> Result<Self, String> {
        Ok(Self { client: http_client(TIME_OUT)?, shelves: Mutex::default() })
    }

    /// Checks a token of an outside issuer: signature, issuer, audience, times, and the claims that say who.
    ///
    /// # Errors
    /// What does not hold, or [`Reason::IssuerAway`] where the issuer's keys were never heard of and it does not
    /// answer.
    pub async fn check(&self, demand: &IssuerDemand, token: &Token<'_>) -> Result<Claims, Reason> {
        if token.unverified_claims()?.text("iss").as_deref() != Some(&demand.issuer) {
            return Err(Reason::TokenIssuer);
        }
        if !demand.algorithms.contains(&token.header.alg) {
            return Err(Reason::TokenAlgorithm);
        }
        let key = self.key(demand, token).await?;
        let claims = token.verify(&key, &demand.algorithms)?;
        claims.check(&demand.issuer, &demand.audience, Utc::now())?;
        let is_it = demand.claims.iter().all(|(name, value)| claims.has(name, value));
        if is_it { Ok(claims) } else { Err(Reason::OtherSender) }
    }

    async fn key(&self, demand: &IssuerDemand, token: &Token<'_>) -> Result<DecodingKey, Reason> {
        let shelf = self.shelf(demand);
        let kid = token.header.kid.as_deref();
        match shelf.fetched() {
            Some(fetched) if find(&fetched.keys, kid).is_some() => {
                if fetched.at.elapsed() >= FRESH {
                    // Nobody waits for keys that may well be the same.
                    let (client, demand, shelf) = (self.client.clone(), demand.clone(), Arc::clone(&shelf));
                    tokio::spawn(async move {
                        if let Ok(tried) = shelf.tried.try_lock() {
                            shelf.fetch(&client, &demand, tried).await;
                        }
                    });
                }
            }
            // It may have been fetched while this waited; then the pause says so.
            _ => shelf.fetch(&self.client, demand, shelf.tried.lock().await).await,
        }
        let keys = shelf.fetched().ok_or(Reason::IssuerAway)?.keys;
        let key = find(&keys, kid).ok_or(Reason::TokenKey)?;
        DecodingKey::from_jwk(key).map_err(|_| Reason::TokenKey)
    }

    fn shelf(&self, demand: &IssuerDemand) -> Arc<Shelf> {
        let place = (demand.issuer.clone(), demand.jwks.clone());
        Arc::clone(self.shelves.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default())
    }
}

impl Shelf {
    fn fetched(&self) -> Option<Fetched> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys, unless that was tried a moment ago. What was fetched once still holds while the issuer is
    /// away: intake does not depend on it.
    async fn fetch(
        &self,
        client: &reqwest::Client,
        demand: &IssuerDemand,
        mut tried: tokio::sync::MutexGuard<'_, Option<Instant>>,
    ) {
        if tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return;
        }
        *tried = Some(Instant::now());
        match fetch(client, demand).await {
            Ok(keys) => {
                let fetched = Fetched { keys: Arc::new(keys), at: Instant::now() };
                *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
            }
            Err(cause) => warn!(issuer = demand.issuer, cause, "an issuer's keys could not be fetched"),
        }
    }
}

async fn fetch(client: &reqwest::Client, demand: &IssuerDemand) -> Result<JwkSet, String> {
    let place = match &demand.jwks {
        Some(place) => place.clone(),
        None => {
            let address = format!("{}/.well-known/openid-configuration", demand.issuer.trim_end_matches('/'));
            let found: Discovery = get(client, &address).await?;
            if found.issuer != demand.issuer {
                return Err(format!("{address} speaks for another issuer"));
            }
            found.jwks_uri
        }
    };
    if !is_private(&place) {
        return Err(format!("{place} is not https"));
    }
    get(client, place.as_str()).await
}

async fn get<T: serde::de::DeserializeOwned>(client: &reqwest::Client, address: &str) -> Result<T, String> {
    let answer = client.get(address).send().await.map_err(|cause| cause.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("{address} answered {}", answer.status()));
    }
    let body = whole(answer, LARGEST).await?;
    serde_json::from_slice(&body).map_err(|cause| format!("{address} cannot be read: {cause}"))
}

/// A client that follows nobody elsewhere and waits for nobody long.
///
/// # Errors
/// Where it cannot be made.
pub fn http_client(time_out: Duration) -> Result<reqwest::Client, String> {
    cryptography::choose();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(time_out);
    builder.build().map_err(|cause| cause.to_string())
}

async fn whole(mut answer: reqwest::Response, largest: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|cause| cause.without_url().to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > largest {
            return Err("the answer is too large".to_owned());
        }
    }
    Ok(body)
}

/// The key of that id. A token without one is good only where there is no choice.
fn find<'k>(keys: &'k JwkSet, kid: Option<&str>) -> Option<&'k jsonwebtoken::jwk::Jwk> {
    let mut signing =
        keys.keys.iter().filter(|key| !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption)));
    match kid {
        Some(kid) => signing.find(|key| key.common.key_id.as_deref() == Some(kid)),
        None => signing.next().filter(|_| signing.next().is_none()),
    }
}
