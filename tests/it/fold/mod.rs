//! What the timelines of the document's twelve orders must show, from the bodies on (contract, the one law).

mod contradictions;
mod messages;
mod milestones;
mod states;
mod visits;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use order_timeline::order::{self, Entry, History, Kind, Outcome, Statement, fold, rfc3339};
use order_timeline::{vocabulary, wire};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures;

#[test]
fn every_order_of_the_document_has_the_timeline_of_its_snapshot() {
    let mut orders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, seed) in fixtures::seeds().iter().enumerate() {
        orders.entry(wire::read(&seed.body).unwrap().event.order_id).or_default().push(number);
    }
    assert_eq!(orders.len(), 12);
    for (order_id, numbers) in orders {
        insta::with_settings!({ snapshot_path => "../snapshots/fold", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(order_id, told(&of_seeds(numbers)));
        });
    }
}

#[test]
fn every_variant_has_the_timeline_of_its_snapshot() {
    let variants = fixtures::variants().into_iter();
    let told: Vec<String> = variants
        .map(|variant| format!("# {}\n{}", variant.name, told(&folded(&[statement(1, &variant.body)]))))
        .collect();
    insta::with_settings!({ snapshot_path => "../snapshots/fold", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("variants", told.join("\n\n"));
    });
}

#[test]
fn an_item_of_00228874_goes_through_its_sub_statuses_at_the_times_of_the_events() {
    let history = of_seeds(1..=9);
    let told: Vec<_> = entries(&history, Kind::ItemSubStatus, "100.1").map(passage).collect();
    let expected = [
        ("2023-02-13T09:21:12.896Z", None, "PendingWithBTWwBC"),
        ("2023-02-13T09:53:19.019Z", Some("PendingWithBTWwBC"), "AcceptedByBTWwBC"),
        ("2023-02-13T10:43:39.496Z", Some("AcceptedByBTWwBC"), "CommittedByBTWwBC"),
        ("2023-02-23T10:44:56.791Z", Some("CommittedByBTWwBC"), "CompletedBTWwBCService"),
    ];
    assert_eq!(told, expected.map(|(at, from, to)| (at.to_owned(), from.map(str::to_owned), to.to_owned())));
    assert_eq!(history.timeline.order().state.as_ref().unwrap().state, "completed");
}

#[test]
fn another_spelling_of_a_value_is_no_change_but_is_what_is_shown() {
    let of = |state: &str, sub_status: &str| {
        order_with(json!({ "productOrderItem": { "id": "1", "state": state, "subStatus": sub_status } }))
    };
    let history = folded(&[
        event(1, of("inProgress", "In Progress")),
        event(2, of("In-Progress", "inProgress")),
        event(3, of("inProgress", "in progress")),
    ]);
    assert_eq!(entries(&history, Kind::ItemState, "1").count(), 1);
    assert_eq!(entries(&history, Kind::ItemSubStatus, "1").count(), 1);
    let item = &history.timeline.order().items["1"];
    assert_eq!((item.state.as_deref(), item.sub_status.as_deref()), (Some("inProgress"), Some("in progress")));
}

#[test]
fn the_seed_s_two_spellings_of_in_progress_are_no_change() {
    // The document says "In Progress" and "inProgress" of item 100 while it waits.
    let history = of_seeds(1..=3);
    assert_eq!(entries(&history, Kind::ItemSubStatus, "100").count(), 1);
}

