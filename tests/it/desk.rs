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
        let ids = app.ids_listed(&format!("sort={sort}&limit=5")).await;
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
async fn ids_are_found_however_they_are_typed() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for typed in ["228874", "0228874", "000228874", "bbone0005347", "622fttpnewontPREPROD", "4130382", "ont0073999999"]
    {
        let answer = app.get(&format!("/orders?q={typed}")).await;
        let order = answer.header("location").unwrap_or_default();
        assert!(order.starts_with("/orders/00228874?"), "{typed}: {} {order}", answer.status);
        let hits = app.json(&format!("/api/v1/orders?q={typed}")).await;
        assert_eq!(hits["orders"][0]["orderId"], "00228874", "{typed}");
    }
    for copied in ["BBONE+0005347", "bbone0005347.", "BBONE%C2%A00005347%E2%80%9D,", "BBONE000+53."] {
        let page = app.get(&format!("/orders?q={copied}")).await;
        let found = page.header("location").is_some_and(|order| order.starts_with("/orders/00228874?"));
        assert!(found || page.text().contains("00228874"), "{copied}");
    }
    assert_eq!(app.json("/suggestions?q=BBONE+0005").await[0]["value"], "BBONE0005347");
    let whole = app.get("/orders?q=28916D57-C84E-D159-7A39-501365E45F96").await;
    assert!(whole.header("location").unwrap().ends_with("&by=event-id"));
    let page = app.get("/orders?q=28916D57").await.text();
    assert!(page.contains("event id 28916d57-c84e-d159-7a39-501365e45f96") && page.contains("00228874"), "{page}");
    let none = app.get("/orders?q=28916").await.text();
    assert!(none.contains("No order has the id"), "five letters are the beginning of too many");
    let suggested = app.json("/suggestions?q=bbone0005").await;
    assert_eq!(suggested[0]["value"], "BBONE0005347");
    assert_eq!(app.json("/suggestions?q=22887").await[0]["value"], "00228874");
    assert_eq!(app.json("/suggestions?q=28916d57").await[0]["kind"], "event id");
    app.stop().await;
}

/// What stands between a mark and the next quote, as a browser reads it.
fn quoted(page: &str, mark: &str) -> String {
    let rest = page.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {page}")).1;
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test]
async fn a_lists_links_keep_all_that_it_was_asked_for() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let asked = "/orders?offering=E0000021&limit=1&sort=orderId";
    let page = app.get(asked).await.text();
    for mark in ["rel=\"next\" href=\"", "<p class=\"actions\"><a href=\"", "class=\"sort\" href=\""] {
        let address = quoted(&page, mark);
        assert!(address.contains("offering=E0000021") && address.contains("limit=1"), "{mark}: {address}");
    }
    assert!(page.contains("name=\"offering\" value=\"E0000021\"") && page.contains("name=\"limit\" value=\"1\""));
    let csv = app.get(&quoted(&page, "<p class=\"actions\"><a href=\"")).await.text();
    let listed = app.json("/api/v1/orders?offering=E0000021&limit=500").await["orders"].as_array().unwrap().len();
    let all = app.json("/api/v1/orders?limit=500").await["orders"].as_array().unwrap().len();
    assert_eq!(csv.lines().count() - 1, listed);
    assert!((1..all).contains(&listed), "{listed} of {all}");
    app.stop().await;
}

#[tokio::test]
async fn a_long_list_is_taken_away_whole() {
    let app = TestApp::start().await;
    app.post("/listener", body("14")).await;
    app.database
        .execute(
            "insert into product_order
             select (r).* from (select jsonb_populate_record(o, jsonb_build_object('order_key', gen_random_uuid(),
                 'order_id', 'copy-' || n)) as r from product_order o, generate_series(1, 10500) n) copies",
        )
        .await;
    let csv = app.get("/orders.csv").await;
    assert_eq!(csv.text().lines().count(), 10_502, "a head, the order and its copies");
    app.stop().await;
}

