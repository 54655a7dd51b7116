//! What a delivery's row says of its content: all of it follows from the body and from its order's others.

use chrono::{DateTime, Utc};
use serde_json::{Value as JsonValue, json};
use uuid::Uuid;

use crate::intake::{Incoming, Verdicts};
use crate::record::OutcomeName;

/// The columns of a delivery that are made by reading it and folding its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub outcome: String,
    pub related_delivery_id: Option<Uuid>,
    pub reason_code: Option<String>,
    pub reason: Option<String>,
    pub reason_path: Option<String>,
    pub order_id: Option<String>,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    pub event_time: Option<DateTime<Utc>>,
    pub event_time_text: Option<String>,
    pub oddities: JsonValue,
}

impl Reading {
    pub fn of(one: &Incoming, verdicts: &Verdicts) -> Self {
        let event = one.sense.statement().map(|statement| &statement.event);
        let event_time = event.and_then(|event| event.event_time.as_ref());
        let kept = one.kept(verdicts);
        let (code, reason, path) = match kept.quarantine {
            Some(quarantine) => (Some(quarantine.code), Some(quarantine.reason), quarantine.path),
            None => (None, None, None),
        };
        Self {
            outcome: kept.outcome.name().to_owned(),
            related_delivery_id: kept.related,
            reason_code: code,
            reason: reason.map(|reason| reason.replace('\0', "\u{FFFD}")),
            reason_path: path,
            order_id: event.map(|event| event.order_id.clone()),
            event_id: event.and_then(|event| event.event_id.clone()),
            event_type: event.and_then(|event| event.event_type.clone()),
            event_time: event_time.and_then(crate::order::Moment::at),
            event_time_text: event_time.map(|moment| moment.text().to_owned()),
            oddities: json!(one.sense.oddities()),
        }
    }

    pub fn is_quarantined(&self) -> bool {
        self.outcome == OutcomeName::Quarantined.name()
    }

    /// Whether it could be read, but broke the fold or its projection.
    pub fn is_parked(&self) -> bool {
        self.is_quarantined() && self.reason_code.as_deref() == Some(crate::intake::UNPROJECTED)
    }

    /// The same delivery parked: kept with its ids, left out of its order's timeline.
    pub fn parked(&self, reason: &str) -> Self {
        Self {
            outcome: OutcomeName::Quarantined.name().to_owned(),
            related_delivery_id: None,
            reason_code: Some(crate::intake::UNPROJECTED.to_owned()),
            reason: Some(reason.replace('\0', "\u{FFFD}")),
            reason_path: None,
            ..self.clone()
        }
    }
}
