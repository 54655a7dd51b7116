//! API keys for programs, and what one may do.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::secret::{Kept, NoRandom, Secret};

/// What somebody may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The figures alone: for whoever scrapes them.
    Metrics,
    Read,
    Operate,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Metrics, Self::Read, Self::Operate];

    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether these scopes are enough for it.
    pub fn is_in(self, scopes: &[Self]) -> bool {
        scopes.iter().any(|scope| *scope >= self)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    pub key_id: Uuid,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub secret: Kept,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// Whose session one is that was opened with it, and what is done with it.
    pub fn subject(&self) -> String {
        format!("key:{}", self.name)
    }

    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

const PREFIX: &str = "otk_";

/// A new key's id and its text, which is shown once.
///
/// # Errors
/// Where the system gives no random numbers.
pub fn generate() -> Result<(Uuid, Secret), NoRandom> {
    let key_id = Uuid::now_v7();
    Ok((key_id, Secret::generate(&format!("{PREFIX}{}_", key_id.simple()))?))
}

/// The id in a text that looks like a key.
pub fn key_id(text: &str) -> Option<Uuid> {
    let (id, _) = text.strip_prefix(PREFIX)?.split_once('_')?;
    Uuid::try_parse(id).ok()
}
