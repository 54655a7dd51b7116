//! What a timeline's entries are counted by.

use chrono::{DateTime, Utc};

use super::{EntryRecord, MessageRecord};
use crate::order::{Fault, Kind, Missed};

/// A value that entries are counted by: the code of a part of a message, a milestone that an item reached, an
/// appointment's status, a visit that a message says was missed.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryValueRecord {
    pub event_position: i64,
    pub ordinal: i32,
    /// Of the message, or of the items, from 1; 0 for a message's own code that none of its parts names. Visits that a
    /// message says were missed come after its parts.
    pub part: i32,
    /// The entry's; `visit` of a visit that a message says was missed.
    pub kind: &'static str,
    /// `None` for a part of a message without a code, and an appointment without a status.
    pub value: Option<String>,
    /// `None` for messages, which are about any number of items, and for what the order as a whole reached.
    pub item_id: Option<String>,
    pub at: DateTime<Utc>,
    /// Whose fault it is, where this says that a visit did not take place, or that an appointment was moved:
    /// customer, supplier or unknown.
    pub missed: Option<String>,
}

/// The kind of a visit that a message says was missed.
pub const VISIT: &str = "visit";

/// The values of some events' entries, in their order.
pub fn values_of(entries: &[EntryRecord]) -> Vec<EntryValueRecord> {
    let mut values = Vec::new();
    for entry in entries {
        match entry.known_kind() {
            Some(Kind::Message) => {
                let mut part = 0;
                for (number, code) in entry.message.iter().flat_map(codes) {
                    part = number;
                    values.push(value(entry, number, Kind::Message.name(), code.map(str::to_owned), None, None));
                }
                for (part, missed) in (part + 1..).zip(&entry.missed) {
                    let item = missed.item_id.as_ref();
                    values.push(value(entry, part, VISIT, missed.code.clone(), item, Some(missed)));
                }
            }
            Some(Kind::Milestone) if entry.is_milestone_reached() => {
                let order = entry.item_ids.is_empty().then_some(None);
                for (part, item_id) in (1..).zip(order.into_iter().chain(entry.item_ids.iter().map(Some))) {
                    values.push(value(entry, part, Kind::Milestone.name(), entry.name.clone(), item_id, None));
                }
            }
            Some(Kind::Appointment) => {
                let (item, missed) = (entry.item_ids.first(), entry.missed.first());
                values.push(value(entry, 1, Kind::Appointment.name(), status_of(entry), item, missed));
            }
            _ => {}
        }
    }
    values
}

/// The code of each part of a message, from part 1. Where no part names the message's own code, the first part
/// without a code is what it stands for; a message without such a part has it by itself, as part 0.
fn codes(message: &MessageRecord) -> Vec<(i32, Option<&str>)> {
    let parts = (1..).zip(message.parts.iter().map(|part| part.code.as_deref()));
    let mut codes: Vec<(i32, Option<&str>)> = parts.collect();
    let own = message.code.as_deref().filter(|own| !codes.iter().any(|(_, code)| *code == Some(own)));
    if let Some(own) = own {
        match codes.iter_mut().find(|(_, code)| code.is_none()) {
            Some((_, code)) => *code = Some(own),
            None => codes.insert(0, (0, Some(own))),
        }
    }
    codes
}

fn status_of(entry: &EntryRecord) -> Option<String> {
    Some(entry.to.as_ref()?.get("status")?.as_str()?.to_owned())
}

fn value(
    entry: &EntryRecord,
    part: i32,
    kind: &'static str,
    value: Option<String>,
    item_id: Option<&String>,
    missed: Option<&Missed>,
) -> EntryValueRecord {
    let EntryRecord { event_position, ordinal, at, .. } = *entry;
    let missed = missed.map(|missed| missed.fault.map_or("unknown", Fault::name).to_owned());
    EntryValueRecord { event_position, ordinal, part, kind, value, item_id: item_id.cloned(), at, missed }
}
