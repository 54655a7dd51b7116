//! Milestones that are worked out, and those that the sender states.

use order_timeline::order::{Facts, History, Kind, MilestoneFacts, SaidBy};
use serde_json::{Value, json};

use super::{event, folded, order_with};

#[test]
fn a_milestone_is_told_again_only_when_it_says_something_else() {
    let of = |status: &str| order_with(json!({ "productOrderMilestone": { "name": "Duct", "status": status } }));
    let without = order_with(json!({}));
    let history = folded(&[
        event(1, of("planned")),
        event(2, of("Planned")),
        event(3, without),
        event(4, of("planned")),
        event(5, of("reached")),
        event(6, of("planned")),
    ]);
    let told: Vec<_> = history
        .entries
        .iter()
        .filter(|entry| entry.change.kind == Kind::Milestone)
        .map(|entry| entry.position)
        .collect();
    assert_eq!(told, [0, 4, 5]);
}

#[test]
fn an_order_without_items_reaches_milestones_itself_and_each_once() {
    let acknowledged = |more: Value| {
        let mut order = order_with(json!({ "errorMessage": { "subCode": "510", "message": "acknowledged" } }));
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    let item = json!({ "productOrderItem": { "id": "1", "subStatus": "AcceptedByBTWwBC" } });
    let history =
        folded(&[event(1, acknowledged(json!({}))), event(2, acknowledged(json!({}))), event(3, order_with(item))]);
    let told: Vec<_> =
        milestones(&history).map(|(text, facts)| (text, facts.is_first, facts.is_first_of_order)).collect();
    assert_eq!(
        told,
        [
            ("Milestone KCI1 (order acknowledged) reached for the order, by message 510", true, true),
            (
                "Milestone KCI1 (accepted by the supplier) reached for item 1, by sub-status AcceptedByBTWwBC",
                true,
                false
            ),
        ]
    );
}

#[test]
fn a_milestone_that_the_sender_states_counts_once_it_is_reached() {
    let of = |status: &str| order_with(json!({ "productOrderMilestone": { "name": "Duct", "status": status } }));
    let history = folded(&[event(1, of("planned")), event(2, of("completed")), event(3, of("Achieved"))]);
    let told: Vec<_> = milestones(&history)
        .map(|(_, facts)| (facts.said_by.clone(), facts.values.clone(), facts.is_first, facts.is_first_of_order))
        .collect();
    let by = vec![SaidBy::Milestone];
    let value = |value: &str| vec![value.to_owned()];
    assert_eq!(told, [(by.clone(), value("completed"), true, true), (by, value("Achieved"), false, false)]);
}

#[test]
fn a_milestone_to_come_carries_its_date_and_counts_as_none() {
    let of = |status: &str| {
        order_with(json!({ "productOrderMilestone":
            { "name": "kci 2", "status": status, "milestoneDate": "2024-10-04T00:00:00.000Z" } }))
    };
    let history = folded(&[event(1, of("planned")), event(2, of("completed"))]);
    let told: Vec<_> = history.entries.iter().filter(|entry| entry.change.kind == Kind::Milestone).collect();
    let Some(Facts::OpenMilestone(open)) = &told[0].change.facts else { panic!("{:?}", told[0].change.facts) };
    assert_eq!(open.date.as_ref().map(|date| date.text()), Some("2024-10-04T00:00:00.000Z"));
    assert_eq!(told[0].change.name.as_deref(), Some("KCI2"), "as the vocabulary spells it");
    let reached: Vec<_> = milestones(&history).map(|(_, facts)| facts.is_first_of_order).collect();
    assert_eq!(reached, [true], "what was planned was not reached before");
}

#[test]
fn a_stated_milestone_is_that_of_the_vocabulary_in_whatever_spelling() {
    let stated = order_with(json!({ "productOrderItem": { "id": "1" },
        "productOrderMilestone": { "name": "kci-1", "status": "reached", "productOrderItem": { "itemId": "1" } } }));
    let sub_status = order_with(json!({ "productOrderItem": { "id": "1", "subStatus": "AcceptedByBTWwBC" } }));
    let history = folded(&[event(1, stated), event(2, sub_status)]);
    let told: Vec<_> = milestones(&history).map(|(_, facts)| facts.is_first).collect();
    assert_eq!(told, [true, false]);
    let names = history.entries.iter().filter(|entry| entry.change.kind == Kind::Milestone);
    assert_eq!(names.map(|entry| entry.change.name.as_deref().unwrap()).collect::<Vec<_>>(), ["KCI1", "KCI1"]);
}

/// The milestones that count.
fn milestones(history: &History) -> impl Iterator<Item = (&str, &MilestoneFacts)> {
    history.entries.iter().filter_map(|entry| match &entry.change.facts {
        Some(Facts::Milestone(facts)) => Some((entry.change.text.as_str(), facts)),
        _ => None,
    })
}