#[test]
fn a_late_event_takes_its_place_in_time() {
    // 13 happened on 28 February, 16 the evening before.
    for (numbers, is_late) in [([13, 16], true), ([16, 13], false)] {
        let history = of_seeds(numbers);
        let of_16: Vec<&Entry> =
            history.entries.iter().filter(|entry| rfc3339(entry.at).starts_with("2024-02-27T16:32")).collect();
        let of_13: Vec<&Entry> =
            history.entries.iter().filter(|entry| rfc3339(entry.at).starts_with("2024-02-28T04:30")).collect();
        assert_eq!(of_16.len() + of_13.len(), history.entries.len());
        assert!(of_16.iter().all(|entry| entry.position == 0 && entry.late == is_late));
        assert!(of_13.iter().all(|entry| entry.position == 1 && !entry.late));
        // What 13 repeats of 16 is no change any more.
        let kinds: Vec<&str> = of_13.iter().map(|entry| entry.change.kind.name()).collect();
        assert_eq!(kinds, ["message", "expected-date", "expected-date", "contradiction"]);
        assert_eq!(of_13[0].change.message.as_ref().unwrap().code.as_deref(), Some("101105"));
    }
    let sentences = |numbers: [usize; 2]| {
        let entries = of_seeds(numbers).entries;
        entries.into_iter().map(|entry| (entry.at, entry.change)).collect::<Vec<_>>()
    };
    assert_eq!(sentences([13, 16]), sentences([16, 13]));
}

#[test]
fn an_event_without_envelope_is_placed_by_the_time_it_was_received() {
    let history = of_seeds([18]);
    assert_eq!(history.outcomes[&delivery(0)], Outcome::Applied);
    assert!(!history.entries.is_empty());
    for entry in &history.entries {
        assert!(entry.at_estimated && !entry.late);
        assert_eq!((entry.at, entry.event_id.as_deref()), (received(0), None));
    }
    let again = fold(
        &[statement(0, &fixtures::seed(18)), statement(1, &fixtures::seed(18))],
        None,
        &vocabulary::shipped().unwrap(),
    );
    assert_eq!(again.outcomes[&delivery(1)], Outcome::Duplicate(delivery(0)));
    assert_eq!(again.entries, history.entries);
}

#[test]
fn the_same_event_with_other_content_is_told_as_a_conflict_and_the_first_counts() {
    let of = |minute: u32, state: &str| {
        let body = json!({ "event": { "productOrder": { "id": "1", "productOrderItem": { "id": "1", "state": state } } },
            "eventId": "e-1", "eventTime": "2024-04-02T11:00:00Z" });
        statement(minute, body.to_string().as_bytes())
    };
    let history = folded(&[of(5, "failed"), of(3, "completed"), of(7, "failed"), of(9, "completed")]);
    let outcomes = BTreeMap::from([
        (delivery(3), Outcome::Applied),
        (delivery(5), Outcome::Conflict(delivery(3))),
        (delivery(7), Outcome::Duplicate(delivery(5))),
        (delivery(9), Outcome::Duplicate(delivery(3))),
    ]);
    assert_eq!(history.outcomes, outcomes);
    assert_eq!(history.timeline.order().state.as_ref().unwrap().state, "completed");
    let told: Vec<_> = history.entries.iter().filter(|entry| entry.change.kind == Kind::Conflict).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].delivery_id, told[0].received_at), (delivery(5), received(5)));
}

#[test]
fn a_repeated_snapshot_changes_nothing_whatever_it_holds() {
    let order = order_with(json!({
        "externalId": ["not a text"], "state": "held", "expectedCompletionDate": "soon",
        "relatedParty": [{ "role": "A", "id": "1" }, { "role": "A", "id": "2" }, { "role": "a", "id": "3" }],
        "productOrderItem": [
            { "id": "1", "action": "add", "state": "x", "appointment": { "appointmentStatus": "Booked" },
              "product": { "customerFacingServiceId": { "value": "S" }, "productCharacteristic": [
                  { "name": "Colour", "value": "red" }, { "name": "colour", "value": "blue" }] } },
            { "id": "2" },
        ],
        "errorMessage": [{ "subCode": "1", "message": "a .~ b", "productOrderItem": { "itemId": "2" } }, { "message": "c" }],
        "productOrderMilestone": [{ "name": "Duct", "status": "planned" }, { "name": "Fibre", "productOrderItem": [{ "itemId": "1" }] }],
        "productOrderJeopardyAlert": { "name": "Storm" },
    }));
    let history = folded(&[event(1, order.clone()), event(2, order.clone()), event(3, order)]);
    let repeated: Vec<_> =
        history.entries.iter().filter(|entry| entry.position > 0).map(|entry| entry.change.text.as_str()).collect();
    assert_eq!(repeated, Vec::<&str>::new());
}

