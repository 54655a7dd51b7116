//! What the codes mean is data: operators change it, and the feed shows what nobody knows yet.

use serde_json::json;

use crate::app::{TestApp, TestDatabase, body};
use crate::ingest::{out, run};

#[tokio::test]
async fn an_operator_says_what_a_code_means_and_an_upgrade_keeps_it() {
    let database = TestDatabase::new().await;
    let set = ["vocabulary", "set", "message", "510", "--words", "we have it", "--classes", "progress,information"];
    assert!(out(&run(&database, &set).await).contains("we have it; classes: progress, information"));
    // What an upgrade does.
    database.store.migrate().await.unwrap();
    let listed = out(&run(&database, &["vocabulary", "list", "--subject", "message"]).await);
    let line = listed.lines().find(|line| line.contains("510")).unwrap();
    assert!(line.contains("we have it") && line.contains("operator"), "{line}");
    assert!(listed.lines().any(|line| line.contains("101158") && line.contains("fault: customer")), "{listed}");
    assert!(!listed.contains("E0000021"));

    run(&database, &["ingest", "fixtures/bt-wholesale/04-provide-access-acknowledged-by-supplier.json"]).await;
    let told = out(&run(&database, &["timeline", "00228874"]).await);
    assert!(told.contains("Milestone KCI1") && !told.contains("by sub-status AcceptedByBTWwBC and message"), "{told}");

    for (arguments, told) in [
        (vec!["vocabulary", "set", "mood", "x", "--words", "y"], "“mood” is no subject"),
        (vec!["vocabulary", "set", "message", "1", "--words", "y", "--classes", "urgent"], "“urgent” is no class"),
        (vec!["vocabulary", "set", "message", "1", "--words", "y", "--fault", "nobody"], "“nobody” is no fault"),
        (vec!["vocabulary", "list", "--subject", "mood"], "“mood” is no subject"),
    ] {
        let output = run(&database, &arguments).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(told), "{arguments:?}: {error}");
    }
    database.close().await;
}

#[tokio::test]
async fn values_that_nobody_knows_are_counted() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let none = out(&run(&app.database, &["vocabulary", "list", "--unknown"]).await);
    assert!(none.contains("Every value of the feed is known."), "{none}");
    for (from, to) in [("9f616bf1", "1"), ("f9616bf1", "2")] {
        let changed =
            String::from_utf8(body("01")).unwrap().replace("In Progress", "OnHoldByWeather").replace(from, to);
        app.post("/listener", changed.replace("f9616bf1", to).replace("09:21:07", &format!("09:2{to}:07"))).await;
    }
    let unknown = out(&run(&app.database, &["vocabulary", "list", "--unknown"]).await);
    assert!(
        unknown.starts_with("sub-status          OnHoldByWeather                  2 times in 1 orders"),
        "{unknown}"
    );
    app.stop().await;
}

#[tokio::test]
async fn shapes_that_nobody_knows_are_counted_until_somebody_does() {
    let app = TestApp::start().await;
    for number in 1..4 {
        let item = |id| json!({ "id": id, "product": { "productCharacteristic": [], "colour": "red" } });
        let body = json!({
            "event": { "productOrder": { "id": format!("s{}", number % 2), "productOrderItem": [item("1"), item("2")] } },
            "eventId": format!("{number}"), "eventTime": format!("2024-01-0{number}T12:00:00Z"),
        });
        assert_eq!(app.post("/listener", body.to_string()).await.status, 200);
    }
    let shape = "unknown-property at event.productOrder.productOrderItem[].product.colour";
    let expected = json!({
        "subject": "shape", "value": shape, "occurrences": 3, "orders": 2,
        "first_seen": "2024-01-01T12:00:00+00:00", "last_seen": "2024-01-03T12:00:00+00:00",
    });
    assert_eq!(app.database.rows("select * from analytics.unknown_values").await, [expected]);
    let unknown = out(&run(&app.database, &["vocabulary", "list", "--unknown", "--subject", "shape"]).await);
    assert!(unknown.contains(shape) && unknown.contains("3 times in 2 orders"), "{unknown}");

    out(&run(&app.database, &["vocabulary", "set", "shape", shape, "--words", "the colour of the box"]).await);
    out(&run(&app.database, &["rebuild"]).await);
    let none = out(&run(&app.database, &["vocabulary", "list", "--unknown"]).await);
    assert!(none.contains("Every value of the feed is known."), "{none}");
    app.stop().await;
}
