//! What stands when an event comes that does not speak of it.

use order_timeline::order::{Class, History, Kind};
use serde_json::{Value, json};

use crate::fold::{event, folded, order_with, received, texts};

fn missed() -> Value {
    json!({ "subCode": "101158", "message": "End Customer missed appointment", "productOrderItem": { "itemId": "1" } })
}

/// A visit that is still to come, and a message.
fn snapshot(message: Value) -> Value {
    order_with(json!({ "errorMessage": message, "productOrderItem": { "id": "1", "state": "inProgress",
        "appointment": { "id": "A-1", "appointmentStatus": "Confirmed", "appointmentStart": "2024-06-01T08:00:00Z",
            "appointmentFinish": "2024-06-01T13:00:00Z" } } }))
}

fn attention(history: &History) -> Vec<(&str, i64)> {
    let minutes = |since: chrono::DateTime<chrono::Utc>| (since - received(0)).num_minutes();
    history.timeline.order().attention.iter().map(|one| (one.reason.as_str(), minutes(one.since))).collect()
}

#[test]
fn an_event_that_is_no_snapshot_leaves_messages_and_reasons_as_they_are() {
    let reasons = [("action-needed", 1), ("contradiction", 1), ("missed", 1)];
    assert_eq!(attention(&folded(&[event(1, snapshot(missed()))])), reasons);
    for other in [
        json!({ "productOrderMilestone": { "name": "KCI2", "status": "completed" } }),
        json!({ "relatedParty": { "id": "CUG1", "role": "customer" } }),
        json!({ "errorMessage": [], "productOrderItem": [] }),
        json!({ "productOrderItem": null }),
    ] {
        let history = folded(&[event(1, snapshot(missed())), event(2, order_with(other.clone()))]);
        assert_eq!(attention(&history), reasons, "{other}");
        let again =
            folded(&[event(1, snapshot(missed())), event(2, order_with(other.clone())), event(3, snapshot(missed()))]);
        assert_eq!(attention(&again), reasons, "{other}");
        assert_eq!(texts(&again, Kind::Message).len(), 1, "it repeats what the snapshot before it said, {other}");
        assert_eq!(texts(&again, Kind::Contradiction).len(), 1, "{other}");
    }
}

#[test]
fn a_snapshot_without_the_message_clears_it() {
    let history = folded(&[event(1, snapshot(missed())), event(2, snapshot(json!([]))), event(3, snapshot(missed()))]);
    assert_eq!(texts(&history, Kind::Message).len(), 2, "a return after absence is a change");
    assert_eq!(attention(&history), [("action-needed", 3), ("contradiction", 3), ("missed", 3)]);
}

#[test]
fn an_order_that_ends_by_its_own_word_needs_nobody_any_more() {
    let ended = order_with(json!({ "state": "completed" }));
    let history = folded(&[event(1, snapshot(missed())), event(2, ended)]);
    assert!(attention(&history).iter().all(|(reason, _)| *reason == "ended-unresolved"), "{:?}", attention(&history));
}

#[test]
fn that_a_visit_was_missed_is_not_said_of_the_next_one() {
    let of = |status: Value, day: &str| {
        order_with(json!({ "productOrderItem": { "id": "1", "state": "inProgress", "appointment": { "id": "A-1",
            "appointmentStatus": status, "appointmentStart": format!("2024-03-{day}T08:00:00Z"),
            "appointmentFinish": format!("2024-03-{day}T13:00:00Z") } } }))
    };
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    let ends = |status: &str, next: &str| {
        let history = folded(&[event(1, of(json!(status), "08")), event(2, of(Value::Null, next))]);
        let item = &history.timeline.order().items["1"];
        (item.appointment.as_ref().unwrap().status.clone(), attention(&history).len())
    };
    assert_eq!(ends("CustomerMissed", "20"), (None, 0));
    assert_eq!(ends("CustomerMissed", "08"), (Some("CustomerMissed".to_owned()), 1), "the same visit");
    assert_eq!(ends("Confirmed", "20"), (Some("Confirmed".to_owned()), 0), "absent says nothing");
    let meaning = vocabulary.meaning(order_timeline::order::Subject::AppointmentStatus, "CustomerMissed").unwrap();
    assert!(meaning.is(Class::Missed));
    let history = folded(&[event(1, of(json!("CustomerMissed"), "08")), event(2, of(Value::Null, "20"))]);
    let told = "Item 1: appointment 20 Mar 2024 08:00–13:00 (was 8 Mar 2024 08:00–13:00)";
    assert_eq!(texts(&history, Kind::Appointment)[1], told);
}

#[test]
fn an_item_that_a_snapshot_lists_twice_is_told_once_and_a_repeat_changes_nothing() {
    let item = |state: &str, date: &str| json!({ "id": "1", "state": state, "expectedCompletionDate": date });
    let twice = || {
        order_with(json!({ "productOrderItem": [
            item("acknowledged", "2024-05-01"), { "id": "2" }, item("inProgress", "2024-05-03"), { "id": "1" } ] }))
    };
    let history = folded(&[event(1, twice()), event(2, twice())]);
    assert_eq!(texts(&history, Kind::ItemState), ["Item 1: in progress"]);
    assert_eq!(texts(&history, Kind::ExpectedDate), ["Item 1: expected completion 3 May 2024"]);
    assert_eq!(texts(&history, Kind::ItemAdded).len(), 2);
    assert!(history.entries.iter().all(|entry| entry.position == 0), "the second says nothing new");
}
