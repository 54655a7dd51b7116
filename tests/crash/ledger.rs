//! What the senders sent and what they were told.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;
use uuid::Uuid;

/// The event of this number; always the same bytes.
pub fn body(number: u64) -> Vec<u8> {
    // Each order has thirty events, of which some come late.
    let late = if number.is_multiple_of(11) { 5 } else { 0 };
    let (order, minute) = (number / 30, 10 + number % 30 - late);
    let event = json!({
        "eventId": format!("event-{number}"),
        "eventTime": format!("2024-03-01T10:{minute:02}:00.000Z"),
        "eventType": "ProductOrderStateChangeEvent",
        "event": { "productOrder": {
            "id": format!("order-{order}"),
            "productOrderItem": [{ "id": format!("1.{}", number % 4), "state": format!("state {number}") }],
        } },
        "padding": "é".repeat(usize::try_from(number % 300).unwrap()),
    });
    event.to_string().into_bytes()
}

/// An acknowledgement.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub number: u64,
    pub delivery: Uuid,
    pub outcome: String,
}

#[derive(Default)]
pub struct Ledger(Mutex<Entries>);

#[derive(Default)]
pub struct Entries {
    /// How often each event was sent, or begun to be sent.
    pub attempts: BTreeMap<u64, u64>,
    pub acknowledged: Vec<Acknowledged>,
    /// Requests that were answered with anything but 2xx.
    pub refused: u64,
    /// Requests whose answer was lost.
    pub indeterminate: u64,
}

impl Ledger {
    pub fn attempt(&self, number: u64) {
        *self.0.lock().unwrap().attempts.entry(number).or_default() += 1;
    }

    pub fn acknowledge(&self, acknowledged: Acknowledged) {
        self.0.lock().unwrap().acknowledged.push(acknowledged);
    }

    pub fn refuse(&self) {
        self.0.lock().unwrap().refused += 1;
    }

    pub fn lose(&self) {
        self.0.lock().unwrap().indeterminate += 1;
    }

    pub fn look<T>(&self, look: impl FnOnce(&Entries) -> T) -> T {
        look(&self.0.lock().unwrap())
    }
}
