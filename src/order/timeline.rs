//! The state of the fold: an order as its events so far describe it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change::Change;
use super::difference;
use super::event::{Appointment, Characteristic, Party, Placing, Statement};
use super::moment::Moment;
use super::place::Place;
use super::state::OrderState;
use super::vocabulary::Vocabulary;
use super::words::natural_order;

/// An order and what the next event has to be compared with. Its size grows with the order's items,
/// not with its history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    order: Order,
    standing_messages: BTreeSet<u64>,
    last: Option<Place>,
    latest_receipt: Option<DateTime<Utc>>,
    events: u32,
}

/// An order now: everything that its events said and no later one changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub external_ids: Vec<String>,
    /// The order's state after its last event, and why; `None` before the first.
    pub state: Option<OrderState>,
    /// The state that the sender itself states for the order.
    pub own_state: Option<String>,
    /// How its placing went, where that is known; its items' states say more as soon as there are any.
    pub placing: Option<Placing>,
    pub expected_completion: Option<Moment>,
    /// By the name in its compared form; the spelling last received is kept with the value.
    pub characteristics: BTreeMap<String, Characteristic>,
    /// When a create event says that the order was created.
    pub created: Option<DateTime<Utc>>,
    pub parties: Vec<Party>,
    pub items: BTreeMap<String, Item>,
}

/// An item now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub container: Option<String>,
    pub internal_id: Option<String>,
    pub action: Option<String>,
    pub state: Option<String>,
    pub sub_status: Option<String>,
    pub product_id: Option<String>,
    pub offering: Option<String>,
    pub service_id: Option<String>,
    pub expected_completion: Option<Moment>,
    pub appointment: Option<Appointment>,
    /// By the name in its compared form; the spelling last received is kept with the value.
    pub characteristics: BTreeMap<String, Characteristic>,
}

impl Timeline {
    /// Folds an event in and gives the changes it made. It cannot fail: a snapshot of any content is
    /// a difference to what was known, maybe an empty one.
    ///
    /// The event must come after all earlier ones: see [`Timeline::takes_next`].
    pub fn apply(&mut self, statement: &Statement, vocabulary: &Vocabulary) -> Vec<Change> {
        self.events += 1;
        self.last = Some(Place::of(statement));
        self.latest_receipt = self.latest_receipt.max(Some(statement.received_at));
        difference::take_in(&mut self.order, &mut self.standing_messages, statement, vocabulary)
    }

    /// Whether an event may simply be added: it stands after all others in time, and none of them was
    /// received after it (that would make them late). All others need the history folded anew (law 4).
    pub fn takes_next(&self, statement: &Statement) -> bool {
        self.last.as_ref().is_none_or(|last| *last < Place::of(statement))
            && self.latest_receipt.is_none_or(|latest| latest <= statement.received_at)
    }

    pub fn order(&self) -> &Order {
        &self.order
    }

    /// How many events count: the position of the next one.
    pub fn events(&self) -> u32 {
        self.events
    }
}

impl Order {
    /// The item that contains this one: its container where one was stated, else the item whose id is
    /// this id without the last dotted part (contract, words). Items that a sender nests in a circle
    /// contain each other and so have no parent.
    pub fn parent_of(&self, item_id: &str) -> Option<&str> {
        let parent = self.stated_parent_of(item_id)?;
        let mut above = Some(parent);
        for _ in 0..self.items.len() {
            match above {
                Some(ancestor) if ancestor == item_id => return None,
                Some(ancestor) => above = self.stated_parent_of(ancestor),
                None => break,
            }
        }
        Some(parent)
    }

    fn stated_parent_of(&self, item_id: &str) -> Option<&str> {
        let container = self.items.get(item_id).and_then(|item| item.container.as_deref());
        let parent = container.or_else(|| item_id.rsplit_once('.').map(|(parent, _)| parent))?;
        self.items.get_key_value(parent).map(|(id, _)| id.as_str())
    }

    /// All items in the order people count in: 100.2 before 100.10.
    pub fn items_in_order(&self) -> impl Iterator<Item = (&str, &Item)> {
        let mut items: Vec<_> = self.items.iter().map(|(id, item)| (id.as_str(), item)).collect();
        items.sort_by(|(a, _), (b, _)| natural_order(a, b));
        items.into_iter()
    }
}
