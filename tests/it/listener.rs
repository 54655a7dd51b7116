use serde_json::{Value, json};

use crate::app::{TestApp, bodies, body};

#[tokio::test]
async fn a_delivery_is_in_its_timeline_before_it_is_acknowledged() {
    let app = TestApp::start().await;
    let answer = app.post("/listener/productOrderStateChangeEvent", body("02")).await;
    assert_eq!(answer.status, 200);
    let receipt = answer.json();
    assert_eq!(receipt["outcome"], "applied");
    assert_eq!(receipt["orderId"], "00228874");
    assert_eq!(receipt["eventId"], "4436987f-de1e-a99f-54fa-d9287e3b1525");
    assert_eq!(receipt["oddities"], json!([]));
    assert_eq!(receipt["duplicateOf"], Value::Null);

    let timeline = app.json("/api/v1/orders/00228874/timeline").await;
    let entry = timeline["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["kind"] == "item-state" && entry["itemIds"] == json!(["100.2"]))
        .unwrap();
    assert_eq!(entry["at"], "2023-02-13T09:21:10.188Z");
    assert_eq!(entry["to"], "completed");
    assert_eq!(entry["from"], Value::Null);
    assert_eq!(entry["text"], "IP address item 100.2: completed (Closed)");
    assert_eq!(entry["deliveryId"], receipt["deliveryId"]);
    app.stop().await;
}

#[tokio::test]
async fn a_delivery_is_kept_byte_for_byte_with_its_headers_redacted() {
    let app = TestApp::start().await;
    let headers = [
        ("Authorization", "Bearer hush"),
        ("X-Api-Key", "hush"),
        ("Traceparent", "00-7-7-00"),
        ("Cookie", "a=hush"),
        ("X-Pass", "hush"),
        ("X-Jwt", "hush"),
    ];
    for (name, bytes) in bodies("bt-wholesale") {
        let receipt = app.send("POST", "/listener", &headers, bytes.clone()).await.json();
        let id = receipt["deliveryId"].as_str().unwrap();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, bytes, "{name}");
        let delivery = app.json(&format!("/api/v1/deliveries/{id}")).await;
        assert_eq!(delivery["outcome"], "applied", "{name}");
        let kept = delivery["headers"].as_array().unwrap();
        assert!(kept.contains(&json!({ "name": "traceparent", "value": "00-7-7-00" })), "{delivery}");
        assert!(kept.contains(&json!({ "name": "x-pass", "value": "[redacted]" })), "{delivery}");
        assert!(!delivery.to_string().contains("hush"), "{delivery}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_event_is_a_duplicate_in_whatever_form_it_is_written() {
    let app = TestApp::start().await;
    let first = app.post("/listener", body("04")).await.json();
    let before = app.json("/api/v1/orders/00228874/timeline").await;
    let again = app.post("/listener", body("04")).await.json();
    assert_eq!(again["outcome"], "duplicate");
    assert_eq!(again["duplicateOf"], first["deliveryId"]);
    // JSON equality, not bytes.
    let minified: Value = serde_json::from_slice(&body("04")).unwrap();
    let again = app.post("/listener", minified.to_string()).await.json();
    assert_eq!(again["outcome"], "duplicate");
    assert_eq!(app.json("/api/v1/orders/00228874/timeline").await, before);
    app.stop().await;
}

#[tokio::test]
async fn an_event_that_comes_again_with_other_content_is_a_conflict_that_the_timeline_tells() {
    let app = TestApp::start().await;
    let first = app.post("/listener", body("02")).await.json();
    let other = String::from_utf8(body("02")).unwrap().replace("\"completed\"", "\"failed\"");
    let conflict = app.post("/listener", other.clone()).await.json();
    assert_eq!(conflict["outcome"], "conflict");
    assert_eq!(conflict["duplicateOf"], first["deliveryId"]);
    let again = app.post("/listener", other).await.json();
    assert_eq!(again["outcome"], "duplicate");
    assert_eq!(again["duplicateOf"], conflict["deliveryId"]);

    let timeline = app.json("/api/v1/orders/00228874/timeline").await;
    let told: Vec<&Value> =
        timeline["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "conflict").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["deliveryId"], conflict["deliveryId"]);
    assert!(!timeline.to_string().contains("\"failed\""), "the content received first counts");
    app.stop().await;
}

#[tokio::test]
async fn fifty_copies_at_once_are_one_event() {
    let app = TestApp::start().await;
    let copies = (0..50).map(|_| app.post("/listener", body("09")));
    let answers = futures_util::future::join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    // The one received first counts, which need not be the one that was first in the database.
    let outcomes = app.database.rows("select outcome, count(*) as n from delivery group by outcome").await;
    assert_eq!(outcomes, [json!({ "outcome": "applied", "n": 1 }), json!({ "outcome": "duplicate", "n": 49 })]);
    let first = "select d.outcome from delivery d order by d.received_at, d.delivery_id limit 1";
    assert_eq!(app.database.rows(first).await, [json!({ "outcome": "applied" })]);
    assert_eq!(app.database.rows("select * from event").await.len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn the_acknowledging_status_is_a_setting() {
    let app = TestApp::with(|app| app.ack_status = 204).await;
    let answer = app.post("/listener", body("00")).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    app.stop().await;
}

#[tokio::test]
async fn json_that_cannot_be_placed_is_acknowledged_and_kept_with_the_reason() {
    let app = TestApp::start().await;
    for (body, code, path) in [
        ("{}", "no-order", "event"),
        ("[]", "no-order", "$"),
        ("7", "no-order", "$"),
        ("null", "no-order", "$"),
        (r#"{"event": 1}"#, "no-order", "event"),
        (r#"{"event": {}}"#, "no-order", "event.productOrder"),
        (r#"{"event": {"productOrder": {}}}"#, "no-order", "event.productOrder.id"),
        (r#"{"event": {"productOrder": {"id": ""}}}"#, "no-order", "event.productOrder.id"),
        (r#"{"event": {"productOrder": {"id": {"a": 1}}}}"#, "no-order", "event.productOrder.id"),
    ] {
        let answer = app.post("/listener", body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        let receipt = answer.json();
        assert_eq!(receipt["outcome"], "quarantined", "{body}");
        assert_eq!(receipt["reasonCode"], code, "{body}");
        assert_eq!(receipt["reasonPath"], path, "{body}");
        let id = receipt["deliveryId"].as_str().unwrap();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.text(), body);
    }
    let quarantined = app.json("/api/v1/deliveries?outcome=quarantined").await;
    assert_eq!(quarantined["deliveries"].as_array().unwrap().len(), 9);
    app.stop().await;
}

#[tokio::test]
async fn what_is_not_json_is_refused_but_kept() {
    let app = TestApp::start().await;
    let broken: [&[u8]; 7] =
        [b"", b"   ", b"hello", b"{\"event\":", b"{\"a\": \"\xFF\xFE\"}", b"\0\0\0", b"{\"a\": 'single'}"];
    for bytes in broken {
        let answer = app.post("/listener", bytes).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.content_type, "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["code"], "not-json");
        let id = problem["deliveryId"].as_str().unwrap();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, bytes);
    }
    assert_eq!(app.post("/listener", body("00")).await.status, 200, "the next one is served");
    app.stop().await;
}

#[tokio::test]
async fn hostile_json_is_never_an_error_of_the_service() {
    let app = TestApp::start().await;
    let event =
        |id: &str, rest: &str| format!(r#"{{"event":{{"productOrder":{{"id":"{id}"{rest}}}}},"eventId":"{id}"}}"#);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let many = (0..5_000).map(|n| format!(r#"{{"id":"{n}","state":"inProgress"}}"#)).collect::<Vec<_>>().join(",");
    for (name, body, outcome) in [
        ("NUL in an id", event(r"a\u0000b", ""), "applied"),
        ("NUL in a state", event("nul", r#","productOrderItem":{"id":"1","state":"in\u0000"}"#), "applied"),
        (
            "half a surrogate pair",
            event("half", r#","errorMessage":{"subCode":"1","message":"\ud800 text"}"#),
            "applied",
        ),
        ("a number beyond a double", event("huge", r#","x":1e400"#), "applied"),
        ("depth", event("deep", &format!(r#","x":{deep}"#)), "quarantined"),
        ("twins", event("twin", r#","state":"a","state":"b""#), "applied"),
        (
            "wrong types",
            event("odd", r#","productOrderItem":"x","relatedParty":7,"errorMessage":[1,"a",null,[]]"#),
            "applied",
        ),
        ("an id of 300 bytes", event(&"9".repeat(300), ""), "quarantined"),
        ("a state of 100,000 letters", event("long", &format!(r#","state":"{}""#, "x".repeat(100_000))), "applied"),
        (
            "a characteristic of 100,000 letters",
            event(
                "char",
                &format!(
                    r#","productOrderItem":{{"id":"1","product":{{"productCharacteristic":{{"name":"n","value":"{}"}}}}}}"#,
                    "y".repeat(100_000)
                ),
            ),
            "applied",
        ),
        (
            "an internal id of 9,000 letters",
            event("intern", &format!(r#","productOrderItem":{{"id":"1","internalId":"{}"}}"#, "z".repeat(9_000))),
            "applied",
        ),
        (
            "years far away",
            event(
                "year",
                r#","expectedCompletionDate":"9999-12-31T23:59:59Z","productOrderItem":{"id":"1","expectedCompletionDate":"0000-01-01T00:00:00Z"}"#,
            ),
            "applied",
        ),
        ("5,000 items", event("many", &format!(r#","productOrderItem":[{many}]"#)), "applied"),
        (
            "quotes and backslashes in item ids",
            event("quote", r#","productOrderItem":{"id":"a\"b\\c,{}","state":"s"}"#),
            "applied",
        ),
        (
            "items that contain each other",
            event(
                "circle",
                r#","productOrderItem":{"id":"1","productOrderItem":{"id":"2","productOrderItem":{"id":"1"}}}"#,
            ),
            "applied",
        ),
    ] {
        let answer = app.post("/listener", body.clone()).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.json()["outcome"], outcome, "{name}: {}", answer.text());
        let id = answer.json()["deliveryId"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.text(), body, "{name}");
    }
    let quoted = app.json("/api/v1/orders/quote").await;
    assert_eq!(quoted["items"][0]["itemId"], "a\"b\\c,{}");
    let timeline = app.json("/api/v1/orders/quote/timeline").await;
    assert_eq!(timeline["entries"][0]["itemIds"], json!(["a\"b\\c,{}"]));
    app.stop().await;
}

#[tokio::test]
async fn items_nested_without_end_can_be_looked_at() {
    let app = TestApp::start().await;
    // Each item is named by the one before: no body nests so deep, but a list of pairs can say it.
    let pairs =
        |last: usize| (0..last).map(|n| format!(r#"{{"id":"i{n}","productOrderItem":[{{"id":"i{}"}}]}}"#, n + 1));
    let chain = pairs(3_000).collect::<Vec<_>>().join(",");
    let circle = format!(r#"{chain},{{"id":"i3000","productOrderItem":[{{"id":"i0"}}]}}"#);
    for (id, items) in [("chain", chain), ("circle", circle)] {
        let body =
            format!(r#"{{"event":{{"productOrder":{{"id":"{id}","productOrderItem":[{items}]}}}},"eventId":"{id}"}}"#);
        assert_eq!(app.post("/listener", body).await.json()["outcome"], "applied");
        assert_eq!(app.get(&format!("/orders/{id}")).await.status, 200);
        assert_eq!(app.get(&format!("/api/v1/orders/{id}/timeline")).await.status, 200);
        assert_eq!(app.json(&format!("/api/v1/orders/{id}")).await["state"], "acknowledged");
    }
    app.stop().await;
}

#[tokio::test]
async fn ten_megabytes_are_taken_and_more_than_the_limit_is_kept_in_part() {
    let app = TestApp::start().await;
    let padding = "x".repeat(10 * 1024 * 1024);
    let large = format!(r#"{{"event":{{"productOrder":{{"id":"large"}}}},"padding":"{padding}"}}"#);
    let answer = app.post("/listener", large).await;
    assert_eq!((answer.status, answer.json()["outcome"].as_str()), (200, Some("applied")));

    let too_large = vec![b'x'; 17 * 1024 * 1024];
    let answer = app.post("/listener", too_large.clone()).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["code"], "too-large");
    let id = answer.json()["deliveryId"].as_str().unwrap().to_owned();
    let delivery = app.json(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(delivery["bodyLength"], 17 * 1024 * 1024);
    let body_hash = order_timeline::wire::body_hash(&too_large);
    let hash: String = body_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(delivery["bodyHash"], hash);
    let kept = app.get(&format!("/api/v1/deliveries/{id}/body")).await;
    assert_eq!(kept.body, vec![b'x'; 64 * 1024]);
    app.stop().await;
}
