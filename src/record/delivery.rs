//! A delivery as it is kept, and the receipt that its sender gets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use uuid::Uuid;

use crate::wire::Oddity;

/// What became of a delivery (contract, words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeName {
    Applied,
    Duplicate,
    Conflict,
    Quarantined,
    /// Of a receipt only: it is on this machine's disk and not yet in the database, so what becomes of it is not
    /// known yet.
    Spooled,
}

impl OutcomeName {
    /// What a kept delivery's can be.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Duplicate, Self::Conflict, Self::Quarantined];

    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Quarantined => "quarantined",
            Self::Spooled => "spooled",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What the sender is told of a delivery (contract, HTTP).
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub delivery_id: Uuid,
    pub outcome: OutcomeName,
    pub order_id: Option<String>,
    pub event_id: Option<String>,
    pub oddities: Vec<Oddity>,
    /// The delivery that was first with this content, or that counts in this one's stead.
    pub duplicate_of: Option<Uuid>,
    /// Why it is quarantined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_path: Option<String>,
}

/// A header as kept: secrets redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HeaderRecord {
    pub name: String,
    pub value: String,
}

/// A delivery without its body.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRecord {
    pub delivery_id: Uuid,
    pub sender: String,
    #[serde(serialize_with = "super::time")]
    pub received_at: DateTime<Utc>,
    pub origin: String,
    pub outcome: OutcomeName,
    pub related_delivery_id: Option<Uuid>,
    pub reason_code: Option<String>,
    pub reason: Option<String>,
    pub reason_path: Option<String>,
    pub order_id: Option<String>,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    #[serde(serialize_with = "super::time_if_any")]
    pub event_time: Option<DateTime<Utc>>,
    pub event_time_text: Option<String>,
    pub body_length: i64,
    /// SHA-256 of the body in hexadecimal.
    pub body_hash: String,
    pub oddities: Vec<Oddity>,
    pub headers: Vec<HeaderRecord>,
}
