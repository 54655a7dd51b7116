//! One difference between an event's snapshot and what the order's earlier events said.

use super::event::{Appointment, MessagePart};
use super::moment::Moment;

/// A change, ready to be shown: plain values and a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub kind: Kind,
    /// The items it is about; none where it is about the order.
    pub item_ids: Vec<String>,
    /// What changed where the kind leaves it open: a characteristic's name, a party's role.
    pub name: Option<String>,
    pub from: Option<Value>,
    pub to: Option<Value>,
    /// Only messages have one.
    pub message: Option<MessageDetail>,
    /// A sentence for support staff.
    pub text: String,
}

/// What a message says beside its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDetail {
    pub code: Option<String>,
    pub severity: Option<String>,
    pub parts: Vec<MessagePart>,
}

/// The value before or after a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Moment(Moment),
    Appointment(Appointment),
}

/// The kinds of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    OrderCreated,
    ItemAdded,
    ItemState,
    ItemSubStatus,
    ExpectedDate,
    Appointment,
    Characteristic,
    ServiceId,
    Party,
    Message,
    Milestone,
    Contradiction,
    Conflict,
    OrderState,
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::OrderCreated,
        Self::ItemAdded,
        Self::ItemState,
        Self::ItemSubStatus,
        Self::ExpectedDate,
        Self::Appointment,
        Self::Characteristic,
        Self::ServiceId,
        Self::Party,
        Self::Message,
        Self::Milestone,
        Self::Contradiction,
        Self::Conflict,
        Self::OrderState,
    ];

    /// The name that users and other programs rely on (contract, HTTP).
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderCreated => "order-created",
            Self::ItemAdded => "item-added",
            Self::ItemState => "item-state",
            Self::ItemSubStatus => "item-sub-status",
            Self::ExpectedDate => "expected-date",
            Self::Appointment => "appointment",
            Self::Characteristic => "characteristic",
            Self::ServiceId => "service-id",
            Self::Party => "party",
            Self::Message => "message",
            Self::Milestone => "milestone",
            Self::Contradiction => "contradiction",
            Self::Conflict => "conflict",
            Self::OrderState => "order-state",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
