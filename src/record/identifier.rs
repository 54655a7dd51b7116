//! The ids by which an order can be found (domain §4).

use serde::Serialize;

use crate::order::{Event, Order, compared};

/// An id and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
pub struct Identifier {
    pub kind: String,
    pub value: String,
}

/// Longer values are shown with their item but cannot be searched for.
const LONGEST: usize = 255;
/// Shorter characteristics (a port number, a count) would find every order.
const SHORTEST_CHARACTERISTIC: usize = 6;

/// The ids that an event states and that `known`, the order before it, did not have yet.
pub fn identifiers_of(event: &Event, known: &Order) -> Vec<Identifier> {
    let mut found = Found(Vec::new());
    if known.state.is_none() {
        found.add("order-id", Some(&event.order_id), None);
    }
    for external_id in event.external_ids.iter().filter(|id| !known.external_ids.contains(id)) {
        found.add("external-id", Some(external_id), None);
    }
    for party in event.parties.iter().filter(|party| !known.parties.iter().any(|had| had.id == party.id)) {
        found.add("party-id", Some(&party.id), None);
    }
    for stated in &event.characteristics {
        let had = known.characteristics.get(&compared(&stated.name)).map(|had| &had.value);
        match kind_of(&stated.name) {
            Some(kind) => found.add(kind, Some(&stated.value), had),
            None if stated.value.len() >= SHORTEST_CHARACTERISTIC => {
                found.add("characteristic", Some(&stated.value), had);
            }
            None => {}
        }
    }
    for item in &event.items {
        let had = known.items.get(&item.id);
        if had.is_none() {
            found.add("item-id", Some(&item.id), None);
            // The id that items share stands in none of theirs alone.
            found.add("item-id", item.container.as_ref(), None);
        }
        let had_field = |field: fn(&crate::order::Item) -> Option<&String>| had.and_then(field);
        found.add("internal-id", item.internal_id.as_ref(), had_field(|had| had.internal_id.as_ref()));
        found.add("product-id", item.product_id.as_ref(), had_field(|had| had.product_id.as_ref()));
        let service = item.service_id.as_ref();
        found.add("service-id", service.map(|service| &service.value), had_field(|had| had.service_id.as_ref()));
        found.add("service-id", service.and_then(|service| service.previous.as_ref()), None);
        if let Some(appointment) = &item.appointment {
            let had = had.and_then(|had| had.appointment.as_ref());
            found.add("appointment-id", appointment.id.as_ref(), had.and_then(|had| had.id.as_ref()));
            let reference = had.and_then(|had| had.reference.as_ref());
            found.add("appointment-reference", appointment.reference.as_ref(), reference);
        }
        for stated in item.characteristics.iter().filter(|stated| stated.value.len() >= SHORTEST_CHARACTERISTIC) {
            let had = had.and_then(|had| had.characteristics.get(&compared(&stated.name)));
            found.add("characteristic", Some(&stated.value), had.map(|had| &had.value));
        }
    }
    let mut found = found.0;
    found.sort_unstable();
    found.dedup();
    found
}

/// The characteristics of an order that are ids by themselves (domain §3).
fn kind_of(name: &str) -> Option<&'static str> {
    match compared(name).as_str() {
        "billingaccount" => Some("account"),
        "telephonenumberid" => Some("telephone-number"),
        "jobid" => Some("job-id"),
        _ => None,
    }
}

struct Found(Vec<Identifier>);

impl Found {
    fn add(&mut self, kind: &str, value: Option<&String>, known: Option<&String>) {
        if let Some(value) = value.filter(|value| value.len() <= LONGEST && known != Some(*value)) {
            self.0.push(Identifier { kind: kind.to_owned(), value: value.clone() });
        }
    }
}
