//! Visits and expected dates, and what explains that they move.

use order_timeline::order::{self, Entry, Facts, History, Kind, Statement, Timeline};
use serde_json::{Value, json};

use super::{entries, event, folded, of_seeds, order_with, passage, received, statement, texts};
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

/// An item, and whose fault it is that its visit was missed or moved.
type OfItem = (String, Option<&'static str>);

/// Of each entry that says so, its event's position and whose visits were missed or moved.
fn missed(history: &History) -> Vec<(u32, Vec<OfItem>)> {
    let of = |entry: &Entry| {
        let missed = entry.change.missed.iter();
        let visits = missed.map(|one| (one.item_id.clone().unwrap_or_default(), one.fault.map(order::Fault::name)));
        (entry.position, visits.collect::<Vec<_>>())
    };
    history.entries.iter().map(of).filter(|(_, visits)| !visits.is_empty()).collect()
}

fn visit(item: &str, status: &str, day: u32) -> Value {
    json!({ "id": item, "state": "inProgress", "appointment": { "appointmentStatus": status,
        "appointmentStart": format!("2024-01-{day:02}T08:00:00Z"), "appointmentFinish": format!("2024-01-{day:02}T13:00:00Z") } })
}

fn missed_by_message(items: &[&str]) -> Value {
    let items: Vec<_> = items.iter().map(|id| json!({ "itemId": id })).collect();
    json!({ "subCode": "101158", "message": "End Customer missed appointment", "productOrderItem": items })
}

fn visits(items: Value, messages: Value) -> Value {
    order_with(json!({ "productOrderItem": items, "errorMessage": messages }))
}

#[test]
fn a_missed_visit_counts_once_whoever_says_so_first_and_its_rebooking_is_no_move() {
    let customer = |position| (position, vec![("1".to_owned(), Some("customer"))]);
    let confirmed = || event(1, visits(visit("1", "Confirmed", 3), json!([])));
    let by_message = || event(2, visits(visit("1", "Confirmed", 3), missed_by_message(&["1"])));
    let by_status = |minute| event(minute, visits(visit("1", "CustomerMissed", 3), json!([])));
    let rebooked = |minute| event(minute, visits(visit("1", "Booked", 10), json!([])));
    let moved = event(5, visits(visit("1", "Booked", 12), json!([])));

    assert_eq!(missed(&folded(&[confirmed(), by_message(), by_status(3), rebooked(4)])), [customer(1)]);
    let by_status_first = event(3, visits(visit("1", "CustomerMissed", 3), missed_by_message(&["1"])));
    assert_eq!(missed(&folded(&[confirmed(), by_status(2), by_status_first, rebooked(4)])), [customer(1)]);
    let nobody = (3, vec![("1".to_owned(), None)]);
    assert_eq!(missed(&folded(&[confirmed(), by_message(), rebooked(4), moved])), [customer(1), nobody]);
    // The next visit can be missed, too.
    let again = event(5, visits(visit("1", "Booked", 10), missed_by_message(&["1"])));
    assert_eq!(missed(&folded(&[confirmed(), by_message(), rebooked(4), again])), [customer(1), customer(3)]);
}

#[test]
fn each_visit_that_a_message_is_about_counts_and_one_that_items_share_counts_once() {
    let both = |second: u32| json!([visit("1", "Confirmed", 3), visit("2", "Confirmed", second)]);
    let of = |id: &str| (id.to_owned(), Some("customer"));
    let told = |second, items: &[&str]| {
        missed(&folded(&[
            event(1, visits(both(second), json!([]))),
            event(2, visits(both(second), missed_by_message(items))),
        ]))
    };
    assert_eq!(told(4, &["1", "2"]), [(1, vec![of("1"), of("2")])]);
    assert_eq!(told(3, &["1", "2"]), [(1, vec![of("1")])]);
    assert_eq!(told(4, &[]), [(1, vec![of("1"), of("2")])]);
    assert_eq!(told(4, &["2.7"]), [(1, vec![of("2")])], "the visit of the item above it");

    let status_of_one = json!([visit("1", "CustomerMissed", 3), visit("2", "Confirmed", 4)]);
    let history =
        folded(&[event(1, visits(both(4), json!([]))), event(2, visits(status_of_one, missed_by_message(&["2"])))]);
    assert_eq!(missed(&history), [(1, vec![of("1")]), (1, vec![of("2")])]);
}

#[test]
fn a_date_of_a_text_ends_where_the_field_overtakes_it_and_only_one_is_the_first() {
    let of = |date: &str, text: Option<&str>| {
        let message = |date| {
            json!({ "subCode": "101105", "productOrderItem": { "itemId": "1" },
            "message": format!("Target date has been amended to {date}") })
        };
        order_with(json!({ "errorMessage": text.map(message).into_iter().collect::<Vec<_>>(), "productOrderItem": {
            "id": "1", "state": "inProgress", "expectedCompletionDate": format!("{date}T23:59:59Z") } }))
    };
    let history = folded(&[
        event(1, of("2024-06-10", Some("14-06-2024"))),
        event(2, of("2024-06-20", None)),
        event(3, of("2024-06-20", Some("25-06-2024"))),
    ]);
    let texts = history.entries.iter().filter_map(|entry| match &entry.change.facts {
        Some(Facts::ExpectedDate(facts)) if facts.in_text_of.is_some() => Some((facts.is_first, entry.valid_to)),
        _ => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), [(true, Some(received(2))), (false, None)]);
}

#[test]
fn the_end_of_a_day_in_either_spelling_is_the_same_date_and_explains_no_move() {
    let of = |date: &str| {
        order_with(json!({ "productOrderItem": { "id": "1", "state": "inProgress", "expectedCompletionDate": date } }))
    };
    let history = folded(&[
        event(1, of("2024-06-10T23:59:59.000Z")),
        event(2, of("2024-06-12T23:59:59.000Z")),
        event(3, of("2024-06-12T23:59:59+01:00")),
    ]);
    assert_eq!(texts(&history, Kind::ExpectedDate).len(), 2);
    assert_eq!(history.timeline.order().contradictions.len(), 1, "nobody has said why it moved");
}

#[test]
fn a_kept_state_knows_what_was_said_of_visits_and_former_states_are_read() {
    let history = folded(&[event(1, visits(visit("1", "Confirmed", 3), missed_by_message(&["1"])))]);
    let kept = history.timeline.encode().unwrap();
    assert_eq!(Timeline::decode(&kept).unwrap(), history.timeline);
    let former = postcard_of_before(&kept);
    let read = Timeline::decode(&former).unwrap();
    assert_eq!(read.order().items["1"].appointment, history.timeline.order().items["1"].appointment);
    assert_ne!(read, history.timeline, "it did not know yet");
}

/// The state without what later versions keep behind it: the number of items there, one id, two flags.
fn postcard_of_before(kept: &[u8]) -> Vec<u8> {
    kept[..kept.len() - 5].to_vec()
}
