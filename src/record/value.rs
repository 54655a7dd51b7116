//! What a timeline's entries are counted by.

use chrono::{DateTime, Utc};

use super::{EntryRecord, MessageRecord};
use crate::order::{Class, Fault, Kind, Meaning, Subject, Vocabulary};

/// A value that entries are counted by: the code of a part of a message, a milestone that an item reached, an
/// appointment's status.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryValueRecord {
    pub event_position: i64,
    pub ordinal: i32,
    /// Of the message, or of the items, from 1; 0 for a message's own code that none of its parts names.
    pub part: i32,
    pub kind: &'static str,
    /// `None` for a part of a message without a code, and an appointment without a status.
    pub value: Option<String>,
    /// `None` for messages, which are about any number of items, and for what the order as a whole reached.
    pub item_id: Option<String>,
    pub at: DateTime<Utc>,
    /// Whose fault it is, where this says that a visit did not take place, or that an appointment was moved:
    /// customer, supplier or unknown. Of an event's messages one says so, and none where an appointment's status does; a
    /// window that moves in the same event as such a message is the same visit.
    pub missed: Option<String>,
}

/// The values of some events' entries, in their order.
pub fn values_of(entries: &[EntryRecord], vocabulary: &Vocabulary) -> Vec<EntryValueRecord> {
    let mut values = Vec::new();
    for event in entries.chunk_by(|one, next| one.event_position == next.event_position) {
        let says = |entry: &EntryRecord, class| {
            let meaning = status_of(entry).and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
            meaning.is_some_and(|meaning| meaning.is(class))
        };
        let says_missed = |entry: &EntryRecord| says(entry, Class::Missed) && has_new_status(entry);
        let mut is_told = event.iter().any(says_missed);
        let is_told_by_message = event.iter().any(|entry| {
            let mut codes = entry.message.iter().flat_map(codes);
            codes.any(|(_, code)| code.is_some_and(|code| missed_by_message(code, vocabulary).is_some()))
        });
        for entry in event {
            match entry.known_kind() {
                Some(Kind::Message) => {
                    for (part, code) in entry.message.iter().flat_map(codes) {
                        let fault = code.and_then(|code| missed_by_message(code, vocabulary));
                        let missed = fault.filter(|_| !is_told);
                        is_told |= missed.is_some();
                        values.push(value(entry, part, Kind::Message, code.map(str::to_owned), None, missed));
                    }
                }
                Some(Kind::Milestone) if entry.is_milestone_reached() && entry.item_ids.is_empty() => {
                    values.push(value(entry, 1, Kind::Milestone, entry.name.clone(), None, None));
                }
                Some(Kind::Milestone) if entry.is_milestone_reached() => {
                    for (part, item_id) in (1..).zip(&entry.item_ids) {
                        values.push(value(entry, part, Kind::Milestone, entry.name.clone(), Some(item_id), None));
                    }
                }
                Some(Kind::Appointment) => {
                    let is_said =
                        says(entry, Class::Rescheduled) && (has_new_status(entry) || changes(entry, "window"));
                    let is_moved = is_moved(entry) && !is_told_by_message && !took_place_of_another(entry, vocabulary);
                    let is_missed = says_missed(entry) || is_said || is_moved;
                    let fault = entry.facts.as_ref().and_then(|facts| facts.get("fault")?.as_str());
                    let missed = is_missed.then(|| fault.unwrap_or(UNKNOWN).to_owned());
                    let status = status_of(entry).map(str::to_owned);
                    values.push(value(entry, 1, Kind::Appointment, status, entry.item_ids.first(), missed));
                }
                _ => {}
            }
        }
    }
    values
}

const UNKNOWN: &str = "unknown";

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

/// Whether a window that was known has moved; the one before it, where nothing has said so far when the visit was to be,
/// has zero length (domain §1).
fn is_moved(entry: &EntryRecord) -> bool {
    let window = |appointment: &serde_json::Value| {
        let at = |name: &str| Some(appointment.get(name)?.as_str()?.to_owned());
        at("start").zip(at("finish"))
    };
    let before = entry.from.as_ref().and_then(window);
    changes(entry, "window") && before.is_some_and(|(start, finish)| start != finish)
}

/// Whether it takes the place of a visit that is told to have been missed or cancelled: that was listed then.
fn took_place_of_another(entry: &EntryRecord, vocabulary: &Vocabulary) -> bool {
    let before = entry.from.as_ref().and_then(|before| before.get("status")?.as_str());
    let meaning = before.and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
    meaning.is_some_and(Meaning::is_of_visit_that_is_over)
}

/// Whether this version is the first with its status, or the first of another appointment: a visit is missed once,
/// however many versions of it follow.
fn has_new_status(entry: &EntryRecord) -> bool {
    let Some(before) = &entry.from else { return true };
    let id = |appointment: &serde_json::Value| Some(appointment.get("id")?.as_str()?.to_owned());
    let is_other = id(before).zip(entry.to.as_ref().and_then(id)).is_some_and(|(before, now)| before != now);
    is_other || changes(entry, "status")
}

/// Whether a version of an appointment differs from the one before in this part.
fn changes(entry: &EntryRecord, part: &str) -> bool {
    let changed = entry.facts.as_ref().and_then(|facts| facts.get("changed")?.as_array());
    changed.is_some_and(|changed| changed.iter().any(|known| known == part))
}

fn status_of(entry: &EntryRecord) -> Option<&str> {
    let appointment = entry.to.as_ref().filter(|_| entry.known_kind() == Some(Kind::Appointment))?;
    appointment.get("status")?.as_str()
}

fn missed_by_message(code: &str, vocabulary: &Vocabulary) -> Option<String> {
    let meaning = vocabulary.meaning(Subject::Message, code)?;
    let is_missed = meaning.is(Class::Missed) || meaning.is(Class::AccessFailed);
    is_missed.then(|| meaning.fault.map_or(UNKNOWN, Fault::name).to_owned())
}

fn value(
    entry: &EntryRecord,
    part: i32,
    kind: Kind,
    value: Option<String>,
    item_id: Option<&String>,
    missed: Option<String>,
) -> EntryValueRecord {
    let EntryRecord { event_position, ordinal, at, .. } = *entry;
    EntryValueRecord { event_position, ordinal, part, kind: kind.name(), value, item_id: item_id.cloned(), at, missed }
}
