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

    /// Whether one of the signatures is of this body by this key. `v1` alone is known: `v1a` is asymmetric.
    pub fn is_signed(&self, key: &[u8], body: &[u8]) -> bool {
        let given = self.signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        given.filter_map(|text| BASE64_STANDARD.decode(text).ok()).any(|signature| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
            for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            mac.verify_slice(&signature).is_ok()
        })
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
        assert!(headers.is_signed(&key, br#"{"test": 2432232314}"#));
        assert!(!headers.is_signed(&key, br#"{"test": 2432232315}"#));
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        assert!(
            headers.check_time(300, at(1_614_265_630)).is_ok() && headers.check_time(300, at(1_614_265_030)).is_ok()
        );
        assert!(headers.check_time(300, at(1_614_265_631)).is_err());
        headers.timestamp = "1614265331".to_owned();
        assert!(!headers.is_signed(&key, br#"{"test": 2432232314}"#));
    }
}
