//! How long what an entry says holds: until the next entry that says something of the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::{Change, Kind};
use super::short_hash::short_hash;
use super::spelling::compared;
use super::visit::IN_TEXT;

/// Where an entry stands: its event's position, and its own within the event.
pub type Place = (u32, u32);

/// The last entry of each thing that entries give versions of. Things are kept as short hashes: an item's
/// state, a characteristic, an appointment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger(BTreeMap<u64, Place>);

impl Ledger {
    /// Enters a change; gives the entry that ends with it, if it is a new version of something.
    pub fn enter(&mut self, change: &Change, place: Place) -> Option<Place> {
        self.enter_entry(change.kind, change.name.as_deref(), &change.item_ids, place)
    }

    /// The same for an entry that was kept.
    pub fn enter_entry(&mut self, kind: Kind, name: Option<&str>, item_ids: &[String], place: Place) -> Option<Place> {
        self.0.insert(thing(kind, name, item_ids)?, place)
    }

    /// What a message's text said of an item's expected date holds no longer; gives the entry that ends so.
    pub fn end_date_in_text(&mut self, item_id: &str) -> Option<Place> {
        self.0.remove(&thing(Kind::ExpectedDate, Some(IN_TEXT), std::slice::from_ref(&item_id.to_owned()))?)
    }
}

fn thing(kind: Kind, name: Option<&str>, item_ids: &[String]) -> Option<u64> {
    let name = match kind {
        Kind::ItemState
        | Kind::ItemSubStatus
        | Kind::ExpectedDate
        | Kind::Appointment
        | Kind::ServiceId
        | Kind::OrderState => name.unwrap_or_default().to_owned(),
        Kind::Characteristic | Kind::Party => compared(name?),
        Kind::Contradiction => name?.to_owned(),
        Kind::OrderCreated | Kind::ItemAdded | Kind::Message | Kind::Milestone | Kind::Conflict => return None,
    };
    let items = item_ids.iter().map(String::as_str);
    Some(short_hash([kind.name(), &name].into_iter().chain(items)))
}
