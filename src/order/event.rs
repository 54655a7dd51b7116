//! What one delivery says, normalised: the input of the fold.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::moment::Moment;

/// A snapshot of an order as one event states it. Absent and empty are both `None` or empty here:
/// they say nothing (contract, law 2). Values stand as received.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    pub event_time: Option<Moment>,
    pub order_id: String,
    /// The first is the order's external id, further ones are kept for search (TMF622 v5 sends a list).
    pub external_ids: Vec<String>,
    /// The order's state where the sender states one itself.
    pub state: Option<String>,
    /// What the event says of how the order was placed, where it is a part of that.
    pub placing: Option<Placing>,
    pub expected_completion: Option<Moment>,
    /// Of the order itself; items have their own.
    pub characteristics: Vec<Characteristic>,
    pub parties: Vec<Party>,
    pub items: Vec<ItemStatement>,
    pub messages: Vec<Message>,
    pub milestones: Vec<MilestoneStatement>,
    /// How the event was written where it was not as documented: "object-for-list at a.b", each once.
    pub shapes: Vec<String>,
}

impl Event {
    /// Whether it says how the order stands, as snapshots do by their items and messages. One that tells of something
    /// else, of a milestone say, leaves out all of them, and that says nothing (contract, law 2): messages that stood
    /// before it still stand.
    pub fn is_snapshot(&self) -> bool {
        !self.items.is_empty() || !self.messages.is_empty() || self.placing.is_some()
    }
}

/// How far the placing of an order at a front door of ours has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placing {
    /// It was asked for, and nobody has answered yet.
    Asked,
    /// The same, and it came to no order: it is told of the attempts.
    Tried,
    /// It was taken, and has an id.
    Taken,
    /// It was not taken, and why.
    Refused(String),
    /// Nobody knows whether it was taken, and why.
    Unknown(String),
}

impl Placing {
    /// How it stands after a further attempt. What was taken stays taken, and what may have been placed may
    /// have been placed, however a later attempt went: whoever reads that must not place it again.
    pub fn then(self, next: &Self) -> Self {
        match (&self, next) {
            (Self::Taken, _) | (Self::Unknown(_), Self::Asked | Self::Tried | Self::Refused(_)) => self,
            (_, next) => next.clone(),
        }
    }
}

/// What an event says about one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemStatement {
    pub id: String,
    /// The item that this one was nested in.
    pub container: Option<String>,
    pub internal_id: Option<String>,
    pub action: Option<String>,
    pub state: Option<String>,
    pub sub_status: Option<String>,
    pub product_id: Option<String>,
    pub offering: Option<String>,
    pub service_id: Option<ServiceId>,
    pub expected_completion: Option<Moment>,
    pub appointment: Option<Appointment>,
    pub characteristics: Vec<Characteristic>,
}

/// The service that an item provides, with the id it replaced if the sender names one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceId {
    pub value: String,
    pub previous: Option<String>,
}

/// A visit as stated: `id` stays while `reference` (BESAppointmentId) and the slot change (domain, trap 10).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    pub id: Option<String>,
    pub reference: Option<String>,
    pub status: Option<String>,
    pub start: Option<Moment>,
    pub finish: Option<Moment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Characteristic {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub role: String,
    pub id: String,
    pub name: Option<String>,
}

/// A message with all the items it was sent for, in the order of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's sub-code; else the code of the first part that has one.
    pub code: Option<String>,
    /// As received, chains and all; `None` where neither the message nor a twin has a text.
    pub text: Option<String>,
    pub parts: Vec<MessagePart>,
    pub item_ids: Vec<String>,
}

impl Message {
    /// Its own code and those of its parts, each once.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        let of_parts = self.parts.iter().filter_map(|part| part.code.as_deref());
        let mut codes: Vec<&str> = Vec::with_capacity(self.parts.len() + 1);
        for code in self.code.as_deref().into_iter().chain(of_parts) {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes.into_iter()
    }
}

/// One link of a chain: `Informational : 520 : Order Committed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePart {
    pub severity: Option<String>,
    pub code: Option<String>,
    pub text: String,
}

/// A milestone that the sender states itself (TMF622 v5).
#[derive(Clone, Debug, PartialEq)]
pub struct MilestoneStatement {
    pub name: String,
    pub status: Option<String>,
    pub date: Option<Moment>,
    pub text: Option<String>,
    pub item_ids: Vec<String>,
}

/// An event together with what places it: the unit that the fold takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub delivery_id: Uuid,
    /// When the service first held the whole body (UTC, microseconds).
    pub received_at: DateTime<Utc>,
    /// SHA-256 of the bytes received.
    pub body_hash: [u8; 32],
    /// SHA-256 of the JSON's meaning: equal for bodies that are equal as JSON.
    pub content_hash: [u8; 32],
    pub event: Event,
}

impl Statement {
    /// The time the event is placed at: its own, else the time received.
    pub fn at(&self) -> DateTime<Utc> {
        self.stated_at().unwrap_or(self.received_at)
    }

    /// Whether [`Statement::at`] is the time received because the event states none.
    pub fn at_is_estimated(&self) -> bool {
        self.stated_at().is_none()
    }

    fn stated_at(&self) -> Option<DateTime<Utc>> {
        self.event.event_time.as_ref().and_then(Moment::at)
    }
}
