//! Items that share an id: front doors name an item by its package, so that only its product tells it
//! apart (domain §3: `F7B3I` six times in one order).

use std::collections::{BTreeSet, HashMap};

use super::fields::Fields;
use super::oddity::OddityKind;
use crate::order::ItemStatement;

/// What two items with the same id and the same product are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twins {
    /// One item, stated twice.
    AreOne,
    /// Two items; they are numbered.
    AreTwo,
}

/// Names items whose id repeats by id and product, `F7B3I/RV3BC`, with the id as their container.
pub fn name_apart(items: &mut [ItemStatement], twins: Twins, order: &Fields<'_, '_, '_>) {
    let mut products: HashMap<String, (usize, BTreeSet<String>)> = HashMap::new();
    for item in items.iter() {
        if let Some(product) = &item.product_id {
            let (count, distinct) = products.entry(item.id.clone()).or_default();
            *count += 1;
            distinct.insert(product.clone());
        }
    }
    let repeats = |id: &str| {
        products.get(id).is_some_and(|(count, distinct)| distinct.len() > 1 || (twins == Twins::AreTwo && *count > 1))
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found = false;
    for item in items.iter_mut() {
        let Some(product) = item.product_id.as_ref().filter(|_| repeats(&item.id)) else { continue };
        found = true;
        let named = format!("{}/{product}", item.id);
        let number = seen.entry(named.clone()).or_default();
        *number += 1;
        let shared = std::mem::replace(
            &mut item.id,
            if *number > 1 && twins == Twins::AreTwo { format!("{named}/{number}") } else { named },
        );
        item.container.get_or_insert(shared);
    }
    if found {
        order.note("productOrderItem", OddityKind::RepeatedItemId);
    }
}
