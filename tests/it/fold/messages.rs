//! What messages say, and how often it is told.

use order_timeline::order::{Kind, Statement, rfc3339};
use serde_json::{Value, json};

use super::{event, folded, messages, of_seeds, order_with, texts};

#[test]
fn a_message_that_stands_in_three_bodies_is_told_once() {
    let history = of_seeds(1..=9);
    let told: Vec<_> =
        messages(&history, "510").map(|entry| (rfc3339(entry.at), entry.change.item_ids.clone())).collect();
    assert_eq!(told, [("2023-02-13T09:53:19.019Z".to_owned(), vec!["100".to_owned(), "100.1".to_owned()])]);
}

#[test]
fn a_message_that_returns_after_absence_is_told_again_and_a_new_item_of_it_by_itself() {
    let with = |messages: Value| order_with(json!({ "errorMessage": messages, "productOrderItem": { "id": "1" } }));
    let one = |items: &[&str]| {
        let items: Vec<_> = items.iter().map(|id| json!({ "itemId": id })).collect();
        json!([{ "subCode": "510", "message": "Informational : 510 : Acknowledged", "productOrderItem": items }])
    };
    let history = folded(&[
        event(1, with(one(&["1"]))),
        event(2, with(one(&["1"]))),
        event(3, with(json!(null))),
        event(4, with(one(&["1"]))),
        event(5, with(one(&["1", "1.1"]))),
    ]);
    let told: Vec<_> = messages(&history, "510").map(|entry| (entry.position, entry.change.item_ids.clone())).collect();
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert_eq!(told, [(0, ids(&["1"])), (3, ids(&["1"])), (4, ids(&["1.1"]))]);
}

#[test]
fn a_missed_visit_is_one_message_with_the_text_of_its_twin_and_completes_nothing() {
    let history = of_seeds([14]);
    assert_eq!(history.timeline.order().state.as_ref().unwrap().state, "inProgress");
    let told: Vec<_> = history.entries.iter().filter(|entry| entry.change.kind == Kind::Message).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].change.item_ids, ["13006429", "13006429.1"]);
    let message = told[0].change.message.clone().unwrap();
    let parts: Vec<_> = message.parts.iter().map(|part| (part.code.as_deref().unwrap(), part.text.as_str())).collect();
    assert_eq!(message.code.as_deref(), Some("101158"));
    assert_eq!(
        parts,
        [
            ("101158", "End Customer missed appointment. Please reappoint"),
            ("101147", "Engineer unable to access. No response")
        ]
    );
}

#[test]
fn a_message_that_names_no_item_is_about_the_root_items() {
    let of = |code: &str| {
        order_with(json!({
            "productOrderItem": [{ "id": "1", "state": "inProgress" }, { "id": "1.1", "state": "inProgress" },
                                 { "id": "2", "state": "inProgress" }],
            "errorMessage": { "subCode": code, "message": format!("Informational : {code} : told of the order") },
        }))
    };
    let history = folded(&[event(1, of("510")), event(2, of("510")), event(3, of("100205"))]);
    let told = texts(&history, Kind::Milestone);
    assert_eq!(told, ["Milestone KCI1 (order acknowledged) reached for items 1 and 2, by message 510"]);
    let clashes: Vec<_> = history.timeline.order().contradictions.keys().cloned().collect();
    let clash = |item: &str| ("cancelled-while-running".to_owned(), item.to_owned());
    assert_eq!(clashes, [clash("1"), clash("2")]);
    let reasons: Vec<_> = history.timeline.order().attention.iter().map(|one| one.reason.as_str()).collect();
    assert!(reasons.contains(&"supplier-cancelled"), "{reasons:?}");
}

#[test]
fn a_cancellation_that_came_before_the_items_is_not_forgotten() {
    let cancelled = json!({ "errorMessage": { "subCode": "100205", "message": "cancelled" } });
    let item = |state: &str| order_with(json!({ "productOrderItem": [{ "id": "1", "state": state }] }));
    let reasons = |more: &[Statement]| -> Vec<(String, String)> {
        let events: Vec<_> =
            [event(1, order_with(cancelled.clone()))].into_iter().chain(more.iter().cloned()).collect();
        let attention = folded(&events).timeline.order().attention.clone();
        attention.into_iter().map(|one| (one.reason, one.why)).collect()
    };
    let told = [("supplier-cancelled".to_owned(), "Message 100205: cancelled by BT Wholesale".to_owned())];
    assert_eq!(reasons(&[]), told);
    assert_eq!(reasons(&[event(2, item("inProgress"))]), told);
    assert_eq!(reasons(&[event(2, item("inProgress")), event(3, item("cancelled"))]), []);
}
