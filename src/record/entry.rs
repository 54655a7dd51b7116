//! A timeline's entry.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use serde_with::skip_serializing_none;
use uuid::Uuid;

use super::order::AppointmentRecord;
use crate::order::change::MessageDetail;
use crate::order::{
    AppointmentFacts, Change, ContradictionFacts, Entry, Facts, Fault, Kind, MilestoneFacts, Missed, Moment,
    OpenMilestoneFacts, Value, rfc3339,
};

/// An entry of a timeline, as the contract prints it. `from` and `to` are always there, null where there
/// is no value; what only some kinds have is left out of the others.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryRecord {
    #[serde(skip)]
    pub event_position: i64,
    #[serde(skip)]
    pub ordinal: i32,
    #[serde(serialize_with = "super::time")]
    pub at: DateTime<Utc>,
    pub at_estimated: bool,
    #[serde(serialize_with = "super::time")]
    pub received_at: DateTime<Utc>,
    pub late: bool,
    /// How long after its time it was received, where it was late.
    pub late_by_seconds: Option<i64>,
    #[serialize_always]
    pub event_id: Option<String>,
    pub delivery_id: Uuid,
    pub kind: String,
    pub item_ids: Vec<String>,
    pub name: Option<String>,
    #[serialize_always]
    pub from: Option<Json>,
    pub from_text: Option<String>,
    #[serialize_always]
    pub to: Option<Json>,
    pub to_text: Option<String>,
    #[serde(flatten)]
    pub message: Option<MessageRecord>,
    /// What follows from it, by its kind.
    pub facts: Option<Json>,
    pub text: String,
    /// When what it says ceased to hold.
    #[serde(serialize_with = "super::time_if_any")]
    pub valid_to: Option<DateTime<Utc>>,
    /// Since when we know it, where that is not since its receipt: a late event made it anew.
    #[serde(serialize_with = "super::time")]
    pub known_from: DateTime<Utc>,
    /// The visits that it says were missed or moved, as it was made; entries that were kept are read without them.
    #[serde(skip)]
    pub missed: Vec<Missed>,
}

/// What a message says beside its sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageRecord {
    pub code: Option<String>,
    pub severity: Option<String>,
    pub parts: Vec<PartRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PartRecord {
    pub severity: Option<String>,
    pub code: Option<String>,
    pub text: String,
}

impl EntryRecord {
    /// Whether the entry is about this item.
    pub fn is_about(&self, item_id: &str) -> bool {
        self.item_ids.iter().any(|id| id == item_id)
    }

    /// Whether it says that a milestone is reached; the sender states those to come, too.
    pub fn is_milestone_reached(&self) -> bool {
        self.known_kind() == Some(Kind::Milestone) && self.fact("saidBy").is_some()
    }

    /// Whether it tells of a contradiction that began, which [`EntryRecord::valid_to`] ends.
    pub fn is_contradiction_opened(&self) -> bool {
        self.known_kind() == Some(Kind::Contradiction) && self.fact("open") == Some(&Json::Bool(true))
    }

    /// One of the facts that go with its kind, where it is known.
    pub fn fact(&self, name: &str) -> Option<&Json> {
        self.facts.as_ref()?.get(name).filter(|fact| !fact.is_null())
    }

    pub fn known_kind(&self) -> Option<Kind> {
        Kind::from_name(&self.kind)
    }
}

impl From<Entry> for EntryRecord {
    fn from(entry: Entry) -> Self {
        let Change { kind, item_ids, name, from, to, message, facts, missed, text } = entry.change;
        let (from, from_text) = split(from);
        let (to, to_text) = split(to);
        Self {
            event_position: entry.position.into(),
            ordinal: i32::try_from(entry.ordinal).unwrap_or(i32::MAX),
            at: entry.at,
            at_estimated: entry.at_estimated,
            received_at: entry.received_at,
            late: entry.late,
            late_by_seconds: late_by_seconds(entry.late, entry.at, entry.received_at),
            event_id: entry.event_id,
            delivery_id: entry.delivery_id,
            kind: kind.name().to_owned(),
            item_ids,
            name,
            from,
            from_text,
            to,
            to_text,
            message: message.map(MessageRecord::from),
            facts: facts.map(|facts| facts_as_json(&facts)),
            text,
            valid_to: entry.valid_to,
            known_from: entry.known_from,
            missed,
        }
    }
}

/// By how much an entry was late; what comes before its own time is not late by anything.
pub fn late_by_seconds(late: bool, at: DateTime<Utc>, received_at: DateTime<Utc>) -> Option<i64> {
    late.then(|| (received_at - at).num_seconds().max(0))
}

fn facts_as_json(facts: &Facts) -> Json {
    match facts {
        Facts::Milestone(MilestoneFacts { said_by, values, is_first, is_first_of_order }) => {
            let said_by: Vec<&str> = said_by.iter().map(|by| by.name()).collect();
            json!({ "saidBy": said_by, "values": values, "first": is_first, "firstOfOrder": is_first_of_order })
        }
        // Without "saidBy": nobody says that it is reached.
        Facts::OpenMilestone(OpenMilestoneFacts { date }) => {
            let text = date.as_ref().and_then(other_zone);
            given(json!({ "reached": false, "date": date.as_ref().map(utc), "dateText": text }))
        }
        Facts::ExpectedDate(date) => json!({
            "first": date.is_first,
            "daysFromFirst": date.days_from_first,
            "daysFromPrevious": date.days_from_previous,
            "reasonCode": date.reason_code,
            "inTextOf": date.in_text_of,
        }),
        Facts::Appointment(AppointmentFacts { changed, fault, fault_code, reschedules, slot, is_window_known }) => {
            let mut facts = json!({
                "changed": changed,
                "fault": fault.map(Fault::name),
                "reschedules": reschedules,
                "slot": slot,
                "windowKnown": is_window_known,
            });
            if let (Some(code), Some(facts)) = (fault_code, facts.as_object_mut()) {
                facts.insert("faultCode".to_owned(), code.as_str().into());
            }
            facts
        }
        Facts::Contradiction(ContradictionFacts { is_open, statements }) => {
            json!({ "open": is_open, "statements": statements })
        }
    }
}

/// Without what is null.
fn given(mut facts: Json) -> Json {
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|_, fact| !fact.is_null());
    }
    facts
}

impl From<MessageDetail> for MessageRecord {
    fn from(message: MessageDetail) -> Self {
        let parts = message.parts.into_iter();
        Self {
            code: message.code,
            severity: message.severity,
            parts: parts.map(|part| PartRecord { severity: part.severity, code: part.code, text: part.text }).collect(),
        }
    }
}

/// A value as JSON, and a time's own text beside it where that is written in another zone.
fn split(value: Option<Value>) -> (Option<Json>, Option<String>) {
    match value {
        None => (None, None),
        Some(Value::Text(text)) => (Some(text.into()), None),
        Some(Value::Moment(moment)) => {
            let text = other_zone(&moment);
            (Some(utc(&moment).into()), text)
        }
        Some(Value::Appointment(appointment)) => {
            (serde_json::to_value(AppointmentRecord::from(&appointment)).ok(), None)
        }
    }
}

/// A moment in UTC; as received where it could not be read.
pub fn utc(moment: &Moment) -> String {
    moment.at().map_or_else(|| moment.text().to_owned(), rfc3339)
}

/// The text as received, where it says the time in another zone than UTC.
pub fn other_zone(moment: &Moment) -> Option<String> {
    (moment.at().is_some() && !moment.text().ends_with('Z')).then(|| moment.text().to_owned())
}
