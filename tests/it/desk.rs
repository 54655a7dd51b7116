//! The pages' addresses, by what they answer; what they look like is seen in a browser.

use crate::app::{TestApp, body};

#[tokio::test]
async fn a_single_hit_goes_straight_to_its_order() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let answer = app.get("/orders?q=BBONE0005347").await;
    assert_eq!(answer.status, 303);
    let order = answer.header("location").unwrap().to_owned();
    assert_eq!(order, "/orders/00228874?sender=bt-wholesale&q=BBONE0005347&by=service-id");
    assert!(app.get(&order).await.text().contains("Found by service id"));
    assert_eq!(app.get("/orders?q=BBONE0005347&state=completed").await.status, 200, "who filters wants a list");
    assert_eq!(app.get("/?q=BBONE0005347").await.header("location"), Some("/orders?q=BBONE0005347"));
    let forged = app.get("/orders/00228874?q=x&by=Call+0900+now").await.text();
    assert!(!forged.contains("0900 now</") && !forged.contains("Found by"), "a link puts no words on the page");
    app.stop().await;
}

#[tokio::test]
async fn the_list_is_taken_away_as_it_is_shown() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let hostile = r#"{"eventId":"1","event":{"productOrder":{"id":"=1+1","externalId":"a,\"b\""}}}"#;
    app.post("/listener", hostile).await;
    let csv = app.get("/orders.csv?sort=orderId").await;
    assert_eq!((csv.status, csv.content_type.as_str()), (200, "text/csv; charset=utf-8"));
    let text = csv.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 14);
    assert!(lines[0].starts_with("orderId,sender,externalId,state,"), "{}", lines[0]);
    assert!(lines[13].starts_with("\"'=1+1\",bt-wholesale,\"a,\"\"b\"\"\","), "{}", lines[13]);
    let missed = app.get("/orders.csv?attention=missed").await.text();
    assert!(missed.lines().count() > 1 && missed.contains("00104089"), "{missed}");
    assert!(missed.contains("7 Mar 2024 08:00–13:00,confirmed"), "{missed}");
    assert_eq!(app.get("/orders.csv?sort=random").await.status, 400);
    app.stop().await;
}

#[tokio::test]
async fn lists_by_id_go_page_by_page_either_way() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for (sort, up) in [("orderId", true), ("-orderId", false)] {
        let mut ids: Vec<String> = Vec::new();
        let mut path = format!("/api/v1/orders?sort={sort}&limit=5");
        loop {
            let page = app.json(&path).await;
            ids.extend(
                page["orders"].as_array().unwrap().iter().map(|one| one["orderId"].as_str().unwrap().to_owned()),
            );
            let Some(cursor) = page["nextCursor"].as_str() else { break };
            path = format!("/api/v1/orders?sort={sort}&limit=5&cursor={cursor}");
        }
        assert_eq!(ids.len(), 12);
        assert!(ids.is_sorted_by(|a, b| if up { a < b } else { a > b }), "{ids:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn ids_are_suggested_by_their_beginning() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let found = app.json("/suggestions?q=BBONE000").await;
    assert_eq!(found[0]["value"], "BBONE0005347");
    assert_eq!((found[0]["kind"].as_str(), found[0]["orderId"].as_str()), (Some("service id"), Some("00228874")));
    assert_eq!(app.json("/suggestions?q=B").await.as_array().unwrap().len(), 0, "a letter is no beginning");
    assert!(app.json("/suggestions?q=00").await.as_array().unwrap().len() <= 10);
    assert_eq!(app.json("/suggestions?q=%25%5F").await.as_array().unwrap().len(), 0, "signs of patterns are letters");
    app.stop().await;
}

#[tokio::test]
async fn queues_go_page_by_page_and_hold_each_reason_once() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let page = app.get("/attention").await.text();
    for (order, reason) in [("00104089", "missed"), ("00104089", "action needed"), ("00148807", "supplier cancelled")] {
        assert!(page.contains(order) && page.contains(reason), "{order}: {reason}");
    }
    let silent = app.get("/attention?reason=silent").await.text();
    assert!(silent.contains("Nothing heard for longer than the usual"), "{silent}");
    let missed = app.get("/visits?fault=customer").await.text();
    assert!(missed.contains("00104089") && !missed.contains("00125512"));
    assert!(app.get("/visits?fault=supplier").await.text().contains("00125512"));
    for path in ["/attention?reason=x", "/attention?after=x", "/visits?fault=x", "/visits?before=x", "/attention?x=y"] {
        let answer = app.send("GET", path, &[("Accept", "text/html")], []).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (400, "text/html; charset=utf-8"), "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn more_than_a_page_of_attention_is_shown_once_each() {
    let app = TestApp::start().await;
    let template = String::from_utf8(body("14")).unwrap();
    // All at the same moment: the key has to tell them apart.
    for number in 0..23 {
        let order = template.replace("00104089", &format!("7000{number:04}"));
        let order = order.replace("\"eventId\": \"", &format!("\"eventId\": \"{number}-"));
        assert_eq!(app.post("/listener", order).await.status, 200);
    }
    let mut shown: Vec<String> = Vec::new();
    let mut path = "/attention".to_owned();
    loop {
        let page = app.get(&path).await.text();
        let rows = page.split("<tr role=\"row\" data-walk>").skip(1);
        shown.extend(rows.map(|row| {
            let order = row.split("<bdi>").nth(1).unwrap().split("</bdi>").next().unwrap();
            let reason = row.split("class=\"label ").nth(1).unwrap().split('>').nth(1).unwrap();
            format!("{order} {reason}")
        }));
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    let reasons = app.database.rows("select count(*) as n from attention").await[0]["n"].as_u64().unwrap();
    assert!(reasons > 100, "two pages and more: {reasons}");
    assert_eq!(shown.len() as u64, reasons);
    let all = shown.len();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), all);
    app.stop().await;
}

