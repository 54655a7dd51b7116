//! An order's state and the sentence that says why (contract, law 6).

use serde::{Deserialize, Serialize};

use super::event::Placing;
use super::spelling::{compared, same};
use super::timeline::Order;
use super::words::list;

/// What an order's state is, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// The sender's own spelling where it states one, else a TMF622 state.
    pub state: String,
    pub reason: String,
}

/// The states in which nothing more is expected of an item (TMF622; domain §2).
const ENDED: [&str; 4] = ["completed", "failed", "cancelled", "rejected"];

/// The state of an order as its items, or the sender itself, say it.
pub fn order_state(order: &Order) -> OrderState {
    let roots: Vec<Said> = said(order).filter(|item| order.parent_of(item.id).is_none()).collect();
    let (state, mut reason) = match &order.own_state {
        Some(own) => (own.clone(), format!("The sender says that the order is “{own}”")),
        None => match &order.placing {
            Some(placing) if order.items.values().all(|item| item.state.is_none()) => placed(placing),
            _ => derived(&roots),
        },
    };
    for disagreement in disagreements(order, &state) {
        reason.push_str("; ");
        reason.push_str(&disagreement);
    }
    reason.push('.');
    OrderState { state, reason }
}

pub fn has_ended(state: &str) -> bool {
    ENDED.iter().any(|ended| same(ended, state))
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

fn derived(roots: &[Said<'_>]) -> (String, String) {
    let states: Vec<&str> = roots.iter().filter_map(|root| root.state).collect();
    let Some(first) = states.first() else {
        return ("acknowledged".to_owned(), "No item has a state yet".to_owned());
    };
    let all_stated = states.len() == roots.len();
    let ended = ENDED.iter().find(|ended| same(ended, first));
    match ended {
        Some(ended) if all_stated && states.iter().all(|state| same(ended, state)) => {
            ((*ended).to_owned(), format!("{} {ended}", are(roots)))
        }
        _ if all_stated && states.iter().all(|state| has_ended(state)) => {
            ("partial".to_owned(), format!("All root items have ended, but not alike: {}", each(roots)))
        }
        _ => {
            let open: Vec<Said<'_>> = roots
                .iter()
                .filter(|root| !root.state.is_some_and(has_ended))
                .map(|root| Said { id: root.id, state: root.state })
                .collect();
            ("inProgress".to_owned(), format!("Not ended: {}", each(&open)))
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
    list(items.iter().map(|item| format!("item {} ({})", item.id, item.state.unwrap_or("no state"))))
}

/// Items whose own state contradicts the order's: still open in an order that has ended, or ended
/// badly in one that goes on (domain, traps 5 and 6).
fn disagreements(order: &Order, state: &str) -> Vec<String> {
    let is_root = |id: &str| order.parent_of(id).is_none() && order.own_state.is_none();
    if has_ended(state) || same("partial", state) {
        let open = said(order).filter(|item| !is_root(item.id) && !item.state.is_none_or(has_ended));
        sentence(open, "still").into_iter().collect()
    } else {
        let ended_badly = said(order)
            .filter(|item| !is_root(item.id))
            .filter(|item| item.state.is_some_and(|state| has_ended(state) && compared(state) != "completed"));
        sentence(ended_badly, "already").into_iter().collect()
    }
}

fn sentence<'o>(items: impl Iterator<Item = Said<'o>>, adverb: &str) -> Option<String> {
    let items: Vec<String> =
        items.map(|item| format!("item {} is {adverb} {}", item.id, item.state.unwrap_or("without a state"))).collect();
    (!items.is_empty()).then(|| format!("but {}", list(items.iter())))
}
