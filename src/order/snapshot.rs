//! What a snapshot says of each item, said once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::event::{Appointment, ItemStatement};
use super::spelling::same;
use super::timeline::Order;

/// Each item once, at its first place, with all that the snapshot says of it: of a value that it gives twice the last one
/// holds. One by one they would replace each other with every repeat of the snapshot.
pub fn named_once<'a>(order: &Order, items: &'a [ItemStatement]) -> Vec<Cow<'a, ItemStatement>> {
    let mut ids = HashSet::with_capacity(items.len());
    let are_distinct = items.iter().all(|item| ids.insert(item.id.as_str()));
    let named = items.iter().map(|item| named_as_before(order, item));
    if are_distinct {
        return named.collect();
    }
    let mut once: Vec<Cow<'a, ItemStatement>> = Vec::with_capacity(items.len());
    let mut known: HashMap<String, usize> = HashMap::with_capacity(items.len());
    for item in named {
        let at = *known.entry(item.id.clone()).or_insert(once.len());
        match once.get_mut(at) {
            Some(first) => say_also(first.to_mut(), &item),
            None => once.push(item),
        }
    }
    once
}

fn say_also(first: &mut ItemStatement, again: &ItemStatement) {
    let last = |first: &mut Option<String>, again: &Option<String>| {
        if again.is_some() {
            first.clone_from(again);
        }
    };
    last(&mut first.container, &again.container);
    last(&mut first.internal_id, &again.internal_id);
    last(&mut first.action, &again.action);
    last(&mut first.state, &again.state);
    last(&mut first.sub_status, &again.sub_status);
    last(&mut first.product_id, &again.product_id);
    last(&mut first.offering, &again.offering);
    first.service_id = again.service_id.clone().or(first.service_id.take());
    first.expected_completion = again.expected_completion.clone().or(first.expected_completion.take());
    first.appointment = match (first.appointment.take(), &again.appointment) {
        (Some(first), Some(again)) => Some(stated_over(first, again)),
        (first, again) => again.clone().or(first),
    };
    for stated in &again.characteristics {
        first.characteristics.retain(|known| !same(&known.name, &stated.name));
    }
    first.characteristics.extend(again.characteristics.iter().cloned());
}

/// Where item ids repeat in an order, an item is named by its id and its product (domain §3). Later
/// events name it by its id as the sender does; it is that item all the same.
fn named_as_before<'a>(order: &Order, item: &'a ItemStatement) -> Cow<'a, ItemStatement> {
    let both = item.product_id.as_ref().map(|product| format!("{}/{product}", item.id));
    match both.filter(|both| order.items.contains_key(both)) {
        Some(id) => Cow::Owned(ItemStatement { container: Some(item.id.clone()), id, ..item.clone() }),
        None => Cow::Borrowed(item),
    }
}

/// An appointment's fields compare one by one: a null status says nothing, so the one known stays (law 2).
/// Another id is another appointment, of which nothing is known but what is stated.
pub fn stated_over(known: Appointment, stated: &Appointment) -> Appointment {
    let is_other = known.id.as_ref().zip(stated.id.as_ref()).is_some_and(|(known, stated)| known != stated);
    let known = if is_other { Appointment::default() } else { known };
    Appointment {
        id: stated.id.clone().or(known.id),
        reference: stated.reference.clone().or(known.reference),
        status: stated.status.clone().or(known.status),
        start: stated.start.clone().or(known.start),
        finish: stated.finish.clone().or(known.finish),
    }
}
