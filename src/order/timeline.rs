//! The state of the fold: an order as its events so far describe it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attention::Attention;
use super::change::{Change, Kind, SaidBy, Value};
use super::contradiction::{ClashKey, OpenContradiction};
use super::difference;
use super::event::{Appointment, Characteristic, Party, Placing, Statement};
use super::ledger::Ledger;
use super::moment::Moment;
use super::place::Place;
use super::spelling::same;
use super::state::OrderState;
use super::telling::Changes;
use super::vocabulary::Vocabulary;
use super::words::natural_order;

/// An order and what the next event has to be compared with. Its size grows with the order's items,
/// not with its history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    order: Order,
    standing: Standing,
    last: Option<Place>,
    latest_receipt: Option<DateTime<Utc>>,
    events: u32,
    ledger: Ledger,
}

/// What the snapshots said that the next one may repeat, as hashes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Of the last snapshot only (contract, law 3).
    pub messages: BTreeSet<u64>,
    /// Of each milestone what was last said of it (contract, law 2), and who said that the order as a whole, not one
    /// of its items, reached it.
    pub milestones: BTreeMap<u64, BTreeSet<u64>>,
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
    pub contradictions: BTreeMap<ClashKey, OpenContradiction>,
    /// Why somebody should look at it; by reason.
    pub attention: Vec<Attention>,
}

/// An item now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub container: Option<String>,
    pub internal_id: Option<String>,
    pub action: Option<String>,
    pub state: Option<String>,
    pub sub_status: Option<String>,
    /// As the last entry spells them, where what was received last is spelled otherwise.
    pub told_state: Option<String>,
    pub told_sub_status: Option<String>,
    pub product_id: Option<String>,
    pub offering: Option<String>,
    pub service_id: Option<String>,
    pub expected_completion: Option<Moment>,
    pub appointment: Option<Appointment>,
    /// By the name in its compared form; the spelling last received is kept with the value.
    pub characteristics: BTreeMap<String, Characteristic>,
    /// The first expected completion date that was stated.
    pub first_expected: Option<Moment>,
    /// When it was completed for the first time.
    pub first_completed: Option<DateTime<Utc>>,
    /// A date that only a message's text names, with the message's code. It never takes the field's place.
    pub date_in_text: Option<(Moment, String)>,
    /// From and to, in words, of a move of the expected date that no message explains.
    pub unexplained_move: Option<(String, String)>,
    /// How often the appointment's window has moved.
    pub reschedules: u32,
    /// Milestones, with who has said them.
    pub reached: BTreeMap<String, BTreeSet<SaidBy>>,
    /// The code of a message that says the item is complete, or cancelled by the supplier.
    pub said_complete: Option<String>,
    pub said_cancelled: Option<String>,
    /// The state in which the item had ended before it ran again.
    pub reopened_from: Option<String>,
    /// What later versions of the program keep of it.
    #[serde(skip)]
    pub later: Later,
}

/// What is kept behind the state of a fold, so that the form of the state stays what it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// Its visit was said to be missed, and no other has taken its place.
    pub is_visit_missed: bool,
    /// A date that only a message's text names has been told.
    pub is_date_in_text_told: bool,
}

/// What an event did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    pub changes: Vec<Change>,
    /// The entries, by their event's position and their own, whose values hold no longer.
    pub ended: Vec<(u32, u32)>,
}

impl Timeline {
    /// Folds an event in and gives the changes it made. It cannot fail: a snapshot of any content is
    /// a difference to what was known, maybe an empty one.
    ///
    /// The event must come after all earlier ones: see [`Timeline::takes_next`].
    pub fn apply(&mut self, statement: &Statement, vocabulary: &Vocabulary) -> Applied {
        let position = self.events;
        self.events += 1;
        self.last = Some(Place::of(statement));
        self.latest_receipt = self.latest_receipt.max(Some(statement.received_at));
        let Changes { list: changes, overtaken, .. } =
            difference::take_in(&mut self.order, &mut self.standing, statement, vocabulary);
        for change in changes.iter().filter(|change| is_completion(change)) {
            let items = &mut self.order.items;
            if let Some(item) = change.item_ids.first().and_then(|id| items.get_mut(id)) {
                item.first_completed.get_or_insert(statement.at());
            }
        }
        let ledger = &mut self.ledger;
        let mut ended: Vec<_> = overtaken.iter().filter_map(|id| ledger.end_date_in_text(id)).collect();
        ended.extend((0..).zip(&changes).filter_map(|(ordinal, change)| ledger.enter(change, (position, ordinal))));
        Applied { changes, ended }
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

/// The kept form: the state, and behind it what was added to it since. States without the latter are read, too: they are
/// all that is left of orders whose bodies were let go.
impl Timeline {
    /// # Errors
    /// Where it has no such form.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        let items = self.order.items.iter().filter(|(_, item)| item.later != Later::default());
        let later: BTreeMap<&str, Later> = items.map(|(id, item)| (id.as_str(), item.later)).collect();
        postcard::to_stdvec(&(self, later))
    }

    /// # Errors
    /// Where it is no such form.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (mut timeline, rest) = postcard::take_from_bytes::<Self>(bytes)?;
        let later: BTreeMap<&str, Later> = if rest.is_empty() { BTreeMap::new() } else { postcard::from_bytes(rest)? };
        for (id, later) in later {
            if let Some(item) = timeline.order.items.get_mut(id) {
                item.later = later;
            }
        }
        Ok(timeline)
    }
}

impl Order {
    /// All items in the order people count in: 100.2 before 100.10.
    pub fn items_in_order(&self) -> impl Iterator<Item = (&str, &Item)> {
        let mut items: Vec<_> = self.items.iter().map(|(id, item)| (id.as_str(), item)).collect();
        items.sort_by(|(a, _), (b, _)| natural_order(a, b));
        items.into_iter()
    }
}

fn is_completion(change: &Change) -> bool {
    change.kind == Kind::ItemState && matches!(&change.to, Some(Value::Text(state)) if same(state, "completed"))
}
