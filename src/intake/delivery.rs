//! A delivery on its way in.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::record::HeaderRecord;

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
