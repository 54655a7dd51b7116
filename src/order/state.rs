//! An order's state and the sentence that says why (contract, law 6).

use serde::{Deserialize, Serialize};

use super::event::Placing;
use super::family::Family;
use super::spelling::same;
use super::timeline::Order;
use super::words::{self, list};

/// What an order's state is, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// The sender's own spelling where it states one, else a TMF622 state.
    pub state: String,
    pub reason: String,
}

/// The states in which nothing more is expected of an item (TMF622; domain §2).
const ENDED: [&str; 4] = ["completed", "failed", "cancelled", "rejected"];
/// The state of an order whose items have ended in different ways.
const PARTIAL: &str = "partial";

/// The state of an order as its items, or the sender itself, say it.
pub fn order_state(order: &Order) -> OrderState {
    let family = Family::of(order);
    let roots: Vec<Said> = said(order).filter(|item| family.parent_of(item.id).is_none()).collect();
    let (state, mut reason) = match &order.own_state {
        Some(own) => (own.clone(), format!("The sender says that the order is {}", words::state(own))),
        None => match (&order.placing, said(order).any(|item| item.state.is_some())) {
            (Some(placing), false) => placed(placing),
            (_, any_has_a_state) => derived(&roots, any_has_a_state),
        },
    };
    if let Some(disagreement) = disagreement(order, &family, &state) {
        reason.push_str("; but ");
        reason.push_str(&disagreement);
    }
    reason.push('.');
    OrderState { state, reason }
}

pub fn has_ended(state: &str) -> bool {
    ENDED.iter().any(|ended| same(ended, state))
}

/// Whether an order of this state has ended: all its items have, alike or not (contract, law 6).
pub fn is_over(state: &str) -> bool {
    has_ended(state) || same(state, PARTIAL)
}

/// The state of an order of which nothing is known but how it was placed. TMF622 has no word for an
/// order that may or may not have been taken; "pending" is the nearest.
fn placed(placing: &Placing) -> (String, String) {
    let (state, reason) = match placing {
        Placing::Asked | Placing::Tried => ("pending", "Handed on, and not answered yet"),
        Placing::Taken => ("acknowledged", "The order was taken; no item has a state yet"),
        Placing::Refused(reason) => ("rejected", reason.as_str()),
        Placing::Unknown(reason) => ("pending", reason.as_str()),
    };
    (state.to_owned(), reason.to_owned())
}

struct Said<'o> {
    id: &'o str,
    state: Option<&'o str>,
}

fn said(order: &Order) -> impl Iterator<Item = Said<'_>> {
    order.items_in_order().map(|(id, item)| Said { id, state: item.state.as_deref() })
}

fn derived(roots: &[Said<'_>], any_has_a_state: bool) -> (String, String) {
    let states: Vec<&str> = roots.iter().filter_map(|root| root.state).collect();
    let Some(first) = states.first() else {
        let which = if any_has_a_state { "No root item" } else { "No item" };
        return ("acknowledged".to_owned(), format!("{which} has a state yet"));
    };
    let all_stated = states.len() == roots.len();
    let ended = ENDED.iter().find(|ended| same(ended, first));
    match ended {
        Some(ended) if all_stated && states.iter().all(|state| same(ended, state)) => {
            ((*ended).to_owned(), format!("{} {ended}", are(roots)))
        }
        _ if all_stated && states.iter().all(|state| has_ended(state)) => {
            (PARTIAL.to_owned(), format!("All root items have ended, but not alike: {}", each(roots)))
        }
        // The contract's rule names only orders whose items have no state; items that all say
        // "acknowledged" say the same of their order.
        _ if all_stated && states.iter().all(|state| same("acknowledged", state)) => {
            ("acknowledged".to_owned(), format!("{} acknowledged", are(roots)))
        }
        _ => {
            let open: Vec<Said<'_>> = roots
                .iter()
                .filter(|root| !root.state.is_some_and(has_ended))
                .map(|root| Said { id: root.id, state: root.state })
                .collect();
            ("inProgress".to_owned(), format!("Not ended yet: {}", each(&open)))
        }
    }
}

fn are(roots: &[Said<'_>]) -> String {
    match roots {
        [only] => format!("Root item {} is", only.id),
        many => format!("All {} root items ({}) are", many.len(), list(many.iter().map(|root| root.id))),
    }
}

fn each(items: &[Said<'_>]) -> String {
    list(
        items
            .iter()
            .map(|item| format!("item {} ({})", item.id, item.state.map_or("no state".to_owned(), words::state))),
    )
}

/// Items whose own state contradicts the order's: still open in an order that has ended, or ended
/// badly in one that goes on (domain, traps 5 and 6).
fn disagreement(order: &Order, family: &Family<'_>, state: &str) -> Option<String> {
    let told: Vec<String> = if is_over(state) {
        // Root items cannot disagree with a state that was derived from them.
        let is_told = |id: &str| order.own_state.is_none() && family.parent_of(id).is_none();
        let open = said(order).filter(|item| !is_told(item.id));
        let open = open.filter_map(|item| Some((item.id, item.state.filter(|state| !has_ended(state))?)));
        open.map(|(id, state)| format!("item {id} is still {}", words::state(state))).collect()
    } else {
        let ended = said(order).filter_map(|item| Some((item.id, item.state.filter(|state| has_ended(state))?)));
        let badly = ended.filter(|(_, state)| !same("completed", state));
        badly.map(|(id, state)| format!("item {id} {}", has_become(state))).collect()
    };
    (!told.is_empty()).then(|| list(told.iter()))
}

fn has_become(state: &str) -> String {
    if same("failed", state) { "has failed".to_owned() } else { format!("is {}", words::state(state)) }
}
