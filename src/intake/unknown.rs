//! Values that the vocabulary does not know: kept as received, counted, and listed, so that the feed
//! teaches us (contract, law 7).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::order::{Statement, Subject, Vocabulary};

/// Unknown values of an order's events, by subject and value as received.
pub type Unknown = BTreeMap<(&'static str, String), Seen>;

/// When a value was seen, by the events' times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
    pub events: i64,
}

/// Longer ones are no values of a vocabulary.
const LONGEST: usize = 200;

/// The values of these events that the vocabulary does not know.
pub fn unknown_values<'s>(statements: impl IntoIterator<Item = &'s Statement>, vocabulary: &Vocabulary) -> Unknown {
    let mut unknown = Unknown::new();
    for statement in statements {
        let at = statement.at();
        for (subject, value) in values(statement) {
            if value.len() > LONGEST || vocabulary.meaning(subject, value).is_some() {
                continue;
            }
            let seen =
                unknown.entry((subject.name(), value.to_owned())).or_insert(Seen { first: at, last: at, events: 0 });
            *seen = Seen { first: seen.first.min(at), last: seen.last.max(at), events: seen.events + 1 };
        }
    }
    unknown
}

/// All values of an event that a vocabulary could know, each once.
fn values(statement: &Statement) -> BTreeSet<(Subject, &str)> {
    let event = &statement.event;
    let mut values = BTreeSet::new();
    for item in &event.items {
        let status = item.appointment.as_ref().and_then(|appointment| appointment.status.as_ref());
        let stated = [
            (Subject::SubStatus, item.sub_status.as_ref()),
            (Subject::Offering, item.offering.as_ref()),
            (Subject::AppointmentStatus, status),
        ];
        values.extend(stated.into_iter().filter_map(|(subject, value)| Some((subject, value?.as_str()))));
        values.extend(item.characteristics.iter().map(|stated| (Subject::Characteristic, stated.name.as_str())));
    }
    for message in &event.messages {
        values.extend(message.codes().map(|code| (Subject::Message, code)));
    }
    values.extend(event.shapes.iter().map(|shape| (Subject::Shape, shape.as_str())));
    values
}
