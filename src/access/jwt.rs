//! Signed tokens (RFC 7519), read with suspicion.
//!
//! The algorithm is never the token's to choose: it has to be one that the caller allows and that fits the key.
//! Claims are read here and not by the library, whose reader of times does not know numbers that keep their digits.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header};
use serde_json::{Map, Value};

use super::reason::Reason;

/// So far may an issuer's clock be from ours, in seconds.
pub const LEEWAY: i64 = 30;
/// Longer texts are no tokens.
const LONGEST: usize = 16 * 1024;

/// A token in its parts, nothing of it believed yet.
#[derive(Debug)]
pub struct Token<'t> {
    pub header: Header,
    signed: &'t str,
    signature: &'t str,
    payload: &'t str,
}

impl<'t> Token<'t> {
    /// # Errors
    /// [`Reason::BadToken`], also for the algorithm `none`, which is none that is known.
    pub fn parse(text: &'t str) -> Result<Self, Reason> {
        if text.len() > LONGEST {
            return Err(Reason::BadToken);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Reason::BadToken)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::BadToken)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(Reason::BadToken);
        }
        let header = BASE64_URL_SAFE_NO_PAD.decode(header).map_err(|_| Reason::BadToken)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| Reason::BadToken)?;
        Ok(Self { header, signed, signature, payload })
    }

    /// Checks the signature and gives the claims.
    ///
    /// # Errors
    /// Where the algorithm is not among `allowed` or not the key's, or the signature is wrong.
    pub fn verify(&self, key: &DecodingKey, allowed: &[Algorithm]) -> Result<Claims, Reason> {
        let algorithm = self.header.alg;
        let fits = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => key.family() == AlgorithmFamily::Hmac,
            Algorithm::ES256 | Algorithm::ES384 => key.family() == AlgorithmFamily::Ec,
            Algorithm::EdDSA => key.family() == AlgorithmFamily::Ed,
            _ => key.family() == AlgorithmFamily::Rsa,
        };
        if !allowed.contains(&algorithm) || !fits {
            return Err(Reason::TokenAlgorithm);
        }
        let verified = jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm);
        if !matches!(verified, Ok(true)) {
            return Err(Reason::TokenSignature);
        }
        self.unverified_claims()
    }

    /// The claims, whoever wrote them; to find out whose key to check with, for nothing else.
    ///
    /// # Errors
    /// [`Reason::BadToken`]
    pub fn unverified_claims(&self) -> Result<Claims, Reason> {
        let payload = BASE64_URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| Reason::BadToken)?;
        serde_json::from_slice(&payload).map(Claims).map_err(|_| Reason::BadToken)
    }
}

/// What a token says.
#[derive(Clone, Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is text; a number or a truth as its text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            _ => None,
        }
    }

    /// Whether a claim is this text, or a list with it, or a space-separated text with it (`scope`).
    pub fn has(&self, name: &str, wanted: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Array(members)) => members.iter().any(|member| member.as_str() == Some(wanted)),
            Some(Value::String(text)) => {
                text == wanted || (name == "scope" && text.split(' ').any(|part| part == wanted))
            }
            _ => self.text(name).as_deref() == Some(wanted),
        }
    }

    /// When it ends.
    pub fn expiry(&self) -> Option<i64> {
        self.seconds("exp")
    }

    /// Whole seconds since 1970; issuers write fractions too.
    fn seconds(&self, name: &str) -> Option<i64> {
        let Value::Number(number) = self.0.get(name)? else { return None };
        let text = number.to_string();
        text.split('.').next()?.parse().ok()
    }

    /// Checks issuer, audience and times.
    ///
    /// # Errors
    /// Which of them does not hold. A token without an end is none: it could be used for ever.
    pub fn check(&self, issuer: &str, audience: &str, now: DateTime<Utc>) -> Result<(), Reason> {
        let now = now.timestamp();
        if self.text("iss").as_deref() != Some(issuer) {
            return Err(Reason::TokenIssuer);
        }
        if !self.has("aud", audience) {
            return Err(Reason::TokenAudience);
        }
        let expiry = self.expiry().ok_or(Reason::TokenExpired)?;
        if expiry.saturating_add(LEEWAY) <= now {
            return Err(Reason::TokenExpired);
        }
        if self.0.contains_key("nbf")
            && self.seconds("nbf").is_none_or(|not_before| not_before.saturating_sub(LEEWAY) > now)
        {
            return Err(Reason::TokenNotYetValid);
        }
        Ok(())
    }
}
