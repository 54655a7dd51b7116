//! What the sender's codes mean, as the fold needs it.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::spelling::{compared, same};

/// Codes and their meaning. Unknown values are normal: every look-up may find nothing, and then the
/// value stands as received (contract, law 7).
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    meanings: HashMap<(Subject, String), Meaning>,
}

/// What a value is a value of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Offering,
    SubStatus,
    AppointmentStatus,
    /// By its code.
    Message,
    Characteristic,
    /// A deviation of the JSON: its kind and where it stands.
    Shape,
}

/// What a value means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// For the middle of a sentence: "committed by the supplier".
    pub words: String,
    pub classes: Vec<Class>,
    /// Whose fault it is, where it is somebody's.
    pub fault: Option<Fault>,
    /// The milestone that is reached where it is said: "KCI2".
    pub milestone: Option<String>,
}

/// What a value means for whoever looks after the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Information,
    Progress,
    Amend,
    Delay,
    /// Somebody has to do something, or the order stands still.
    ActionNeeded,
    /// The engineer could not get in.
    AccessFailed,
    /// A visit did not take place.
    Missed,
    Flagged,
    /// An appointment was moved.
    Rescheduled,
    Complete,
    /// The supplier ended the order.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Customer,
    Supplier,
}

impl Vocabulary {
    /// What tells this vocabulary from others: equal ones have the same.
    pub fn fingerprint(&self) -> String {
        let sorted: BTreeMap<_, _> = self.meanings.iter().collect();
        let mut hash = Sha256::new();
        for ((subject, value), meaning) in sorted {
            hash.update(format!("{subject:?} {value:?} {meaning:?}\n"));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn add(&mut self, subject: Subject, value: &str, meaning: Meaning) {
        self.meanings.insert((subject, compared(value)), meaning);
    }

    /// The meaning of a value, in whatever spelling it comes.
    pub fn meaning(&self, subject: Subject, value: &str) -> Option<&Meaning> {
        self.meanings.get(&(subject, compared(value)))
    }

    /// The words for a value, if it is known.
    pub fn words(&self, subject: Subject, value: &str) -> Option<&str> {
        self.meaning(subject, value).map(|meaning| meaning.words.as_str())
    }

    /// A milestone as the vocabulary spells it, in whatever spelling it comes.
    pub fn milestone(&self, name: &str) -> Option<&str> {
        self.meanings
            .values()
            .filter_map(|meaning| meaning.milestone.as_deref())
            .filter(|known| same(known, name))
            .min()
    }

    pub fn offering(&self, id: &str) -> Option<&Meaning> {
        self.meaning(Subject::Offering, id)
    }
}

impl Meaning {
    pub fn is(&self, class: Class) -> bool {
        self.classes.contains(&class)
    }

    /// Of an appointment's status: the visit did not take place, and will not.
    pub fn is_of_visit_that_is_over(&self) -> bool {
        [Class::Missed, Class::AccessFailed, Class::Cancelled].into_iter().any(|class| self.is(class))
    }
}

impl Subject {
    pub const ALL: [Self; 6] =
        [Self::Offering, Self::SubStatus, Self::AppointmentStatus, Self::Message, Self::Characteristic, Self::Shape];

    pub fn name(self) -> &'static str {
        match self {
            Self::Offering => "offering",
            Self::SubStatus => "sub-status",
            Self::AppointmentStatus => "appointment-status",
            Self::Message => "message",
            Self::Characteristic => "characteristic",
            Self::Shape => "shape",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.name() == name)
    }
}

impl Class {
    pub const ALL: [Self; 11] = [
        Self::Information,
        Self::Progress,
        Self::Amend,
        Self::Delay,
        Self::ActionNeeded,
        Self::AccessFailed,
        Self::Missed,
        Self::Flagged,
        Self::Rescheduled,
        Self::Complete,
        Self::Cancelled,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Progress => "progress",
            Self::Amend => "amend",
            Self::Delay => "delay",
            Self::ActionNeeded => "action-needed",
            Self::AccessFailed => "access-failed",
            Self::Missed => "missed",
            Self::Flagged => "flagged",
            Self::Rescheduled => "rescheduled",
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

impl Fault {
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Supplier => "supplier",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Customer, Self::Supplier].into_iter().find(|fault| fault.name() == name)
    }
}
