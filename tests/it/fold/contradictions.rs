//! Statements that clash, since when, and what is shown of them.

use order_timeline::order::Kind;
use serde_json::{Value, json};

use super::{entries, event, folded, order_with, received, text, texts};

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
