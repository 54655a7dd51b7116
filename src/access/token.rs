//! Our own tokens: issued to senders for their client credentials, checked by any node.
//!
//! Whoever issues them checks them, so they are signed with a symmetric key (HS256) that all nodes have from the
//! database. A token says which secret it was got with, and ends with it.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::json;
use uuid::Uuid;

use super::demand::OAuthDemand;
use super::jwt::{Claims, Token};
use super::reason::Reason;
use crate::store::SigningKey;

/// The issuer that stands in our tokens.
pub const ISSUER: &str = "order-timeline";
/// What our tokens are good for.
pub const SCOPE: &str = "listener";

/// A key is made known for so long before it is used, so that every node has heard of it.
pub const KNOWN_BEFORE_USE: TimeDelta = TimeDelta::seconds(60);
/// After so long there is a new one.
pub const KEY_AGE: TimeDelta = TimeDelta::days(30);

/// The key to sign with now: the newest that every node has heard of; of none, the oldest.
pub fn signing_key(keys: &[SigningKey], now: DateTime<Utc>) -> Option<&SigningKey> {
    let known = keys.iter().filter(|key| key.created_at + KNOWN_BEFORE_USE <= now);
    known.max_by_key(|key| key.created_at).or_else(|| keys.iter().min_by_key(|key| key.created_at))
}

/// A token for a sender that showed the secret `secret_id`.
///
/// # Errors
/// Where there is no key yet, or signing fails.
pub fn issue(
    keys: &[SigningKey],
    sender: &str,
    demand: &OAuthDemand,
    secret_id: Uuid,
    now: DateTime<Utc>,
) -> Result<String, String> {
    let key = signing_key(keys, now).ok_or_else(|| "there is no signing key yet".to_owned())?;
    let header =
        Header { typ: Some("at+jwt".to_owned()), kid: Some(key.key_id.to_string()), ..Header::new(Algorithm::HS256) };
    let claims = json!({
        "iss": ISSUER,
        "aud": demand.audience(),
        "sub": sender,
        "client_id": sender,
        "scope": SCOPE,
        "sid": secret_id,
        "jti": Uuid::now_v7(),
        "iat": now.timestamp(),
        "exp": now.timestamp() + i64::from(demand.seconds()),
    });
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.key)).map_err(|cause| cause.to_string())
}

/// A token that claims to be ours, its signature checked: what it says. None where it does not claim to be.
pub fn read(keys: &[SigningKey], token: &Token<'_>) -> Option<Result<Claims, Reason>> {
    let claimed = token.unverified_claims().ok()?;
    if claimed.text("iss").as_deref() != Some(ISSUER) {
        return None;
    }
    let kid = token.header.kid.as_deref().unwrap_or_default();
    let Some(key) = keys.iter().find(|key| key.key_id.to_string() == kid) else {
        return Some(Err(Reason::TokenKey));
    };
    Some(token.verify(&DecodingKey::from_secret(&key.key), &[Algorithm::HS256]))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};
    use uuid::Uuid;

    use super::{issue, read, signing_key};
    use crate::access::demand::OAuthDemand;
    use crate::access::jwt::Token;
    use crate::store::SigningKey;

    #[test]
    fn a_new_key_is_known_before_it_signs_and_an_old_one_still_after() {
        let now = Utc::now();
        let key = |age: i64| SigningKey {
            key_id: Uuid::now_v7(),
            key: age.to_le_bytes().repeat(4),
            created_at: now - TimeDelta::seconds(age),
        };
        let (old, new) = (key(3_000_000), key(30));
        let keys = [old.clone(), new.clone()];
        assert_eq!(signing_key(&keys, now).map(|key| key.key_id), Some(old.key_id));
        assert_eq!(signing_key(&keys, now + TimeDelta::seconds(31)).map(|key| key.key_id), Some(new.key_id));
        assert_eq!(signing_key(&keys[1..], now).map(|key| key.key_id), Some(new.key_id), "the first of all");
        let token = issue(&keys, "acme", &OAuthDemand::default(), Uuid::now_v7(), now).unwrap();
        let claims = read(&keys, &Token::parse(&token).unwrap()).unwrap().unwrap();
        assert_eq!(claims.text("sub").as_deref(), Some("acme"));
        assert!(read(&keys[1..], &Token::parse(&token).unwrap()).unwrap().is_err(), "without its key");
    }
}
