//! Where an event stands in its order's history (contract, laws 1 and 5).

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event::{Placing, Statement};

/// An event's place in time. Places compare by time, then create events before all others, then
/// by event id, then by the hash of the body: a total order that needs nothing but (body, time received).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    at: DateTime<Utc>,
    kind: PlaceKind,
    event_id: String,
    body_hash: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum PlaceKind {
    Create,
    Other,
}

impl Place {
    pub fn of(statement: &Statement) -> Self {
        Self {
            at: statement.at(),
            kind: if is_create(statement) { PlaceKind::Create } else { PlaceKind::Other },
            event_id: statement.event.event_id.clone().unwrap_or_default(),
            body_hash: statement.body_hash,
        }
    }
}

/// Whether the event announces the order (`ProductOrderCreateEvent` in any spelling) or asks for it.
pub fn is_create(statement: &Statement) -> bool {
    let asks = matches!(statement.event.placing, Some(Placing::Asked | Placing::Tried));
    asks || statement
        .event
        .event_type
        .as_deref()
        .is_some_and(|event_type| event_type.eq_ignore_ascii_case("ProductOrderCreateEvent"))
}

/// What makes two deliveries of one order the same event: the event id, or the content where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey([u8; 32]);

impl EventKey {
    pub fn of(statement: &Statement) -> Self {
        match &statement.event.event_id {
            Some(event_id) => Self::of_event_id(event_id),
            None => Self(statement.content_hash),
        }
    }

    /// The key that an event id makes: hashed, because senders may send ids of any length.
    pub fn of_event_id(event_id: &str) -> Self {
        Self(Sha256::digest(event_id.as_bytes()).into())
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Which of two deliveries was received first: by time received, then by hash, then by id.
pub fn by_receipt(a: &Statement, b: &Statement) -> Ordering {
    (a.received_at, a.body_hash, a.delivery_id).cmp(&(b.received_at, b.body_hash, b.delivery_id))
}
