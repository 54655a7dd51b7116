//! Secrets: how they are made, kept and compared.
//!
//! What this program makes has 256 random bits: its SHA-256 gives nothing away, and a slow hash would only cost each
//! request its time. What a person chose may be guessed, so it is kept as Argon2id.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a Standard Webhooks secret begins with.
pub const WEBHOOK_PREFIX: &str = "whsec_";

/// A secret in the clear: to be shown once, or compared. It is never logged.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// A new one of 256 random bits. `prefix` says to people and to scanners of source code what it is.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn generate(prefix: &str) -> Result<Self, NoRandom> {
        let random = random()?;
        let text = if prefix == WEBHOOK_PREFIX {
            BASE64_STANDARD.encode(random)
        } else {
            BASE64_URL_SAFE_NO_PAD.encode(random)
        };
        Ok(Self(format!("{prefix}{text}")))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The system has no random numbers to give.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandom(getrandom::Error);

/// 256 random bits.
///
/// # Errors
/// Where the system gives none.
pub fn random() -> Result<[u8; 32], NoRandom> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(NoRandom)?;
    Ok(bytes)
}

/// A secret as it is kept.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Kept {
    Sha256([u8; 32]),
    /// Of what a person chose: a PHC string.
    Argon2(String),
    /// What signatures are computed with.
    Key(Vec<u8>),
}

impl From<Kept> for String {
    fn from(kept: Kept) -> Self {
        kept.to_text()
    }
}

impl TryFrom<String> for Kept {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_text(&text).ok_or("it is no secret as it is kept")
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256(_) => "Kept::Sha256",
            Self::Argon2(_) => "Kept::Argon2",
            Self::Key(_) => "Kept::Key",
        })
    }
}

impl Kept {
    /// How a secret that this program made is kept.
    pub fn made(secret: &Secret) -> Self {
        Self::Sha256(secret.sha256())
    }

    /// How a secret that somebody gave is kept.
    ///
    /// # Errors
    /// Where the system gives no salt.
    pub fn given(secret: &Secret) -> Result<Self, String> {
        let hash = Argon2::default().hash_password(secret.reveal().as_bytes());
        Ok(Self::Argon2(hash.map_err(|cause| cause.to_string())?.to_string()))
    }

    /// What nobody's secret is, and takes as long to compare as one that somebody gave.
    pub fn nobodys() -> Self {
        let (memory, times, lanes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        Self::Argon2(format!("$argon2id$v=19$m={memory},t={times},p={lanes}${salt}${hash}"))
    }

    /// The key of a webhook secret: base64, with or without `whsec_`.
    ///
    /// # Errors
    /// Where it is no base64, or shorter than Standard Webhooks allows.
    pub fn webhook(secret: &Secret) -> Result<Self, String> {
        let text = secret.reveal().strip_prefix(WEBHOOK_PREFIX).unwrap_or(secret.reveal());
        let key = BASE64_STANDARD.decode(text).map_err(|_| "a webhook secret is whsec_ and base64".to_owned())?;
        if key.len() < 24 {
            return Err("a webhook secret has 24 bytes or more".to_owned());
        }
        Ok(Self::Key(key))
    }

    /// As text for the database.
    pub fn to_text(&self) -> String {
        match self {
            Self::Sha256(hash) => format!("sha256:{}", BASE64_URL_SAFE_NO_PAD.encode(hash)),
            Self::Argon2(phc) => phc.clone(),
            Self::Key(key) => format!("{WEBHOOK_PREFIX}{}", BASE64_STANDARD.encode(key)),
        }
    }

    /// From the database's text.
    pub fn from_text(text: &str) -> Option<Self> {
        if let Some(hash) = text.strip_prefix("sha256:") {
            return Some(Self::Sha256(BASE64_URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok()?));
        }
        if let Some(key) = text.strip_prefix(WEBHOOK_PREFIX) {
            return Some(Self::Key(BASE64_STANDARD.decode(key).ok()?));
        }
        PasswordHash::new(text).ok()?;
        Some(Self::Argon2(text.to_owned()))
    }

    /// Whether it takes long to compare.
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::Argon2(_))
    }

    /// Whether this is what is kept of `secret`. How long it takes does not tell how much of it is right.
    pub fn is_of(&self, secret: &Secret) -> bool {
        match self {
            Self::Sha256(hash) => same(hash, &secret.sha256()),
            Self::Argon2(phc) => PasswordHash::new(phc)
                .is_ok_and(|phc| Argon2::default().verify_password(secret.reveal().as_bytes(), &phc).is_ok()),
            Self::Key(_) => false,
        }
    }
}

/// Compares in a time that does not depend on where two texts differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::{Kept, Secret, WEBHOOK_PREFIX};

    #[test]
    fn a_secret_is_known_again_and_never_shown() {
        let secret = Secret::generate("ots_").unwrap();
        assert_eq!(secret.reveal().len(), 4 + 43);
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        for kept in [Kept::made(&secret), Kept::given(&secret).unwrap()] {
            assert!(!kept.to_text().contains(secret.reveal()));
            let again = Kept::from_text(&kept.to_text()).unwrap();
            assert!(again.is_of(&secret) && !again.is_of(&Secret::generate("ots_").unwrap()));
        }
        assert!(Kept::from_text("plain").is_none() && Kept::from_text("sha256:x").is_none());
    }

    #[test]
    fn nobodys_secret_is_compared_as_one_that_was_given() {
        let cost = |kept: &Kept| kept.to_text().split('$').take(4).collect::<Vec<_>>().join("$");
        let given = Kept::given(&Secret::new("x".to_owned())).unwrap();
        assert_eq!(cost(&Kept::nobodys()), cost(&given));
        assert_eq!(Kept::nobodys().to_text().len(), given.to_text().len());
        assert!(Kept::from_text(&Kept::nobodys().to_text()).is_some_and(|kept| kept.is_slow()), "it can be read");
        assert!(!Kept::nobodys().is_of(&Secret::new(String::new())));
    }

    #[test]
    fn a_webhook_secret_has_a_form() {
        assert!(Kept::webhook(&Secret::generate(WEBHOOK_PREFIX).unwrap()).is_ok());
        for (text, wrong) in [("whsec_***", "base64"), ("whsec_c2hvcnQ=", "24 bytes")] {
            assert!(Kept::webhook(&Secret::new(text.to_owned())).unwrap_err().contains(wrong));
        }
    }
}
