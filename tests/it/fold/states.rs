//! The order's state, as its items and its sender say it.

use order_timeline::order::{self, Family, Kind};
use serde_json::{Value, json};

use super::{event, folded, of_seeds, order_with};

#[test]
fn an_order_whose_delete_item_stays_open_completes_and_says_so() {
    let history = of_seeds(21..=26);
    let state = history.timeline.order().state.clone().unwrap();
    assert_eq!(state.state, "completed");
    assert_eq!(state.reason, "Root item 100 is completed; but item 100.1 is still in progress.");
    let last = history.entries.iter().rfind(|entry| entry.change.kind == Kind::OrderState).unwrap();
    assert_eq!(last.change.to, Some(order::Value::Text("completed".to_owned())));
    // Only the last event completes it: "Order Complete" in the one before does not (domain, trap 4).
    let before = of_seeds(21..=25).timeline.order().state.clone().unwrap();
    assert_eq!(before.state, "inProgress");
}

#[test]
fn an_order_that_the_supplier_cancelled_goes_on_and_its_reason_names_the_failed_children() {
    let state = of_seeds([19]).timeline.order().state.clone().unwrap();
    assert_eq!(state.state, "inProgress");
    assert_eq!(
        state.reason,
        "Not ended yet: item 13004968 (in progress); but item 13004968.1 has failed and item 13004968.2 has failed."
    );
}

#[test]
fn an_order_s_state_follows_its_root_items() {
    let items = |items: Value| {
        let history = folded(&[event(1, order_with(json!({ "productOrderItem": items })))]);
        let state = history.timeline.order().state.clone().unwrap();
        (state.state, state.reason)
    };
    let item = |id: &str, state: &str| json!({ "id": id, "state": state });
    for (stated, state, reason) in [
        (json!([]), "acknowledged", "No item has a state yet."),
        (json!([item("1", ""), item("1.1", "completed")]), "acknowledged", "No root item has a state yet."),
        (
            json!([item("1", "Completed"), item("2", "completed")]),
            "completed",
            "All 2 root items (1 and 2) are completed.",
        ),
        (json!([item("1", "failed")]), "failed", "Root item 1 is failed."),
        (
            json!([item("1", "cancelled"), item("1.1", "held")]),
            "cancelled",
            "Root item 1 is cancelled; but item 1.1 is still held.",
        ),
        (
            json!([item("1", "completed"), item("2", "failed")]),
            "partial",
            "All root items have ended, but not alike: item 1 (completed) and item 2 (failed).",
        ),
        (json!([item("1", "completed"), item("2", "")]), "inProgress", "Not ended yet: item 2 (no state)."),
        (
            json!([item("1", "failed"), item("2", "inProgress"), item("2.1", "cancelled")]),
            "inProgress",
            "Not ended yet: item 2 (in progress); but item 1 has failed and item 2.1 is cancelled.",
        ),
    ] {
        assert_eq!(items(stated.clone()), (state.to_owned(), reason.to_owned()), "{stated}");
    }
}

#[test]
fn what_the_sender_says_of_the_order_goes_before_what_its_items_say() {
    let history = folded(&[
        event(1, order_with(json!({ "state": "Held", "productOrderItem": { "id": "1", "state": "completed" } }))),
        event(2, order_with(json!({ "productOrderItem": { "id": "1", "state": "inProgress" } }))),
        event(3, order_with(json!({ "state": "completed" }))),
    ]);
    let states: Vec<_> = history
        .entries
        .iter()
        .filter(|entry| entry.change.kind == Kind::OrderState)
        .map(|entry| entry.change.text.as_str())
        .collect();
    assert_eq!(
        states,
        [
            "Order held. The sender says that the order is held.",
            "Order completed. The sender says that the order is completed; but item 1 is still in progress."
        ]
    );
}

#[test]
fn items_that_contain_each_other_in_a_circle_are_roots() {
    let circle = json!({ "id": "1", "productOrderItem": { "id": "2", "productOrderItem": { "id": "1", "productOrderItem": { "id": "3" } } } });
    let history = folded(&[event(1, order_with(json!({ "productOrderItem": circle })))]);
    let order = history.timeline.order();
    let family = Family::of(order);
    assert_eq!((family.parent_of("1"), family.parent_of("2"), family.parent_of("3")), (None, None, Some("1")));
}

#[test]
fn an_item_stands_below_its_container_or_the_item_that_its_id_names() {
    let items = json!([{ "id": "9", "productOrderItem": { "id": "100.7" } }, { "id": "100.1.5" }, { "id": "100" }, { "id": "200.1" }]);
    let history = folded(&[event(1, order_with(json!({ "productOrderItem": items })))]);
    let order = history.timeline.order();
    let family = Family::of(order);
    let parents = ["100.7", "100.1.5", "100", "200.1"].map(|id| family.parent_of(id));
    assert_eq!(parents, [Some("9"), None, None, None]);
    let ordered: Vec<_> = order.items_in_order().map(|(id, _)| id).collect();
    assert_eq!(ordered, ["9", "100", "100.1.5", "100.7", "200.1"]);
}
