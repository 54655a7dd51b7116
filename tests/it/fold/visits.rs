//! Visits and expected dates, and what explains that they move.

use order_timeline::order::{self, Facts, Kind, Statement};
use serde_json::{Value, json};

use super::{entries, event, folded, of_seeds, order_with, passage, statement, texts};
use crate::fixtures;

#[test]
fn a_changed_visit_shows_status_reference_and_window_before_and_after() {
    let history = of_seeds([10, 11]);
    let told: Vec<_> = entries(&history, Kind::Appointment, "13008704").collect();
    assert_eq!(told.len(), 2);
    let (Some(order::Value::Appointment(from)), Some(order::Value::Appointment(to))) =
        (&told[1].change.from, &told[1].change.to)
    else {
        panic!("{:?}", told[1]);
    };
    assert_eq!(from.id, to.id);
    assert_eq!((from.status.as_deref(), to.status.as_deref()), (None, Some("SupplierChanged")));
    assert_eq!((from.reference.as_deref(), to.reference.as_deref()), (Some("CCE2FF4FR"), Some("CCE6588FR")));
    assert_ne!(from.finish, to.finish);
    let party: Vec<_> = history
        .entries
        .iter()
        .filter(|entry| entry.change.kind == Kind::Party && entry.position == 1)
        .map(passage)
        .collect();
    let at = "2024-03-25T15:00:27.891Z".to_owned();
    assert_eq!(party, [(at, Some("CUG5009999999".to_owned()), "CUG5099999999".to_owned())]);
}

#[test]
fn a_first_date_has_not_moved_and_needs_no_reason() {
    let of = |date: &str| {
        order_with(json!({
            "productOrderItem": { "id": "1", "expectedCompletionDate": date },
            "errorMessage": { "subCode": "521", "message": "Informational : 521 : moved", "productOrderItem": { "itemId": "1" } },
        }))
    };
    let history = folded(&[event(1, of("2024-05-01")), event(2, of("2024-05-03"))]);
    let reasons: Vec<_> = entries(&history, Kind::ExpectedDate, "1")
        .map(|entry| match &entry.change.facts {
            Some(Facts::ExpectedDate(facts)) => (facts.is_first, facts.reason_code.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reasons, [(true, None), (false, Some("521".to_owned()))]);
}

#[test]
fn an_appointment_whose_id_becomes_known_is_the_same_one_and_another_id_another() {
    let of = |appointment: Value| order_with(json!({ "productOrderItem": { "id": "1", "appointment": appointment } }));
    let history = folded(&[
        event(
            1,
            of(
                json!({ "appointmentStatus": "Booked", "appointmentStart": "2024-01-08T08:00:00Z", "appointmentFinish": "2024-01-08T13:00:00Z" }),
            ),
        ),
        event(2, of(json!({ "id": "A-1" }))),
        event(3, of(json!({ "id": "A-1", "appointmentStatus": "CustomerMissed" }))),
        event(4, of(json!({ "id": "A-2" }))),
        event(5, of(json!({}))),
    ]);
    let told: Vec<_> = entries(&history, Kind::Appointment, "1").map(|entry| entry.change.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "Item 1: appointment booked, 8 Jan 2024 08:00–13:00",
            "Item 1: appointment booked, 8 Jan 2024 08:00–13:00, id A-1",
            "Item 1: appointment missed by the customer (was booked), 8 Jan 2024 08:00–13:00",
            "Item 1: appointment replaced by another, id A-2 (was A-1)",
        ]
    );
    let kept = history.timeline.order().items["1"].appointment.clone().unwrap();
    assert_eq!((kept.id.as_deref(), kept.status, kept.start), (Some("A-2"), None, None));
}

#[test]
fn a_moved_date_says_how_far_and_the_same_instant_in_another_zone_is_no_change() {
    let of = |date: &str| order_with(json!({ "productOrderItem": { "id": "1", "expectedCompletionDate": date } }));
    let history = folded(&[
        event(1, of("2024-07-01T23:59:59+01:00")),
        event(2, of("2024-07-01T22:59:59.000Z")),
        event(3, of("2024-07-08T23:59:59+01:00")),
        event(4, of("2024-07-07T13:00:00Z")),
        event(5, of("soon")),
    ]);
    let told: Vec<_> = entries(&history, Kind::ExpectedDate, "1").map(|entry| entry.change.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "Item 1: expected completion 1 Jul 2024",
            "Item 1: expected completion moved from 1 Jul 2024 to 8 Jul 2024 (7 days later)",
            "Item 1: expected completion moved from 8 Jul 2024 to 7 Jul 2024 14:00 (1 day earlier)",
            "Item 1: expected completion moved from 7 Jul 2024 14:00 to soon",
        ]
    );
}