#[tokio::test]
async fn settings_lead_back_to_a_page_of_ours_only() {
    let app = TestApp::start().await;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for (back, expected) in [
        ("%2Forders%3Fq%3D1", "/orders?q=1"),
        ("https%3A%2F%2Fevil.example%2F", "/"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("%2Fa%0D%0AX%3A+y", "/"),
    ] {
        let answer = app.send("POST", "/settings", &form, format!("zone=UTC&back={back}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(expected)), "{back}");
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("zone=UTC;") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    }
    let page = app.send("GET", "/", &[("Cookie", "a=b; zone=UTC")], []).await.text();
    assert!(page.contains("data-zone=\"UTC\""));
    app.stop().await;
}

#[tokio::test]
async fn files_of_the_pages_are_kept_for_long_and_all_else_is_not() {
    let app = TestApp::start().await;
    let page = app.get("/").await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    let files: Vec<&str> = text.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let answer = app.get(&format!("/assets/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"), "{file}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(app.get("/assets/desk.css").await.status, 404, "without its hash a file has no address");
    app.stop().await;
}

#[tokio::test]
async fn another_sites_page_reads_nothing_again() {
    let app = TestApp::start().await;
    let id = app.post("/listener", body("02")).await.json()["deliveryId"].as_str().unwrap().to_owned();
    let path = format!("/deliveries/{id}/retry");
    assert_eq!(app.send("POST", &path, &[("Sec-Fetch-Site", "cross-site")], []).await.status, 403);
    let answer = app.send("POST", &path, &[("Sec-Fetch-Site", "same-origin")], []).await;
    assert_eq!(answer.header("location"), Some(format!("/deliveries/{id}?retried=as-before").as_str()));
    assert_eq!(app.get(&path).await.status, 405);
    let nobody = "/deliveries/018f0000-0000-7000-8000-000000000000/retry";
    assert_eq!(app.send("POST", nobody, &[], []).await.status, 404);
    app.stop().await;
}

#[tokio::test]
async fn a_page_of_fifty_events_is_small() {
    let app = TestApp::start().await;
    let mut event: serde_json::Value = serde_json::from_slice(&body("07")).unwrap();
    for number in 0..50 {
        event["eventId"] = format!("event-{number}").into();
        event["eventTime"] = format!("2026-0{}-{:02}T10:00:00.000Z", 1 + number / 10, 1 + number % 10).into();
        // One item moves on at a time; a date moves now and then, and every second event has a message.
        let items = event["event"]["productOrder"]["productOrderItem"].as_array_mut().unwrap();
        let item = number % items.len();
        let sub_statuses = ["PendingWithBTWwBC", "AcceptedByBTWwBC", "CommittedByBTWwBC", "DelayedBySupplier"];
        items[item]["subStatus"] = sub_statuses[number / items.len() % 4].into();
        if number % 5 == 0 {
            items[item]["expectedCompletionDate"] = format!("2026-09-{:02}T23:59:59.000Z", 1 + number % 28).into();
        }
        let message = serde_json::json!({
            "subCode": "101096",
            "message": "Informational : 101096 : Further Openreach work required. Await info",
            "productOrderItem": { "itemId": items[item]["id"] },
        });
        event["event"]["productOrder"]["errorMessage"] =
            if number % 2 == 0 { message } else { serde_json::Value::Null };
        assert_eq!(app.post("/listener", event.to_string()).await.status, 200);
    }
    let page = app.get("/orders/00228874").await;
    assert_eq!(page.text().matches("<section class=\"event").count(), 50);
    assert!(page.body.len() < 100 * 1024, "{} bytes", page.body.len());
    app.stop().await;
}