#[tokio::test]
async fn lists_by_state_go_page_by_page_either_way() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for (sort, up) in [("state", true), ("-state", false)] {
        let text = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap().to_lowercase();
        let orders = app.listed(&format!("sort={sort}&limit=5")).await;
        let states: Vec<(String, String)> =
            orders.iter().map(|one| (text(one, "state"), text(one, "lastEventAt"))).collect();
        assert_eq!(states.len(), 12);
        assert!(states.is_sorted_by(|a, b| if up { a <= b } else { a >= b }), "{states:?}");
        assert!(states.first().unwrap().0 != states.last().unwrap().0);
    }
    app.stop().await;
}

#[tokio::test]
async fn an_order_is_silent_everywhere_since_the_same_day() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let order = app.json("/api/v1/orders/00104089").await;
    let silent = order["attention"].as_array().unwrap().iter().find(|one| one["reason"] == "silent").unwrap().clone();
    let since = silent["since"].as_str().unwrap();
    assert!(since > order["lastEventAt"].as_str().unwrap(), "{since}: later than what was heard last");
    let list = app.get("/orders?attention=silent").await.text();
    let row =
        |page: &str| page.split("<tr role=\"row\" data-walk>").find(|row| row.contains("00104089")).unwrap().to_owned();
    assert!(row(&list).contains("silent"), "{}", row(&list));
    for page in [app.get("/attention?reason=silent").await.text(), app.get("/attention").await.text()] {
        let row = row(&page);
        assert!(row.contains(&format!("datetime=\"{since}\"")), "{since}: {row}");
        assert!(row.contains(silent["why"].as_str().unwrap()), "{row}");
    }
    let page = app.get("/orders/00104089").await.text();
    assert!(page.contains(&format!("datetime=\"{since}\"")) && page.contains(silent["why"].as_str().unwrap()));
    app.stop().await;
}

#[tokio::test]
async fn a_time_of_a_form_becomes_an_address_in_utc() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for (asked, expected) in [
        ("at=2024-03-31T09:00&knownAt=&zone=Europe/London", "at=2024-03-31T08:00:00.000Z"),
        ("at=2024-01-31T09:00:01.5&zone=Europe/London", "at=2024-01-31T09:00:01.500Z"),
        ("at=&knownAt=2024-03-31T09:00&zone=UTC&kind=message", "kind=message&knownAt=2024-03-31T09:00:00.000Z"),
        ("at=2024-03-31T09:00:00Z&zone=Europe/London", "at=2024-03-31T09:00:00Z"),
        // Clocks went back, and the field was not touched, or it was.
        ("at=2023-10-29T01:30&atFilled=2023-10-29T01:30:00Z&zone=Europe/London", "at=2023-10-29T01:30:00.000Z"),
        ("at=2023-10-29T01:31&atFilled=2023-10-29T01:30:00Z&zone=Europe/London", "at=2023-10-29T00:31:00.000Z"),
    ] {
        let answer = app.get(&format!("/orders/00104089?sender=bt-wholesale&{asked}")).await;
        let address = format!("/orders/00104089?sender=bt-wholesale&{expected}");
        assert_eq!((answer.status, answer.header("location")), (303, Some(address.as_str())), "{asked}");
    }
    let page = app.get("/orders/00104089?at=2024-03-31T08:00:00Z").await.text();
    assert!(page.contains("name=\"at\" step=\"any\" value=\"2024-03-31T09:00:00\""), "the field shows London's time");
    assert!(page.contains("name=\"atFilled\" value=\"2024-03-31T08:00:00.000Z\""), "and what it was filled with");
    let json = quoted(&page, "as JSON: <a href=\"");
    assert_eq!(json, "/api/v1/orders/00104089?sender=bt-wholesale&at=2024-03-31T08:00:00Z", "the same moment as data");
    let past = app.get("/orders/00228874?at=2023-02-13T10:00:00Z").await.text();
    let stops = quoted(&past, "data-moments=\"");
    assert_eq!(stops.split(' ').count(), 9, "the slider leads to what came later, too: {stops}");
    app.stop().await;
}

