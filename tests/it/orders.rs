use serde_json::{Value, json};

use crate::app::{TestApp, body};

#[tokio::test]
async fn every_kind_of_id_finds_the_order_and_says_which_it_was() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for (q, order, kind) in [
        ("00228874", "00228874", "order-id"),
        ("622FTTPNEWONTpreprod", "00228874", "external-id"),
        ("0004130382", "00228874", "internal-id"),
        ("100.4", "00228874", "item-id"),
        ("93cbbd63-2d08-8df1-3247-7ad1c77ecfa4", "00228874", "product-id"),
        ("BBONE0005347", "00228874", "service-id"),
        ("SFB0228874-1", "00228874", "characteristic"),
        ("ONT0073999999", "00228874", "characteristic"),
        ("28916d57-c84e-d159-7a39-501365e45f96", "00228874", "event-id"),
        ("130011712", "00125512", "appointment-id"),
        ("CCE2FF4FR", "00125512", "appointment-reference"),
        ("CCE6588FR", "00125512", "appointment-reference"),
        ("0WO3z000002cJyBGAU", "00104089", "appointment-id"),
    ] {
        let found = app.json(&format!("/api/v1/orders?q={q}")).await;
        let orders = found["orders"].as_array().unwrap();
        assert_eq!(orders.len(), 1, "{q}: {found}");
        assert_eq!(orders[0]["orderId"], order, "{q}");
        assert_eq!(orders[0]["matched"], json!([kind]), "{q}");
    }
    let customer = app.json("/api/v1/orders?q=CUG5099999999").await;
    assert_eq!(customer["orders"].as_array().unwrap().len(), 9);
    let both = app.json("/api/v1/orders?q=100").await;
    let ids: Vec<&str> = both["orders"].as_array().unwrap().iter().map(|o| o["orderId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["00148807", "00228874"]);
    assert_eq!(app.json("/api/v1/orders?q=nothing").await["orders"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn a_list_goes_page_by_page_and_holds_each_order_once() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let all = app.ids_listed("limit=5").await;
    assert_eq!(all.len(), 12, "{all:?}");
    assert_eq!(all[1..4], ["00125512", "00125420", "00103866"], "the newest event first; #18 counts as received");
    let oldest = app.json("/api/v1/orders?sort=lastEventAt&limit=1").await;
    assert_eq!(oldest["orders"][0]["orderId"], "00228874");
    app.stop().await;
}

#[tokio::test]
async fn filters_narrow_a_list_and_unknown_ones_are_refused() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let count =
        async |filter: &str| app.json(&format!("/api/v1/orders?{filter}")).await["orders"].as_array().unwrap().len();
    assert_eq!(count("state=completed").await, 2);
    assert_eq!(count("state=inProgress").await, 9);
    assert_eq!(count("state=acknowledged").await, 1);
    for spelling in ["In%20Progress", "in-progress", "IN_PROGRESS"] {
        assert_eq!(count(&format!("state={spelling}")).await, 9, "{spelling}");
    }
    assert_eq!(count("state=-").await, 0);
    assert_eq!(count("offering=E0001139").await, 1);
    assert_eq!(count("offering=e0001139").await, 1, "in any spelling");
    assert_eq!(count("party=CUG5009999999").await, 4);
    assert_eq!(count("sender=bt-wholesale").await, 12);
    assert_eq!(count("sender=nobody").await, 0);
    assert_eq!(count("changedFrom=2024-03-01T00:00:00Z&changedTo=2024-04-01T00:00:00%2B01:00").await, 3);
    for (query, part) in [
        ("colour=red", "colour"),
        ("limit=0", "limit"),
        ("limit=x", "to be a number"),
        ("sort=random", "sort"),
        ("cursor=x", "cursor"),
        ("changedFrom=yesterday", "changedFrom"),
    ] {
        let answer = app.get(&format!("/api/v1/orders?{query}")).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (400, "application/problem+json"), "{query}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(part), "{query}: {}", answer.text());
    }
    app.stop().await;
}

#[tokio::test]
async fn an_order_is_told_as_it_is_now() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let order = app.json("/api/v1/orders/00228874").await;
    insta::assert_snapshot!("order_00228874", as_text(order));
    let nested = app.json("/api/v1/orders/00125420").await;
    let below: Vec<&str> =
        nested["items"][0]["items"].as_array().unwrap().iter().map(|item| item["itemId"].as_str().unwrap()).collect();
    assert_eq!(below, ["13008684.1", "13008684.2", "13008684.3"]);
    app.stop().await;
}

#[tokio::test]
async fn a_timeline_can_be_asked_for_as_it_was_and_as_we_knew_it() {
    let app = TestApp::start().await;
    // The event of 28 February is received before that of the 27th.
    app.post("/listener", body("13")).await;
    let between = chrono::Utc::now();
    app.post("/listener", body("16")).await;
    let path = "/api/v1/orders/00102884/timeline";
    let times = |timeline: &Value| -> Vec<String> {
        let mut times: Vec<String> = timeline["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["at"].as_str().unwrap().to_owned())
            .collect();
        times.dedup();
        times
    };
    let (first, second) = ("2024-02-27T16:32:45.260Z", "2024-02-28T04:30:36.174Z");

    let now = app.json(path).await;
    assert_eq!(times(&now), [first, second]);
    let late = |timeline: &Value, at: &str| {
        timeline["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["at"] == at)
            .all(|entry| entry["late"] == true)
    };
    assert!(late(&now, first) && !late(&now, second));

    let then = app.json(&format!("{path}?at=2024-02-27T23:00:00Z")).await;
    assert_eq!(times(&then), [first]);
    let known = between.to_rfc3339().replace('+', "%2B");
    let known = app.json(&format!("{path}?knownAt={known}")).await;
    assert_eq!(times(&known), [second]);
    assert!(!late(&known, second));
    // A plus that was not encoded arrives as a space.
    assert_eq!(times(&app.json(&format!("{path}?at=2024-02-27T23:00:00+00:00")).await), [first]);

    let before = app.get(&format!("{path}?knownAt=2020-01-01T00:00:00Z")).await;
    assert_eq!((before.status, before.json()["code"].as_str()), (404, Some("nothing-known-then")));
    let item = app.json(&format!("{path}?item=13006265.2")).await;
    let about_it = |entry: &Value| entry["itemIds"].as_array().unwrap().contains(&json!("13006265.2"));
    assert!(item["entries"].as_array().unwrap().iter().all(about_it));
    assert!(!item["entries"].as_array().unwrap().is_empty());
    app.stop().await;
}

#[tokio::test]
async fn a_whole_timeline_has_the_form_of_the_contract() {
    let app = TestApp::start().await;
    app.post("/listener", body("10")).await;
    app.post("/listener", body("11")).await;
    let timeline = app.json("/api/v1/orders/00125512/timeline").await;
    insta::assert_snapshot!("timeline_00125512", as_text(timeline));
    app.stop().await;
}

#[tokio::test]
async fn an_order_id_that_senders_share_is_asked_for_with_the_sender() {
    let app = TestApp::start().await;
    app.post("/listener", body("02")).await;
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    let other = order_timeline::intake::Delivery::received_now(
        "another",
        "test",
        Vec::new(),
        order_timeline::intake::Body::Whole(body("01")),
    );
    order_timeline::intake::take(&app.database.store, &vocabulary, vec![other]).await.unwrap();
    let answer = app.get("/api/v1/orders/00228874").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json()["senders"], json!(["another", "bt-wholesale"]));
    assert_eq!(app.json("/api/v1/orders/00228874?sender=another").await["sender"], "another");
    assert_eq!(app.get("/api/v1/orders/00228874?sender=nobody").await.status, 404);
    assert_eq!(app.get("/api/v1/orders/nothing").await.json()["code"], "no-such-order");
    app.stop().await;
}

/// JSON for a snapshot, without what differs from run to run.
fn as_text(mut json: Value) -> String {
    redact(&mut json);
    serde_json::to_string_pretty(&json).unwrap()
}

fn redact(json: &mut Value) {
    match json {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| {
            if ["receivedAt", "lastReceivedAt", "knownFrom", "deliveryId"].contains(&name.as_str()) {
                *value = json!("[differs]");
            } else {
                redact(value);
            }
        }),
        Value::Array(members) => members.iter_mut().for_each(redact),
        _ => {}
    }
}

#[tokio::test]
async fn a_nul_in_an_address_is_no_trouble_of_the_database() {
    let app = TestApp::start().await;
    for path in ["/api/v1/orders/a%00b", "/api/v1/orders/a%00b/timeline?sender=x", "/api/v1/orders/%00/deliveries"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("no-such-order")), "{path}");
    }
    assert_eq!(app.get("/orders/a%00b").await.status, 404);
    for path in ["/api/v1/orders?q=%00", "/api/v1/orders?sender=a%00", "/api/v1/deliveries?sender=%00"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("bad-query")), "{path}");
    }
    for path in ["/?q=%00", "/orders/1?sender=%00", "/orders?limit=x", "/orders/1?colour=red", "/orders/1?at=%00"] {
        let answer = app.send("GET", path, &[("Accept", "text/html")], []).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (400, "text/html; charset=utf-8"), "{path}");
        assert!(answer.text().contains("<h1>Bad Request</h1>"), "a page's problem is a page: {}", answer.text());
    }
    let answer = app.post("/listener/%00?x=%00", body("00")).await;
    assert_eq!(answer.status, 200, "what is posted is kept, whatever the path: {}", answer.text());
    app.stop().await;
}
