//! One difference between an event's snapshot and what the order's earlier events said.

use serde::{Deserialize, Serialize};

use super::event::{Appointment, MessagePart};
use super::moment::Moment;
use super::vocabulary::Fault;

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
    /// What follows from the change and is worth counting.
    pub facts: Option<Facts>,
    /// The visits that it says did not take place, and the appointment that it says was moved: those that were not
    /// counted before.
    pub missed: Vec<Missed>,
    /// A sentence for support staff.
    pub text: String,
}

/// A visit that did not take place, or an appointment that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// `None` where a message names no item, and none has an appointment.
    pub item_id: Option<String>,
    /// Whose fault it is; `None` where nothing says so.
    pub fault: Option<Fault>,
    /// The code of the message that says so; `None` where the appointment does.
    pub code: Option<String>,
}

/// What a message says beside its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDetail {
    pub code: Option<String>,
    pub severity: Option<String>,
    pub parts: Vec<MessagePart>,
}

/// What follows from a change, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    Milestone(MilestoneFacts),
    OpenMilestone(OpenMilestoneFacts),
    ExpectedDate(DateFacts),
    Appointment(AppointmentFacts),
    Contradiction(ContradictionFacts),
}

/// A milestone that a sub-status, a message or the sender's own statement says is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MilestoneFacts {
    pub said_by: Vec<SaidBy>,
    /// The sub-status, the message's code, or the stated milestone's status.
    pub values: Vec<String>,
    /// Whether nothing had said so of these items before.
    pub is_first: bool,
    /// Whether nothing had said so of the order or of any of its items before.
    pub is_first_of_order: bool,
}

/// A milestone that the sender states and that is not reached: planned, in progress, given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenMilestoneFacts {
    /// The date that is stated with it, which is no date of an event.
    pub date: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SaidBy {
    SubStatus,
    Message,
    /// A milestone that the sender states as such (TMF622 v5).
    Milestone,
}

impl SaidBy {
    /// In texts, and stable for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::SubStatus => "sub-status",
            Self::Message => "message",
            Self::Milestone => "milestone",
        }
    }
}

/// A version of an expected completion date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFacts {
    pub is_first: bool,
    /// Days after the first and after the previous date; negative where before.
    pub days_from_first: Option<i64>,
    pub days_from_previous: Option<i64>,
    /// The code of the message in the same event that gives a reason.
    pub reason_code: Option<String>,
    /// The code of the message whose text alone names the date; none for the date's own field.
    pub in_text_of: Option<String>,
}

/// A version of an appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentFacts {
    /// Which of id, reference, status and window differ from the version before.
    pub changed: Vec<&'static str>,
    pub fault: Option<Fault>,
    /// The code of the message of the same event that says whose fault it is; none where the status says it.
    pub fault_code: Option<String>,
    /// How often the window has moved so far.
    pub reschedules: u32,
    /// morning, afternoon, evening or all-day, in London.
    pub slot: Option<&'static str>,
    /// False where start and finish are the same: the hours are not known yet.
    pub is_window_known: bool,
}

/// Two statements that cannot both be true, or no longer clash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContradictionFacts {
    pub is_open: bool,
    pub statements: [String; 2],
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
