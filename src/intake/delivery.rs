//! A delivery on its way in.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::record::HeaderRecord;
use crate::wire::{Beside, Part};

/// Headers with this beginning are this service's own: what it keeps beside a body that does not say it.
/// They are never taken from outside.
pub const OWN_HEADERS: &str = "x-order-timeline-";
const ORDER: &str = "x-order-timeline-order";
const EVENT: &str = "x-order-timeline-event";
const PART: &str = "x-order-timeline-part";
const UNPACKED_BEYOND: &str = "x-order-timeline-unpacked-beyond";

/// Of a body that is too large so many bytes are counted and hashed before its connection is given up.
pub const COUNTED: u64 = 256 * 1024 * 1024;

/// What is kept beside a body, for the reader.
pub fn beside(headers: &[HeaderRecord]) -> Beside<'_> {
    let value = |name: &str| headers.iter().find(|header| header.name == name).map(|header| header.value.as_str());
    Beside { order_id: value(ORDER), event_id: value(EVENT), part: value(PART).and_then(Part::from_name) }
}

/// The headers that keep it.
pub fn kept_beside(beside: Beside<'_>) -> Vec<HeaderRecord> {
    let part = beside.part.map(Part::name);
    [(EVENT, beside.event_id), (ORDER, beside.order_id), (PART, part)]
        .into_iter()
        .filter_map(|(name, value)| Some(HeaderRecord { name: name.to_owned(), value: value?.to_owned() }))
        .collect()
}

/// What is kept beside a body that unpacks to more than `most` bytes: it lies here as it was sent, and its length alone
/// would not say what was too large about it.
pub fn kept_beside_bomb(most: usize) -> HeaderRecord {
    HeaderRecord { name: UNPACKED_BEYOND.to_owned(), value: most.to_string() }
}

/// One authenticated request body, with the time it was received.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: Uuid,
    pub sender: String,
    pub received_at: DateTime<Utc>,
    /// The path it was posted to, or the file it was ingested from.
    pub origin: String,
    pub headers: Vec<HeaderRecord>,
    pub body: Body,
}

/// The bytes of a delivery.
#[derive(Clone, Debug)]
pub enum Body {
    Whole(Vec<u8>),
    /// More than may be kept: its first bytes, its full length and the SHA-256 of all of it.
    TooLarge {
        head: Vec<u8>,
        length: u64,
        hash: [u8; 32],
    },
}

impl Delivery {
    /// A delivery of bytes that the caller holds from now on.
    pub fn received_now(sender: &str, origin: &str, headers: Vec<HeaderRecord>, body: Body) -> Self {
        Self {
            id: Uuid::now_v7(),
            sender: sender.to_owned(),
            // PostgreSQL keeps microseconds; what is folded now must be what a rebuild reads later.
            received_at: Utc::now().trunc_subsecs(6),
            origin: origin.to_owned(),
            headers,
            body,
        }
    }

    /// What was too large about it and what is kept of it, in words; `None` where it is whole.
    pub fn too_large(&self) -> Option<String> {
        let unpacked_beyond = self.headers.iter().find(|header| header.name == UNPACKED_BEYOND);
        let (kept, length) = (self.body.kept().len(), self.body.length());
        let is_all = u64::try_from(kept) == Ok(length);
        Some(match (unpacked_beyond, &self.body) {
            (Some(most), _) if is_all => format!(
                "it unpacks to more than the {} bytes that are taken; its {length} packed bytes are kept as they were sent",
                most.value
            ),
            (Some(most), _) => format!(
                "it unpacks to more than the {} bytes that are taken; of its {length} packed bytes the first {kept} are \
                 kept as they were sent, with the SHA-256 of all",
                most.value
            ),
            (None, Body::Whole(_)) => return None,
            (None, Body::TooLarge { .. }) if length > COUNTED => format!(
                "the body is longer than is taken: at least {length} bytes, where counting stopped; its first {kept} are \
                 kept, with the SHA-256 of what was counted"
            ),
            (None, Body::TooLarge { .. }) => format!(
                "the body of {length} bytes is longer than is taken; its first {kept} are kept, with the SHA-256 of all"
            ),
        })
    }
}

impl Body {
    /// The bytes that are kept.
    pub fn kept(&self) -> &[u8] {
        match self {
            Self::Whole(body) => body,
            Self::TooLarge { head, .. } => head,
        }
    }

    pub fn length(&self) -> u64 {
        match self {
            Self::Whole(body) => u64::try_from(body.len()).unwrap_or(u64::MAX),
            Self::TooLarge { length, .. } => *length,
        }
    }
}
