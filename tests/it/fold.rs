//! What the timelines of the document's twelve orders must show, from the bodies on (contract, the one law).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use order_timeline::order::{
    self, Entry, Facts, Family, History, Kind, MilestoneFacts, Outcome, SaidBy, Statement, fold, rfc3339,
};
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
        insta::with_settings!({ snapshot_path => "snapshots/fold", prepend_module_to_snapshot => false, omit_expression => true }, {
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
    insta::with_settings!({ snapshot_path => "snapshots/fold", prepend_module_to_snapshot => false, omit_expression => true }, {
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
fn a_contradiction_that_goes_on_shows_what_clashes_now_and_since_when_it_began() {
    let of = |date: &str| {
        order_with(json!({ "productOrderItem": { "id": "1", "state": "inProgress", "expectedCompletionDate": date } }))
    };
    let history = folded(&[event(1, of("2024-05-01")), event(2, of("2024-05-03")), event(3, of("2024-05-07"))]);
    let open: Vec<_> = history.timeline.order().contradictions.values().collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].since, received(2));
    assert_eq!(open[0].statements[0], "item 1 was expected on 3 May 2024");
    let attention = &history.timeline.order().attention;
    assert_eq!(attention.len(), 1);
    assert_eq!(attention[0].since, received(2));
    assert!(attention[0].why.contains("7 May 2024"), "{attention:?}");
    assert_eq!(texts(&history, Kind::Contradiction).len(), 1, "it is opened once");
}

#[test]
fn of_several_contradictions_the_oldest_is_named_with_its_own_beginning() {
    let of = |date: &str, message: Value| {
        order_with(json!({ "errorMessage": message, "productOrderItem": {
            "id": "1", "state": "inProgress", "expectedCompletionDate": date } }))
    };
    let complete = json!({ "subCode": "530", "message": "complete", "productOrderItem": { "itemId": "1" } });
    let history = folded(&[
        event(1, of("2024-05-01", json!([]))),
        event(2, of("2024-05-03", json!([]))),
        event(3, of("2024-05-03", complete)),
    ]);
    let order = history.timeline.order();
    let kinds: Vec<_> = order.contradictions.keys().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["complete-while-running", "date-moved-without-reason"]);
    let attention = order.attention.iter().find(|one| one.reason == "contradiction").unwrap();
    assert_eq!(attention.since, received(2));
    assert!(attention.why.starts_with("Item 1 was expected on 1 May 2024"), "{}", attention.why);
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
fn a_contradiction_of_an_item_and_of_the_one_that_contains_it_keep_their_own_beginnings() {
    let of = |parent: &str, child: &str| {
        order_with(json!({ "productOrderItem": [{ "id": "1", "state": parent }, { "id": "1.1", "state": child }],
            "errorMessage": { "subCode": "530", "message": "complete", "productOrderItem": [{ "itemId": "1" }, { "itemId": "1.1" }] } }))
    };
    let history = folded(&[
        event(1, of("inProgress", "inProgress")),
        event(2, of("completed", "inProgress")),
        event(3, of("inProgress", "inProgress")),
        event(4, of("completed", "completed")),
    ]);
    let told: Vec<_> = entries(&history, Kind::Contradiction, "1")
        .chain(entries(&history, Kind::Contradiction, "1.1"))
        .filter(|entry| entry.change.name.as_deref() == Some("complete-while-running"))
        .map(|entry| (entry.change.item_ids[0].as_str(), entry.position, text(entry.change.to.as_ref().unwrap())))
        .collect();
    let told: Vec<_> = told.iter().map(|(item, position, to)| (*item, *position, to.as_str())).collect();
    let expected = [
        ("1", 0, "open"),
        ("1", 1, "closed"),
        ("1", 2, "open"),
        ("1", 3, "closed"),
        ("1.1", 1, "open"),
        ("1.1", 3, "closed"),
    ];
    assert_eq!(told, expected);
    let history = folded(&[event(1, of("inProgress", "inProgress")), event(2, of("completed", "inProgress"))]);
    let key = ("complete-while-running".to_owned(), "1.1".to_owned());
    assert_eq!(history.timeline.order().contradictions[&key].since, received(1), "it stood before it was told");
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

/// The milestones that count.
fn milestones(history: &History) -> impl Iterator<Item = (&str, &MilestoneFacts)> {
    history.entries.iter().filter_map(|entry| match &entry.change.facts {
        Some(Facts::Milestone(facts)) => Some((entry.change.text.as_str(), facts)),
        _ => None,
    })
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
