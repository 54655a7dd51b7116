//! What the codes mean is data: operators change it, and the feed shows what nobody knows yet.

use serde_json::json;

use crate::app::{TestApp, TestDatabase, body};
use crate::app::{out, run};

#[tokio::test]
async fn an_operator_says_what_a_code_means_and_an_upgrade_keeps_it() {
    let database = TestDatabase::new().await;
    let set = ["vocabulary", "set", "message", "510", "--words", "we have it", "--classes", "progress, information"];
    let told = out(&run(&database, &[&set[..], &["--milestone", ""]].concat()).await);
    assert!(told.contains("we have it; classes: progress, information; source"), "{told}");
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
        (vec!["vocabulary", "set", "offering", "1", "--words", "y", "--fault", "customer"], "only the words are used"),
        (vec!["vocabulary", "set", "message", "1"], "say with --words what message “1” means"),
        (vec!["vocabulary", "set", "message", "1", "--words", " "], "say with --words what message “1” means"),
        (vec!["vocabulary", "set", "message", " - ", "--words", "y"], "“ - ” is no value"),
        (vec!["vocabulary", "unset", "message", "101158"], "nobody has set message “101158”"),
        (vec!["vocabulary", "unset", "mood", "x"], "“mood” is no subject"),
        (vec!["vocabulary", "list", "--subject", "mood"], "“mood” is no subject"),
    ] {
        let output = run(&database, &arguments).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(told), "{arguments:?}: {error}");
    }
    database.close().await;
}

#[tokio::test]
async fn what_is_not_given_stays_and_what_is_set_can_be_taken_back() {
    let database = TestDatabase::new().await;
    let word = async || {
        let listed = out(&run(&database, &["vocabulary", "list", "--subject", "message", "--json"]).await);
        let words = listed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        words.into_iter().find(|word| word["value"] == "530").unwrap_or_default()
    };
    let shipped = word().await;
    assert_eq!((&shipped["classes"], &shipped["milestone"]), (&json!(["complete"]), &json!("KCI3")));
    let set = ["vocabulary", "set", "message", "530", "--words", "order all done", "--source", "the supplier's wiki"];
    out(&run(&database, &set).await);
    let now = word().await;
    assert_eq!((&now["words"], &now["confidence"]), (&json!("order all done"), &json!("operator")));
    assert_eq!((&now["classes"], &now["milestone"]), (&shipped["classes"], &shipped["milestone"]));
    out(&run(&database, &["vocabulary", "set", "message", "530", "--classes", "", "--fault", "supplier"]).await);
    let now = word().await;
    assert_eq!(now["source"], "the supplier's wiki");
    assert_eq!(
        (&now["words"], &now["classes"], &now["fault"]),
        (&json!("order all done"), &json!([]), &json!("supplier"))
    );
    let told = out(&run(&database, &["vocabulary", "unset", "message", " 530"]).await);
    assert!(told.starts_with("As it came with the program: message") && told.contains("rebuild"), "{told}");
    assert_eq!(word().await, shipped);

    out(&run(&database, &["vocabulary", "set", "message", "X-1", "--words", "a fault"]).await);
    let told = out(&run(&database, &["vocabulary", "unset", "message", "x1"]).await);
    assert!(told.starts_with("Nobody says any more what message “x1” means."), "{told}");
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

    // What is set is known at once, whatever orders still say of it.
    out(&run(&app.database, &["vocabulary", "set", "shape", shape, "--words", "the colour of the box"]).await);
    assert!(app.database.rows("select * from analytics.unknown_values").await.is_empty());
    let none = out(&run(&app.database, &["vocabulary", "list", "--unknown"]).await);
    assert!(none.contains("Every value of the feed is known."), "{none}");
    out(&run(&app.database, &["rebuild"]).await);
    let none = out(&run(&app.database, &["vocabulary", "list", "--unknown"]).await);
    assert!(none.contains("Every value of the feed is known."), "{none}");
    app.stop().await;
}

#[tokio::test]
async fn what_the_suppliers_documents_imply_is_no_news() {
    let app = TestApp::start().await;
    for name in ["collections-as-one-object", "v5-jeopardy-alert", "cancel-order-misspelt"] {
        let body = std::fs::read(format!("fixtures/bt-wholesale-variants/{name}.json")).unwrap();
        assert_eq!(app.post("/listener", body).await.status, 200);
    }
    let news = "select subject, value from analytics.unknown_values where subject in ('shape', 'message')";
    assert_eq!(app.database.rows(news).await, Vec::<serde_json::Value>::new());
    app.stop().await;
}

#[tokio::test]
async fn a_running_service_takes_up_what_an_operator_sets() {
    let app = TestApp::start().await;
    let item = |sub_status: &str| json!({ "id": "1", "state": "inProgress", "subStatus": sub_status });
    let event = async |number: u32| {
        let body = json!({
            "event": { "productOrder": { "id": format!("v{number}"), "productOrderItem": item("OnHoldByWeather") } },
            "eventId": format!("{number}"), "eventTime": "2024-01-01T12:00:00Z",
        });
        assert_eq!(app.post("/listener", body.to_string()).await.status, 200);
        app.json(&format!("/api/v1/orders/v{number}/timeline")).await["entries"].to_string()
    };
    assert!(!event(0).await.contains("waiting for the wind"));
    let set = ["vocabulary", "set", "sub-status", "OnHoldByWeather", "--words", "waiting for the wind"];
    let told = out(&run(&app.database, &set).await);
    assert!(told.contains("a running service takes it up within seconds") && told.contains("rebuild"), "{told}");
    // It looks every two seconds; a machine that is busy with other tests is given its time.
    let mut taken_up = false;
    for number in 1..600 {
        taken_up = event(number).await.contains("waiting for the wind");
        if taken_up {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(taken_up, "the service still tells events as before");
    let before = app.json("/api/v1/orders/v0/timeline").await["entries"].to_string();
    assert!(!before.contains("waiting for the wind"));
    out(&run(&app.database, &["rebuild"]).await);
    let rebuilt = app.json("/api/v1/orders/v0/timeline").await["entries"].to_string();
    assert!(rebuilt.contains("waiting for the wind"), "{rebuilt}");
    app.stop().await;
}
