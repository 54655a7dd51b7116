//! What is kept and shown of an order: flat, named as the contract names it, the same for the
//! database, the API, the pages and the terminal.

mod delivery;
mod entry;
mod identifier;
mod known;
mod line;
mod order;
mod value;
mod version;

pub use delivery::{DeliveryRecord, HeaderRecord, OutcomeName, Receipt};
pub use entry::{EntryRecord, MessageRecord, PartRecord, late_by_seconds};
pub use identifier::{Identifier, identifiers_of};
pub use known::{known_state, known_timeline};
pub use line::{is_said, lines, said_of};
pub use order::{
    AppointmentRecord, AttentionRecord, ContradictionRecord, ItemRecord, ItemTree, OrderHead, OrderRecord, PartyRecord,
    attention_of, changed_items, items_of,
};
pub use value::{EntryValueRecord, values_of};
pub use version::{ItemVersionRecord, Versions, versions_of};

use serde::Serialize;

/// A timeline as users and other programs get it (contract, HTTP).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TimelineRecord {
    pub order: OrderHead,
    pub entries: Vec<EntryRecord>,
}

/// A time as JSON: RFC 3339 in UTC.
pub(crate) fn time<S: serde::Serializer>(at: &chrono::DateTime<chrono::Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::order::rfc3339(*at))
}

/// The same for a time that may be missing.
pub(crate) fn time_if_any<S: serde::Serializer>(
    at: &Option<chrono::DateTime<chrono::Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}