#[tokio::test]
async fn what_is_read_is_compressed_for_those_who_take_it() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for path in ["/", "/orders/00228874", "/api/v1/orders/00228874/timeline", "/orders.csv"] {
        let plain = app.get(path).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let packed = app.send("GET", path, &[("Accept-Encoding", "gzip")], []).await;
        assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")), "{path}");
        assert!(packed.body.len() * 2 < plain.body.len(), "{path}: {} of {}", packed.body.len(), plain.body.len());
    }
    let receipt = app.send("POST", "/listener", &[("Accept-Encoding", "gzip")], body("02")).await;
    assert_eq!(receipt.header("content-encoding"), None, "senders get what they always got");
    app.stop().await;
}

#[tokio::test]
async fn what_goes_wrong_is_said_in_peoples_words() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    for (path, words) in [
        ("/orders?nonsense=1", "there is no parameter “nonsense” here; those that there are: q, state"),
        ("/orders?limit=many", "is to be a number"),
        ("/deliveries/018f0000-0000-7000-8000-000000000000/difference", "the parameter “with” is missing"),
        ("/deliveries/nonsense", "“nonsense” is no delivery’s id"),
    ] {
        let answer = app.send("GET", path, &[("Accept", "text/html")], []).await;
        assert_eq!(answer.status, 400, "{path}");
        let page = answer.text();
        assert!(page.contains(words), "{path}: {page}");
        assert!(!page.contains("deserialize") && !page.contains("parsing"), "{path}");
    }
    let docs = app.get("/docs").await.text();
    assert!(docs.contains("<code>hello</code> comes first") && !docs.contains('`'), "what is code is shown as code");
    app.stop().await;
}

#[tokio::test]
async fn whoever_reads_a_page_while_the_database_is_away_has_sent_nothing() {
    let app = TestApp::with(|app| {
        let nowhere = sqlx::postgres::PgConnectOptions::new().socket("/nothing/there").username("x");
        app.store = order_timeline::store::Store::connect(nowhere, 2);
    })
    .await;
    let page = app.send("GET", "/orders", &[("Accept", "text/html")], []).await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("Nothing that was received is lost"), "{}", page.text());
    assert!(!page.text().contains("Retry-After"), "{}", page.text());
    app.stop().await;
}

#[tokio::test]
async fn pages_say_who_is_signed_in_and_offer_what_they_may_do() {
    let (app, told) = TestApp::after(&["keys add reader", "keys add chief --scope operate"], |_| {}).await;
    let id = uuid::Uuid::now_v7();
    app.database
        .execute(&format!(
            "insert into delivery (order_key, delivery_id, sender, received_at, origin, headers, body_length, body_hash,
                 outcome, reason_code, reason, reason_path, oddities)
             values (gen_random_uuid(), '{id}', 'bt-wholesale', now(), '/listener', '[]', 2, '', 'quarantined',
                 'no-order', 'the body names no order', 'event', '[]')"
        ))
        .await;
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    for (told, name, may_operate) in [(&told[0], "reader", false), (&told[1], "chief", true)] {
        let key = told["key"].as_str().unwrap();
        let signed_in = app.send("POST", "/sign-in", &form, format!("key={key}")).await;
        let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let asked = [("Cookie", cookie.as_str()), ("Accept", "text/html")];
        for path in ["/deliveries?outcome=quarantined".to_owned(), format!("/deliveries/{id}")] {
            let page = app.send("GET", &path, &asked, []).await.text();
            assert!(page.contains(&format!("<bdi title=\"{name}\">{name}</bdi>")), "{path}: {page}");
            assert!(page.contains("action=\"/sign-out\""), "{path}");
            assert!(!path.contains(&id.to_string()) || page.contains("The body is no longer kept"), "{page}");
            assert_eq!(page.contains("Read again"), may_operate, "{path} for {name}");
            assert_eq!(page.contains("Reading one again is for operators"), !may_operate, "{path} for {name}");
        }
        let queue = app.send("GET", "/deliveries?outcome=quarantined", &asked, []).await.text();
        assert!(queue.contains("Where in the body") && queue.contains("<code>event</code>"), "{queue}");
        let head = queue.split("</thead>").next().unwrap();
        assert!(!head.contains("Where in the body"), "what few bodies have takes no column's room: {head}");
        let problem = app.send("GET", "/orders/nobody", &asked, []).await.text();
        assert!(problem.contains(&format!("title=\"{name}\"")), "{problem}");
    }
    let stranger = app.get("/sign-in").await.text();
    assert!(!stranger.contains("/sign-out") && !stranger.contains("href=\"/orders\""), "{stranger}");
    app.stop().await;
}

