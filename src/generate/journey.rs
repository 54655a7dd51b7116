//! An order's way from created to its end, a step at a time.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::act::Act;
use super::body::{Envelope, body};
use super::dice::{Dice, Share};
use super::order::{Order, Product, Role};

/// An order under way. What becomes of it is settled by the seed and its number alone.
#[derive(Debug)]
pub struct Journey {
    order: Order,
    dice: Dice,
    /// What is still to happen.
    script: VecDeque<Act>,
    /// Bodies without event id and time; one an order, so that each says something of its own.
    bare: Share,
}

/// What happens next, and how it is told.
#[derive(Clone, Debug)]
pub struct Told {
    pub body: Vec<u8>,
    /// The body says when.
    pub is_timed: bool,
    /// Another body under the same event id, if the event has one.
    pub contrary: Option<Vec<u8>>,
}

/// Whether an order comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Ends,
    /// It stops somewhere on the way.
    StaysOpen,
}

impl Journey {
    /// Order `number` of the seed's feed, which takes `length` events. The dice decide all the rest.
    pub fn new(seed: u64, number: u64, length: usize, ending: Ending, bare: Share, mut dice: Dice) -> Self {
        let product = match dice.below(100) {
            0..76 => Product::Install,
            76..90 => Product::CareChange,
            _ => Product::Cease,
        };
        let order = Order::new(product, seed, number, &mut dice);
        let script = script(product, &order, length.max(1), ending, &mut dice);
        Self { order, dice, script: script.into(), bare }
    }

    /// How the time between the events is shared out: a number for each event, the first one's is 0.
    pub fn patience(&self) -> impl ExactSizeIterator<Item = u64> {
        self.script.iter().map(|act| act.patience())
    }

    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Events still to come.
    pub fn left(&self) -> usize {
        self.script.len()
    }

    /// Lets the next thing happen and tells it; `None` at the end. With `is_disputed` it is told in two ways.
    pub fn next(&mut self, at: DateTime<Utc>, is_disputed: bool) -> Option<Told> {
        let act = self.script.pop_front()?;
        act.happen(&mut self.order, at, &mut self.dice);
        let is_create = act == Act::Create;
        let envelope = self.envelope(at, is_create);
        let told = body(&self.order, envelope, is_create);
        let contrary = (is_disputed && envelope.id.is_some()).then(|| {
            let mut other = self.order.clone();
            let status = other.items.first().map(|item| item.sub_status);
            let contrary = if status == Some("Amend Request") { "FlaggedForAttention" } else { "Amend Request" };
            other.of_role(Role::Leading).for_each(|item| item.sub_status = contrary);
            other.customer.push('9');
            body(&other, envelope, is_create)
        });
        Some(Told { body: told, is_timed: envelope.at.is_some(), contrary })
    }

    fn envelope(&mut self, at: DateTime<Utc>, is_create: bool) -> Envelope {
        let event_type = if is_create { "ProductOrderCreateEvent" } else { "ProductOrderStateChangeEvent" };
        let whole = Envelope { event_type: Some(event_type), at: Some(at), id: Some(self.dice.uuid()) };
        if is_create || !self.dice.happens(self.bare) {
            return whole;
        }
        self.bare = Share::NEVER;
        match self.dice.below(3) {
            0 => Envelope { id: None, ..whole },
            1 => Envelope { at: None, ..whole },
            _ => Envelope { event_type: None, at: None, id: None },
        }
    }
}

/// What happens to the order, in `length` acts.
fn script(product: Product, order: &Order, length: usize, ending: Ending, dice: &mut Dice) -> Vec<Act> {
    let (mut before, mut after) = (beginning(product, order, dice), end(product, ending, dice));
    while before.len() + after.len() > length {
        // The shorter an order's story, the fewer steps of it are told; how it began and ended is.
        let at = usize::try_from(dice.below(u64::try_from(before.len()).unwrap_or(1))).unwrap_or_default();
        if before.len() > 1 {
            before.remove(at.max(1));
        } else if after.is_empty() {
            break;
        } else {
            after.remove(0);
        }
    }
    let room = length - (before.len() + after.len()).min(length);
    before.extend(middle(room, before.contains(&Act::Commit), product, dice));
    before.extend(after);
    before.truncate(length);
    before
}

fn beginning(product: Product, order: &Order, dice: &mut Dice) -> Vec<Act> {
    match product {
        Product::Install => {
            let mut acts = vec![Act::Create, Act::Start, Act::AllocateAddress, Act::Pend, Act::Acknowledge];
            if order.items.iter().any(|item| item.role == Role::Modem) {
                acts.extend([Act::OrderModem, Act::ShipModem]);
            }
            if dice.percent(85) {
                acts.push(Act::Book);
            }
            acts.push(Act::Commit);
            acts
        }
        Product::CareChange => vec![Act::Start, Act::Pend, Act::Acknowledge, Act::Commit],
        Product::Cease => vec![Act::Create, Act::Start, Act::Acknowledge, Act::Commit],
    }
}

fn end(product: Product, ending: Ending, dice: &mut Dice) -> Vec<Act> {
    match (ending, product) {
        (Ending::StaysOpen, _) => Vec::new(),
        // The parent stays open while its parts have failed (domain §1, trap 6), or follows them.
        (Ending::Ends, Product::Install) if dice.percent(4) => vec![Act::SupplierCancels],
        (Ending::Ends, Product::Install) if dice.percent(4) => vec![Act::SupplierCancels, Act::Cancel],
        (Ending::Ends, Product::Install) if dice.percent(10) => {
            vec![Act::DelayCompletion, Act::SupplierCompletes, Act::Close]
        }
        (Ending::Ends, _) => vec![Act::SupplierCompletes, Act::Close],
    }
}

/// What goes wrong, and what is only talk.
fn middle(room: usize, is_committed: bool, product: Product, dice: &mut Dice) -> Vec<Act> {
    let mut acts = Vec::with_capacity(room);
    while acts.len() < room {
        let has_visit = is_committed && product == Product::Install;
        let story: &[Act] = match dice.below(100) {
            0..5 if has_visit => &[Act::SupplierMoves],
            5..8 if has_visit => &[Act::MissUnseen, Act::Reappoint, Act::Resume],
            8..11 if has_visit => &[Act::Miss, Act::Reappoint, Act::Resume],
            11..14 if has_visit => &[Act::NoAccess, Act::Reappoint, Act::Resume],
            14..18 if has_visit => &[Act::Delay, Act::Resume],
            18..21 if has_visit => &[Act::MoreWork, Act::Resume],
            21..24 if is_committed => &[Act::Retarget, Act::Resume],
            24..30 if has_visit => &[Act::ExternalVisit],
            30..33 if has_visit => &[Act::RemoveCopper],
            33..38 if has_visit => &[Act::ChangeOnt],
            38..41 => &[Act::ChangeCustomer],
            41..55 => &[Act::ContactDiffers],
            55..65 => &[Act::ContactAdded],
            _ => &[Act::Repeat],
        };
        acts.extend_from_slice(story);
    }
    acts.truncate(room);
    acts
}
