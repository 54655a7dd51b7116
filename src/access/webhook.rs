//! Signatures of Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 over id, time and body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::reason::Reason;

/// The three headers of a signed request.
#[derive(Clone, Debug)]
pub struct WebhookHeaders {
    pub id: String,
    pub timestamp: String,
    /// `v1,…` once or several times: while its secret changes, a sender signs with both.
    pub signatures: String,
}

impl WebhookHeaders {
    /// Whether the timestamp is within `tolerance` seconds of now: an old request cannot be played again.
    ///
    /// # Errors
    /// [`Reason::SignatureTime`]
    pub fn check_time(&self, tolerance: i64, now: DateTime<Utc>) -> Result<(), Reason> {
        let at: i64 = self.timestamp.parse().map_err(|_| Reason::SignatureTime)?;
        if at.abs_diff(now.timestamp()) > tolerance.unsigned_abs() { Err(Reason::SignatureTime) } else { Ok(()) }
    }

    /// The signature of a body by this key, before any of the body.
    pub fn begin(&self, key: &[u8]) -> Option<Signature> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b"."] {
            mac.update(part);
        }
        Some(Signature(mac))
    }

    /// Whether this is one of the signatures that were sent. `v1` alone is known: `v1a` is asymmetric.
    pub fn hold(&self, made: &Signature) -> bool {
        let given = self.signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        given
            .filter_map(|text| BASE64_STANDARD.decode(text).ok())
            .any(|signature| made.0.clone().verify_slice(&signature).is_ok())
    }
}

/// A signature that is being made, as the body comes.
#[derive(Clone, Debug)]
pub struct Signature(Hmac<Sha256>);

impl Signature {
    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::WebhookHeaders;
    use crate::access::Kept;
    use crate::access::Secret;

    #[test]
    fn the_example_of_the_specification_holds() {
        // From the published test vectors of Standard Webhooks.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let Ok(Kept::Key(key)) = Kept::webhook(&secret) else { panic!("no key") };
        let mut headers = WebhookHeaders {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: "1614265330".to_owned(),
            signatures: "v1,AAAA v2,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
        };
        let is_signed = |headers: &WebhookHeaders, parts: &[&[u8]]| {
            let mut signature = headers.begin(&key).unwrap();
            parts.iter().for_each(|part| signature.update(part));
            headers.hold(&signature)
        };
        assert!(is_signed(&headers, &[br#"{"test": 2432232314}"#]));
        assert!(is_signed(&headers, &[br#"{"test""#, b"", b": 2432232314}"]));
        assert!(!is_signed(&headers, &[br#"{"test": 2432232315}"#]));
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        assert!(
            headers.check_time(300, at(1_614_265_630)).is_ok() && headers.check_time(300, at(1_614_265_030)).is_ok()
        );
        assert!(headers.check_time(300, at(1_614_265_631)).is_err());
        headers.timestamp = "1614265331".to_owned();
        assert!(!is_signed(&headers, &[br#"{"test": 2432232314}"#]));
    }
}
