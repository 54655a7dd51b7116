//! Items that share an id: the front door names an item by its package, so that only its product tells it
//! apart (domain §3: `F7B3I` six times in one order).

use std::collections::HashMap;

use super::fields::Fields;
use super::oddity::OddityKind;
use crate::order::ItemStatement;

/// Names items whose id repeats by id and product, `F7B3I/RV3BC`, with the id as their container. Two of the
/// same product are two items, and numbered.
pub fn name_apart(items: &mut [ItemStatement], order: &Fields<'_, '_, '_>) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for item in items.iter().filter(|item| item.product_id.is_some()) {
        *count.entry(item.id.clone()).or_default() += 1;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    for item in items.iter_mut().filter(|item| count.get(&item.id).is_some_and(|count| *count > 1)) {
        let Some(product) = &item.product_id else { continue };
        let named = format!("{}/{product}", item.id);
        let number = seen.entry(named.clone()).or_default();
        *number += 1;
        let named = if *number > 1 { format!("{named}/{number}") } else { named };
        let shared = std::mem::replace(&mut item.id, named);
        item.container.get_or_insert(shared);
    }
    if !seen.is_empty() {
        order.note("productOrderItem", OddityKind::RepeatedItemId);
    }
}