#[test]
fn the_order_in_which_parties_are_listed_is_no_change() {
    let of =
        |ids: [&str; 2]| order_with(json!({ "relatedParty": ids.map(|id| json!({ "role": "Engineer", "id": id })) }));
    let history = folded(&[event(1, of(["a", "b"])), event(2, of(["b", "a"])), event(3, of(["b", "c"]))]);
    let told: Vec<_> = history
        .entries
        .iter()
        .filter(|entry| entry.change.kind == Kind::Party)
        .map(|entry| entry.change.text.as_str())
        .collect();
    assert_eq!(told, ["Party Engineer: a, b", "Party Engineer changed from b, a to b, c"]);
}

/// What an event at this minute says of order 1, without what every event has.
pub fn event(minute: u32, order: Value) -> Statement {
    let body = json!({ "event": { "productOrder": order }, "eventId": format!("e-{minute}"),
        "eventType": "ProductOrderStateChangeEvent", "eventTime": rfc3339(received(minute)) });
    statement(minute, body.to_string().as_bytes())
}

pub fn order_with(mut fields: Value) -> Value {
    fields["id"] = json!("1");
    fields
}

fn entries<'h>(history: &'h History, kind: Kind, item: &'h str) -> impl Iterator<Item = &'h Entry> {
    history.entries.iter().filter(move |entry| entry.change.kind == kind && entry.change.item_ids == [item])
}

pub fn texts(history: &History, kind: Kind) -> Vec<&str> {
    history.entries.iter().filter(|entry| entry.change.kind == kind).map(|entry| entry.change.text.as_str()).collect()
}

fn messages<'h>(history: &'h History, code: &'h str) -> impl Iterator<Item = &'h Entry> {
    let is_it = move |entry: &&Entry| {
        entry.change.message.as_ref().is_some_and(|message| message.code.as_deref() == Some(code))
    };
    history.entries.iter().filter(is_it)
}

/// When, from what and to what.
fn passage(entry: &Entry) -> (String, Option<String>, String) {
    (rfc3339(entry.at), entry.change.from.as_ref().map(text), text(entry.change.to.as_ref().unwrap()))
}

fn text(value: &order::Value) -> String {
    match value {
        order::Value::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    }
}

/// The bodies of the document by their numbers, received in that order, a minute apart.
fn of_seeds(numbers: impl IntoIterator<Item = usize>) -> History {
    let statements: Vec<Statement> =
        numbers.into_iter().zip(0..).map(|(number, minute)| statement(minute, &fixtures::seed(number))).collect();
    folded(&statements)
}

pub fn folded(statements: &[Statement]) -> History {
    fold(statements, None, &vocabulary::shipped().unwrap())
}

fn statement(minute: u32, body: &[u8]) -> Statement {
    wire::statement(delivery(minute), received(minute), wire::Beside::default(), body).unwrap().0
}

fn delivery(minute: u32) -> Uuid {
    Uuid::from_u128(minute.into())
}

pub fn received(minute: u32) -> DateTime<Utc> {
    let noon: DateTime<Utc> = "2024-04-02T12:00:00Z".parse().unwrap();
    noon + TimeDelta::minutes(minute.into())
}

fn told(history: &History) -> String {
    let state = history.timeline.order().state.clone().unwrap();
    let mut lines = vec![format!("{}: {}", state.state, state.reason)];
    for entry in &history.entries {
        let estimated = if entry.at_estimated { " (estimated)" } else { "" };
        let late = if entry.late { " (late)" } else { "" };
        let kind = entry.change.kind.name();
        lines.push(format!("{}{estimated}{late} {kind}: {}", rfc3339(entry.at), entry.change.text));
    }
    lines.join("\n")
}