#[tokio::test]
async fn queues_are_told_apart_by_reason_and_fault() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let page = app.get("/attention").await.text();
    for (order, reason) in [("00104089", "missed"), ("00104089", "action needed"), ("00086096", "supplier cancelled")] {
        assert!(page.contains(order) && page.contains(reason), "{order}: {reason}");
    }
    let silent = app.get("/attention?reason=silent").await.text();
    assert!(silent.contains("Nothing heard since"), "{silent}");
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
async fn an_order_stands_in_the_queue_once_the_weightiest_first_with_its_other_reasons() {
    let app = TestApp::start().await;
    let template = String::from_utf8(body("14")).unwrap();
    // All at the same moment: the key has to tell them apart.
    for number in 0..63 {
        let order = template.replace("00104089", &format!("7000{number:04}"));
        let order = order.replace("\"eventId\": \"", &format!("\"eventId\": \"{number}-"));
        assert_eq!(app.post("/listener", order).await.status, 200);
    }
    // The supplier cancelled this one, long before: less weighty.
    app.post("/listener", body("19")).await;
    let mut shown: Vec<(String, Vec<String>)> = Vec::new();
    let mut path = "/attention".to_owned();
    loop {
        let page = app.get(&path).await.text();
        let rows = page.split("<tr role=\"row\" data-walk>").skip(1);
        shown.extend(rows.map(|row| {
            let order = row.split("<bdi>").nth(1).unwrap().split("</bdi>").next().unwrap();
            let labels = row.split("class=\"label ").skip(1);
            let words = labels.map(|label| label.split(['>', '<']).nth(1).unwrap().to_owned());
            (order.to_owned(), words.collect())
        }));
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(shown.len(), 64, "two pages");
    let (last, reasons) = shown.pop().unwrap();
    assert_eq!((last.as_str(), reasons[0].as_str()), ("00086096", "supplier cancelled"), "{reasons:?}");
    for (order, reasons) in &shown {
        let expected =
            ["action needed", "missed", "access failed", "contradiction", "flagged", "silent", "in progress"];
        assert_eq!(reasons, &expected, "{order}: the weightiest first, and its state");
    }
    let orders: std::collections::BTreeSet<&String> = shown.iter().map(|(order, _)| order).collect();
    assert_eq!(orders.len(), 63, "each once");
    let home = app.get("/").await.text();
    assert!(home.contains("<strong>64</strong><span>orders need attention</span>"), "{home}");
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

#[tokio::test]
async fn what_comes_next_counts_from_the_moment_shown_and_only_while_the_order_goes_on() {
    let app = TestApp::start().await;
    let event = |order: &str, id: &str, at: &str, state: &str, hour: &str| {
        serde_json::json!({ "eventId": id, "eventTime": at, "event": { "productOrder": { "id": order, "productOrderItem": [
            { "id": "1", "state": state, "appointment": { "appointmentStatus": "Booked",
                "appointmentStart": hour.replace("hh", "08"), "appointmentFinish": hour.replace("hh", "13") } },
        ] } } })
        .to_string()
    };
    for (order, id, at, state, hour) in [
        ("open", "1", "2024-01-01T09:00:00Z", "inProgress", "2024-02-05Thh:00:00Z"),
        ("open", "2", "2024-03-01T09:00:00Z", "inProgress", "2099-03-05Thh:00:00Z"),
        ("over", "3", "2024-01-01T09:00:00Z", "cancelled", "2099-04-05Thh:00:00Z"),
    ] {
        assert_eq!(app.post("/listener", event(order, id, at, state, hour)).await.status, 200);
    }
    let told = async |path: &str| {
        let page = app.get(path).await.text();
        let names = ["Next appointment", "Appointment", "Last appointment"];
        let (name, rest) = names
            .iter()
            .find_map(|name| Some((*name, page.split_once(&format!("<dt>{name}</dt><dd>"))?.1.to_owned())))
            .unwrap_or_else(|| panic!("no appointment in {page}"));
        (name, rest.split("</dd>").next().unwrap().to_owned())
    };
    assert_eq!(told("/orders/open").await.0, "Next appointment");
    let (name, then) = told("/orders/open?at=2024-01-02T00:00:00Z").await;
    assert!(name == "Next appointment" && then.starts_with("5 Feb 2024"), "{name}: {then}");
    let (name, then) = told("/orders/open?at=2024-02-06T00:00:00Z").await;
    assert!(name == "Last appointment" && then.starts_with("5 Feb 2024"), "{name}: {then}");
    let (name, over) = told("/orders/over").await;
    assert!(name == "Appointment" && over.contains("the order has ended"), "{name}: {over}");
    let list = app.get("/orders").await.text();
    let coming: Vec<&str> = list.split("<span class=\"coming\">").skip(1).collect();
    assert!(coming.len() == 1 && coming[0].starts_with("5 Mar 2099"), "{list}");
    app.stop().await;
}

#[tokio::test]
async fn a_time_before_anything_was_known_says_so_and_leads_back() {
    let app = TestApp::start().await;
    app.post("/listener", body("14")).await;
    for (asked, words) in [
        ("knownAt=2019-07-01T08:00:00Z", "Nothing was known of it yet at"),
        ("at=2019-07-01T08:00:00Z", "Nothing had happened to it yet at"),
        ("at=2019-07-01T08:00:00Z&knownAt=2019-07-01T08:00:00Z", "nothing was known yet at"),
    ] {
        let answer = app.get(&format!("/orders/00104089?{asked}")).await;
        assert_eq!(answer.status, 404, "{asked}");
        let page = answer.text();
        assert!(page.contains("Order <bdi>00104089</bdi>: nothing known yet</h1>"), "{page}");
        assert!(page.contains(words) && page.contains("Mon 1 Jul 2019, 09:00:00 BST"), "{asked}: {page}");
        assert!(page.contains("First heard of on "), "{page}");
        for (link, is_past) in
            [("Show now", false), ("As we first knew it", true), ("As it was at its first event", true)]
        {
            let before = page.split(&format!("\">{link}</a>")).next().unwrap();
            let address = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
            let led = app.get(&address).await;
            assert_eq!(led.status, 200, "{link}: {address}");
            assert_eq!(led.text().contains("Not now: "), is_past, "{link}");
        }
        let problem = app.get(&format!("/api/v1/orders/00104089?{asked}")).await;
        assert_eq!((problem.status, problem.json()["code"].as_str()), (404, Some("nothing-known-then")), "{asked}");
    }
    assert!(app.get("/orders/nobody?at=2019-07-01T08:00:00Z").await.text().contains("has been heard of"));
    app.stop().await;
}

#[tokio::test]
async fn values_of_hundreds_of_letters_are_cut_where_few_words_are_expected() {
    let app = TestApp::start().await;
    let long = "L".repeat(200);
    let order = serde_json::json!({ "eventId": "1", "event": { "productOrder": { "id": "long",
        "relatedParty": { "id": "CUG1", "role": format!("Role{long}") },
        "productOrderItem": [{ "id": format!("I{long}"), "productOffering": { "id": format!("OFF{long}") },
            "appointment": { "appointmentStatus": format!("Status{long}"),
                "appointmentStart": "2024-02-05T08:00:00Z", "appointmentFinish": "2024-02-05T13:00:00Z" } }] } } });
    assert_eq!(app.post("/listener", order.to_string()).await.status, 200);
    let cut = |beginning: &str| format!("{beginning}{}…", "L".repeat(60 - beginning.len()));
    let list = app.get("/orders").await.text();
    let page = app.get("/orders/long").await.text();
    let list_and_page = [("OFF", &list), ("OFF", &page), ("Role", &page)];
    for (beginning, page) in list_and_page {
        let whole = format!("title=\"{beginning}{long}\"");
        assert!(page.contains(&whole) && page.contains(&format!("<bdi>{}</bdi>", cut(beginning))), "{page}");
    }
    for page in [&list, &page] {
        assert!(page.contains(&format!("title=\"status {long}\"")), "{page}");
    }
    let option = page.split("<option ").find(|option| option.contains(&format!("value=\"I{long}\""))).unwrap();
    assert!(option.contains(&format!("title=\"Item I{long}\">{}</option>", cut("Item I"))), "{option}");
    app.stop().await;
}

#[tokio::test]
async fn reading_again_without_success_says_why_and_when_it_helps() {
    let app = TestApp::start().await;
    let bad = app.post("/listener", r#"{"event":{"productOrder":{}}}"#).await.json();
    let good = app.post("/listener", body("02")).await.json();
    let told = async |receipt: &serde_json::Value| {
        let path = format!("/deliveries/{}/retry", receipt["deliveryId"].as_str().unwrap());
        let answer = app.send("POST", &path, &[("Sec-Fetch-Site", "same-origin")], []).await;
        let page = app.get(answer.header("location").unwrap()).await.text();
        page.split("class=\"banner\" role=\"status\">").nth(1).unwrap().split("</p>").next().unwrap().to_owned()
    };
    let why = told(&bad).await;
    assert!(why.contains("the same as before, quarantined: the body names no order"), "{why}");
    assert!(why.contains("helps after a new version of the program"), "{why}");
    assert_eq!(told(&good).await, "It was read again, and its outcome is the same as before: applied.");
    app.stop().await;
}

#[tokio::test]
async fn a_list_from_an_exact_time_keeps_it_when_it_is_asked_for_again() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let exact = app.get("/orders?startedFrom=2024-07-01T08:30:15.250Z&changedFrom=2024-06-30T23:00:00Z").await.text();
    let time = "type=\"datetime-local\" name=\"startedFrom\" step=\"any\" value=\"";
    assert_eq!(quoted(&exact, time), "2024-07-01T09:30:15.250");
    let day = "type=\"date\" name=\"changedFrom\" value=\"";
    assert_eq!(quoted(&exact, day), "2024-07-01", "midnight in London is a day");
    let again =
        app.get("/orders?q=&state=&startedFrom=2024-07-01T09:30:15.250&changedFrom=2024-07-01&changedTo=").await;
    let address = again.header("location").unwrap();
    assert_eq!(address, "/orders?startedFrom=2024-07-01T08:30:15.250Z&changedFrom=2024-07-01T00:00:00%2B01:00");
    let page = app.get(address).await.text();
    assert_eq!((quoted(&page, time), quoted(&page, day)), (quoted(&exact, time), quoted(&exact, day)));
    app.stop().await;
}

#[tokio::test]
async fn an_orders_page_says_what_it_does_not_understand() {
    let app = TestApp::start().await;
    app.post("/listener", body("14")).await;
    for (asked, words) in
        [("sort=zz", "sort is oldest"), ("kind=zzz", "kind is one of"), ("page=x", "page is a number")]
    {
        let answer = app.get(&format!("/orders/00104089?{asked}")).await;
        assert!(answer.status == 400 && answer.text().contains(words), "{asked}: {}", answer.status);
    }
    assert_eq!(app.get("/orders/00104089?sort=oldest&kind=message&page=1&text=").await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_customer_is_found_however_the_id_is_written() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let order = app.json("/api/v1/orders/00228874").await;
    let customer = order["parties"][0]["id"].as_str().unwrap();
    let (lower, sharp) = (customer.to_lowercase(), format!("%23{customer}"));
    let of = async |party: &str| app.ids_listed(&format!("party={party}")).await;
    let known = of(customer).await;
    assert!(known.contains(&"00228874".to_owned()) && lower != customer, "{customer}: {known:?}");
    assert_eq!(of(&lower).await, known);
    assert_eq!(of(&sharp).await, known);
    app.stop().await;
}
