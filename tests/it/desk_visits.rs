//! Visits on the page of an order: which is next, what became of them, and what messages say of them.

use serde_json::{Value, json};

use crate::app::TestApp;

fn item(id: &str, state: &str, status: &str, day: &str) -> Value {
    json!({ "id": id, "state": state, "appointment": { "appointmentStatus": status,
        "appointmentStart": format!("{day}T08:00:00Z"), "appointmentFinish": format!("{day}T13:00:00Z") } })
}

fn event(order: &str, at: &str, items: &[Value], codes: &[&str]) -> String {
    let message = |code: &&str| {
        json!({ "subCode": code, "message": format!("Informational : {code} : x"),
        "productOrderItem": { "itemId": "1" } })
    };
    json!({ "eventId": format!("{order} {at}"), "eventTime": at, "event": { "productOrder": {
        "id": order, "productOrderItem": items, "errorMessage": codes.iter().map(message).collect::<Vec<_>>(),
    } } })
    .to_string()
}

/// The name under which the page shows an appointment at its top, and what it says there.
async fn appointment(app: &TestApp, path: &str) -> (String, String) {
    let page = app.get(path).await.text();
    let facts = page.split("<dl class=\"facts\">").nth(1).unwrap().split("</dl>").next().unwrap();
    let fact = facts.split("<dt>").find(|fact| fact.contains("ppointment</dt>")).unwrap();
    let (name, told) = fact.split_once("</dt>").unwrap();
    (name.to_owned(), told.to_owned())
}

#[tokio::test]
async fn nobody_waits_for_a_visit_that_was_called_off() {
    let app = TestApp::start().await;
    let start = "2024-01-01T09:00:00Z";
    let off = item("1", "inProgress", "Cancelled", "2099-03-05");
    for (order, items) in [
        ("off", vec![off.clone()]),
        ("other", vec![off, item("2", "inProgress", "Confirmed", "2099-04-05")]),
        ("ended", vec![item("1", "completed", "Confirmed", "2099-03-05"), json!({ "id": "2", "state": "inProgress" })]),
    ] {
        assert_eq!(app.post("/listener", event(order, start, &items, &[])).await.status, 200);
    }
    let (name, told) = appointment(&app, "/orders/off").await;
    assert!(name == "Appointment" && told.contains("cancelled"), "{name}: {told}");
    let (name, told) = appointment(&app, "/orders/other").await;
    assert!(name == "Next appointment" && told.contains("5 Apr 2099"), "{name}: {told}");
    assert_eq!(appointment(&app, "/orders/ended").await.0, "Appointment");
    let list = app.get("/orders").await.text();
    assert_eq!(list.matches("<span class=\"coming\">").count(), 1, "{list}");
    let page = app.get("/orders/off").await.text();
    let frame = page.split("<rect class=\"visit").nth(1).unwrap().split("</rect>").next().unwrap();
    assert!(frame.starts_with(" former\"") && frame.contains("5 Mar 2099 08:00–13:00, cancelled"), "{frame}");
    assert!(page.contains("<td>appointment: 5 Mar 2099 08:00–13:00, cancelled</td>"), "{page}");
    app.stop().await;
}

#[tokio::test]
async fn a_visit_of_next_month_is_next_on_a_page_of_a_time_to_come() {
    let app = TestApp::start().await;
    let items = [item("1", "inProgress", "Confirmed", "2098-03-05")];
    app.post("/listener", event("ahead", "2024-01-01T09:00:00Z", &items, &[])).await;
    assert_eq!(appointment(&app, "/orders/ahead?at=2099-01-01T00:00:00Z").await.0, "Next appointment");
    app.stop().await;
}

#[tokio::test]
async fn a_fault_that_a_message_tells_is_that_of_the_visit_that_stood_then() {
    let app = TestApp::start().await;
    for (at, day, codes) in [
        ("2024-09-03T09:30:00Z", "2024-09-21", vec![]),
        ("2024-09-21T14:00:00Z", "2024-09-21", vec!["101158"]),
        ("2024-09-23T10:00:00Z", "2024-10-06", vec!["101158"]),
    ] {
        let items = [item("1", "inProgress", "Confirmed", day)];
        assert_eq!(app.post("/listener", event("missed", at, &items, &codes)).await.status, 200);
    }
    let page = app.get("/orders/missed").await.text();
    let ledger = page.split("<h2 id=\"appointments\">").nth(1).unwrap().split("</section>").next().unwrap();
    let versions: Vec<&str> = ledger.split("<li").skip(1).collect();
    assert_eq!(versions.len(), 2, "{ledger}");
    let (now, then) = (versions[0], versions[1]);
    assert!(now.contains("6 Oct 2024 09:00–14:00"), "{now}");
    assert!(
        now.contains("moved; fault: <span class=\"fault\">the customer</span>, by message <bdi>101158</bdi>"),
        "{now}"
    );
    assert!(!now.contains("by the customer") && !now.contains("said to be missed"), "{now}");
    assert!(then.contains("said to be missed by the customer, message <bdi>101158</bdi>, "), "{then}");
    assert!(then.contains(">21 Sep 2024</time></p>"), "{then}");
    app.stop().await;
}
