//! A delivery as the spool keeps it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::intake::{Body, Delivery};
use crate::record::HeaderRecord;

#[derive(Serialize, Deserialize)]
struct Record {
    id: Uuid,
    sender: String,
    received_at_micros: i64,
    origin: String,
    headers: Vec<HeaderRecord>,
    body: RecordBody,
}

#[derive(Serialize, Deserialize)]
enum RecordBody {
    Whole(Vec<u8>),
    TooLarge { head: Vec<u8>, length: u64, hash: [u8; 32] },
}

/// The bytes that keep a delivery: its id and its time of receipt too, so that taking it in later, or twice, makes
/// no difference. `None` where it cannot be written down, which no delivery is.
pub fn written(delivery: Delivery) -> Option<Vec<u8>> {
    let body = match delivery.body {
        Body::Whole(body) => RecordBody::Whole(body),
        Body::TooLarge { head, length, hash } => RecordBody::TooLarge { head, length, hash },
    };
    let record = Record {
        id: delivery.id,
        sender: delivery.sender,
        received_at_micros: delivery.received_at.timestamp_micros(),
        origin: delivery.origin,
        headers: delivery.headers,
        body,
    };
    postcard::to_stdvec(&record).ok()
}

/// The delivery that the bytes keep; `None` where they were written by a program that keeps it otherwise.
pub fn read(bytes: &[u8]) -> Option<Delivery> {
    let record: Record = postcard::from_bytes(bytes).ok()?;
    let received_at: DateTime<Utc> = DateTime::from_timestamp_micros(record.received_at_micros)?;
    let body = match record.body {
        RecordBody::Whole(body) => Body::Whole(body),
        RecordBody::TooLarge { head, length, hash } => Body::TooLarge { head, length, hash },
    };
    Some(Delivery {
        id: record.id,
        sender: record.sender,
        received_at,
        origin: record.origin,
        headers: record.headers,
        body,
    })
}
