//! Made-up orders on their way from created to completed, in the form BT Wholesale sends.

use std::collections::VecDeque;

use chrono::{DateTime, Days, NaiveTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// An endless supply of events: several orders under way at a time, each one event further in turn.
#[derive(Debug, Default)]
pub struct Journeys {
    under_way: VecDeque<Journey>,
    begun: u32,
}

/// Orders under way at a time.
const ORDERS: usize = 4;

#[derive(Debug)]
struct Journey {
    number: u32,
    step: usize,
    /// A delayed one is told a new date before it is completed.
    is_delayed: bool,
}

/// A step: the access item's state and sub-status, and the message that comes with it.
type Step = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const USUAL: [Step; 6] = [
    ("acknowledged", "acknowledged", None),
    ("inProgress", "In Progress", None),
    ("inProgress", "PendingWithBTWwBC", None),
    ("inProgress", "AcceptedByBTWwBC", Some(("510", "Informational : 510 : Order Acknowledge"))),
    ("inProgress", "CommittedByBTWwBC", Some(("520", "Informational : 520 : Order Committed"))),
    ("completed", "CompletedBTWwBCService", Some(("530", "Informational : 530 : Order Complete"))),
];
const DELAY: Step = (
    "inProgress",
    "DelayedBySupplier",
    Some(("101096", "Informational : 101096 : Further Openreach work required.  Await info")),
);

impl Journeys {
    /// The next event's body, as of `now`.
    pub fn next_body(&mut self, now: DateTime<Utc>) -> Vec<u8> {
        if self.under_way.len() < ORDERS {
            self.begun += 1;
            self.under_way.push_front(Journey {
                number: self.begun,
                step: 0,
                is_delayed: self.begun.is_multiple_of(3),
            });
        }
        let Some(mut journey) = self.under_way.pop_front() else {
            return Vec::new();
        };
        let body = journey.body(now);
        journey.step += 1;
        if journey.step < journey.steps().len() {
            self.under_way.push_back(journey);
        }
        body.to_string().into_bytes()
    }
}

impl Journey {
    fn steps(&self) -> Vec<Step> {
        let mut steps = USUAL.to_vec();
        if self.is_delayed {
            steps.insert(USUAL.len() - 1, DELAY);
        }
        steps
    }

    fn body(&self, now: DateTime<Utc>) -> Value {
        let (state, sub_status, message) = self.steps().get(self.step).copied().unwrap_or(DELAY);
        let order = format!("009{:05}", self.number);
        let is_first = self.step == 0;
        let access = self.item("100", "E0000021", state, sub_status, now);
        let care = self.item("100.1", "E0000028", state, sub_status, now);
        let items = if is_first { json!([access]) } else { json!([access, care]) };
        let messages = message.map(|(code, text)| {
            json!({
                "subCode": code, "message": text, "productOrderItem": [{ "itemId": "100" }, { "itemId": "100.1" }]
            })
        });
        let event_type = if is_first { "ProductOrderCreateEvent" } else { "ProductOrderStateChangeEvent" };
        json!({
            "event": { "productOrder": {
                "id": order, "externalId": format!("DEMO-{}", self.number),
                "productOrderItem": items,
                "errorMessage": messages.into_iter().collect::<Vec<_>>(),
                "relatedParty": [{ "id": "CUG5009999999", "role": "BtCug", "@type": "BTRelatedParty" }],
                "@type": "BTProductOrder"
            } },
            "eventType": event_type,
            "eventTime": now.to_rfc3339_opts(SecondsFormat::Millis, true),
            "eventId": Uuid::now_v7()
        })
    }

    fn item(&self, id: &str, offering: &str, state: &str, sub_status: &str, now: DateTime<Utc>) -> Value {
        let mut item = json!({
            "id": id, "action": "add", "state": state, "subStatus": sub_status,
            "product": {
                "id": format!("00000000-0000-4000-8000-{:012}", self.number),
                "productOffering": { "id": offering },
                "customerFacingServiceId": { "value": format!("BBONE9{:06}", self.number), "previousValue": "" }
            },
            "@type": "BTProductOrderItem"
        });
        let is_committed = self.step >= 4;
        let days = if self.is_delayed && self.step >= 5 { 17 } else { 10 };
        let day = now.date_naive().checked_add_days(Days::new(days)).filter(|_| is_committed);
        if let (Some(day), Some(members)) = (day, item.as_object_mut()) {
            let end = day.and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or(NaiveTime::MIN)).and_utc();
            members
                .insert("expectedCompletionDate".to_owned(), json!(end.to_rfc3339_opts(SecondsFormat::Millis, true)));
            if id == "100" {
                let (start, finish) = (format!("{day}T08:00:00.000Z"), format!("{day}T13:00:00.000Z"));
                members.insert("appointment".to_owned(), json!({
                    "id": format!("1399{:05}", self.number), "BESAppointmentId": format!("DEMO{:05}FR", self.number),
                    "appointmentStatus": "Confirmed", "appointmentStart": start, "appointmentFinish": finish
                }));
            }
        }
        item
    }
}