#[test]
fn a_date_that_a_text_announced_explains_itself_when_the_field_catches_up() {
    let of = |date: &str, message: Value| {
        order_with(json!({ "errorMessage": message, "productOrderItem": {
            "id": "1", "state": "inProgress", "expectedCompletionDate": date } }))
    };
    let announced = json!({ "subCode": "101105", "productOrderItem": { "itemId": "1" },
        "message": "Warning : 101105 : Target date has been amended to 29-02-2024" });
    let history = folded(&[
        event(1, of("2024-02-23T23:59:59Z", announced)),
        event(2, of("2024-02-29T23:59:59Z", json!([]))),
        event(3, of("2024-03-02T23:59:59Z", json!([]))),
    ]);
    let dates = history.entries.iter().filter_map(|entry| match &entry.change.facts {
        Some(Facts::ExpectedDate(facts)) if facts.in_text_of.is_none() => Some(facts.reason_code.as_deref()),
        _ => None,
    });
    assert_eq!(dates.collect::<Vec<_>>(), [None, Some("101105"), None]);
    assert_eq!(
        texts(&history, Kind::Contradiction),
        [
            "Contradiction: message 101105 says that item 1 is expected on 29 Feb 2024, yet its expected completion is 23 Feb 2024",
            "Contradiction resolved, which was: message 101105 says that item 1 is expected on 29 Feb 2024, yet its expected completion is 23 Feb 2024",
            "Contradiction: item 1 was expected on 29 Feb 2024, yet it is now expected on 2 Mar 2024, and no message gives a reason",
        ]
    );
}

#[test]
fn order_00102884_goes_on_with_the_date_that_its_text_announced_and_nothing_clashes() {
    let late = String::from_utf8(fixtures::seed(13)).unwrap();
    let mut next: Value = serde_json::from_str(&late.replace("2024-02-27T23:59:59", "2024-02-29T23:59:59")).unwrap();
    next["eventId"] = json!("next");
    next["eventTime"] = json!("2024-02-29T08:00:00Z");
    next["event"]["productOrder"].as_object_mut().unwrap().remove("errorMessage");
    let seeds = [16, 13].map(fixtures::seed);
    let bodies = [&seeds[0][..], &seeds[1][..], next.to_string().as_bytes()].map(<[u8]>::to_vec);
    let statements: Vec<Statement> = (0..).zip(&bodies).map(|(minute, body)| statement(minute, body)).collect();
    let history = folded(&statements);
    assert!(history.timeline.order().contradictions.is_empty(), "{:?}", texts(&history, Kind::Contradiction));
    assert!(!texts(&history, Kind::Contradiction).iter().any(|text| text.contains("no message gives a reason")));
}

#[test]
fn a_message_that_names_an_item_explains_moves_of_those_below_it_also_afterwards() {
    let of = |date: &str, message: Value| {
        order_with(json!({ "errorMessage": message, "productOrderItem": [
            { "id": "1", "state": "inProgress" }, { "id": "1.1", "state": "inProgress", "expectedCompletionDate": date } ] }))
    };
    let delayed = json!({ "subCode": "101096", "message": "further work", "productOrderItem": { "itemId": "1" } });
    let history = folded(&[
        event(1, of("2024-05-01", json!([]))),
        event(2, of("2024-05-03", json!([]))),
        event(3, of("2024-05-03", delayed)),
    ]);
    assert_eq!(texts(&history, Kind::Contradiction).len(), 2, "opened and resolved");
    assert!(history.timeline.order().contradictions.is_empty());
}

#[test]
fn only_a_window_that_moves_is_a_reschedule_and_a_fault_is_of_its_own_visit() {
    let of = |status: Option<&str>, start: &str, finish: &str| {
        order_with(json!({ "productOrderItem": { "id": "1", "appointment": {
            "appointmentStatus": status, "appointmentStart": start, "appointmentFinish": finish } } }))
    };
    let history = folded(&[
        event(1, of(Some("CustomerMissed"), "2024-01-08T12:00:00Z", "2024-01-08T18:00:00Z")),
        // The hours become unknown, and then known again.
        event(2, of(None, "2024-01-08T12:00:00Z", "2024-01-08T12:00:00Z")),
        event(3, of(None, "2024-01-08T08:00:00Z", "2024-01-08T13:00:00Z")),
        event(4, of(None, "2024-01-10T12:00:00Z", "2024-01-10T12:00:00Z")),
        event(5, of(Some("SupplierChanged"), "2024-01-10T08:00:00Z", "2024-01-10T13:00:00Z")),
    ]);
    let told = history.entries.iter().filter_map(|entry| match &entry.change.facts {
        Some(Facts::Appointment(facts)) => Some((facts.reschedules, facts.fault.map(order::Fault::name))),
        _ => None,
    });
    let expected = [(0, Some("customer")), (0, None), (0, None), (1, None), (2, Some("supplier"))];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
