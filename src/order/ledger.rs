//! How long what an entry says holds: until the next entry that says something of the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::{Change, Kind};
use super::short_hash::short_hash;
use super::spelling::compared;

/// Where an entry stands: its event's position, and its own within the event.
pub type Place = (u32, u32);

/// The last entry of each thing that entries give versions of. Things are kept as short hashes: an item's
/// state, a characteristic, an appointment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger(BTreeMap<u64, Place>);

impl Ledger {
    /// Enters a change; gives the entry that ends with it, if it is a new version of something.
    pub fn enter(&mut self, change: &Change, place: Place) -> Option<Place> {
        let thing = thing(change)?;
        self.0.insert(thing, place)
    }
}

fn thing(change: &Change) -> Option<u64> {
    let name = match change.kind {
        Kind::ItemState
        | Kind::ItemSubStatus
        | Kind::ExpectedDate
        | Kind::Appointment
        | Kind::ServiceId
        | Kind::OrderState => change.name.clone().unwrap_or_default(),
        Kind::Characteristic | Kind::Party => change.name.as_deref().map(compared)?,
        Kind::Contradiction => change.name.clone()?,
        Kind::OrderCreated | Kind::ItemAdded | Kind::Message | Kind::Milestone | Kind::Conflict => return None,
    };
    let items = change.item_ids.iter().map(String::as_str);
    Some(short_hash([change.kind.name(), &name].into_iter().chain(items)))
}
