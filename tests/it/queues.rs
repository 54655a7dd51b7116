//! What the pages count, and what stands where: queues, the first page's numbers, the feed, addresses of odd ids.

use serde_json::{Value, json};

use crate::app::{TestApp, body};

/// An event of an order at a time, by its fields.
fn event(order: &str, at: &str, mut fields: Value) -> String {
    fields["id"] = json!(order);
    json!({ "event": { "productOrder": fields }, "eventId": format!("{order}-{at}"), "eventTime": at }).to_string()
}

/// Where a link leads whose text or address has this in it, as a browser reads it.
fn link(page: &str, mark: &str) -> String {
    let anchors = page.split("<a ").skip(1).map(|rest| rest.split("</a>").next().unwrap());
    let found =
        anchors.into_iter().find(|anchor| anchor.contains(mark)).unwrap_or_else(|| panic!("no {mark} in {page}"));
    found.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&")
}

fn rows(page: &str) -> usize {
    page.matches("<tr role=\"row\" data-walk>").count()
}

#[tokio::test]
async fn orders_that_ended_unresolved_stand_apart_and_are_counted_everywhere() {
    let app = TestApp::start().await;
    let item = json!({ "productOrderItem": { "id": "1", "state": "inProgress" } });
    let told_complete = json!({ "productOrderItem": { "id": "1", "state": "inProgress" },
        "errorMessage": { "subCode": "530", "message": "complete", "productOrderItem": { "itemId": "1" } } });
    let mut ended = item.clone();
    ended["state"] = json!("completed");
    for (order, fields) in [("ended", ended), ("running", told_complete), ("fine", item)] {
        assert_eq!(app.post("/listener", event(order, "2024-01-01T00:00:00Z", fields)).await.status, 200);
    }
    // Silence has a queue of its own and says nothing here.
    let reasons = "select order_id, reason from analytics.attention where reason <> 'silent'";
    let row = |order: &str, reason: &str| json!({ "order_id": order, "reason": reason });
    let expected = [row("running", "contradiction"), row("ended", "ended-unresolved")];
    assert_eq!(app.database.rows(reasons).await, expected);
    let queue = app.get("/attention").await.text();
    assert!(rows(&queue) == 1 && queue.contains("<bdi>running</bdi>"), "{queue}");
    let apart = app.get(&link(&queue, "1 order that has ended with something unresolved")).await.text();
    assert!(rows(&apart) == 1 && apart.contains("<bdi>ended</bdi>"), "{apart}");
    let home = app.get("/").await.text();
    assert!(home.contains("<strong>1</strong><span>orders need attention</span>"), "{home}");
    assert_eq!(link(&home, "1 order that has ended"), "/attention?reason=ended-unresolved");
    for (asked, expected) in
        [("ended-unresolved", vec!["ended"]), ("contradiction", vec!["running"]), ("any", vec!["fine", "running"])]
    {
        let page = app.json(&format!("/api/v1/orders?sort=orderId&attention={asked}")).await;
        let found: Vec<&str> =
            page["orders"].as_array().unwrap().iter().map(|one| one["orderId"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{asked}; what is silent needs attention, too");
    }
    assert!(app.get("/orders/ended").await.text().contains("Ended with something unresolved</h2>"));
    assert!(app.get("/orders/running").await.text().contains("Needs attention</h2>"));
    app.stop().await;
}

#[tokio::test]
async fn numbers_of_the_first_page_lead_to_just_what_was_counted() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let now = chrono::Utc::now().to_rfc3339();
    let visit = |status: &str| {
        json!({ "productOrderItem": { "id": "1", "appointment": { "appointmentStatus": status,
        "appointmentStart": "2024-02-01T08:00:00Z", "appointmentFinish": "2024-02-01T13:00:00Z" } } })
    };
    app.post("/listener", event("new", &now, visit("CustomerMissed"))).await;
    app.post("/listener", event("new", &now, visit("CustomerMissed"))).await;
    app.post("/listener", event("old", "2023-01-01T00:00:00Z", visit("CustomerMissed"))).await;
    // Received two days ago.
    let id =
        uuid::Uuid::from_u128(u128::from((chrono::Utc::now().timestamp_millis() - 172_800_000).unsigned_abs()) << 80);
    app.database
        .execute(&format!(
            "insert into delivery (order_key, delivery_id, sender, received_at, origin, headers, body_length, body_hash,
                 outcome, oddities)
             values (gen_random_uuid(), '{id}', 'bt-wholesale', now() - interval '2 days', '/listener', '[]', 2, '',
                 'applied', '[]')"
        ))
        .await;
    let home = app.get("/").await.text();
    // One of the document's events states no time: its order is new, too.
    for (name, count) in [("events in 24 h", 29), ("new orders in 24 h", 2)] {
        assert!(home.contains(&format!("<strong>{count}</strong><span>{name}</span>")), "{name}: {home}");
        let page = app.get(&link(&home, name)).await.text();
        assert_eq!(rows(&page), count, "{name}: {page}");
    }
    let received = app.get(&link(&home, "30 bodies were received")).await.text();
    assert_eq!(rows(&received), 30);
    let earlier = app.get(&link(&received, "Earlier ones, too")).await.text();
    assert_eq!(rows(&earlier), 31);
    let visits = app.get(&link(&home, "by the customer")).await.text();
    assert!(rows(&visits) == 1 && visits.contains("<bdi>new</bdi>"), "{visits}");
    assert!(rows(&app.get(&link(&visits, "Earlier ones, too")).await.text()) > 1);
    let supplier = link(&visits, "by the supplier");
    assert!(supplier.contains("from=") && rows(&app.get(&supplier).await.text()) == 0, "{supplier}");
    for path in ["/visits?from=x", "/deliveries?receivedFrom=x", "/orders?startedFrom=x"] {
        assert_eq!(app.get(path).await.status, 400, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_message_that_gives_the_fault_of_a_visit_is_named() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let said = "by message <bdi>101158</bdi>: customer missed the appointment, reappoint";
    for path in ["/visits?fault=customer", "/orders/00104089"] {
        let page = app.get(path).await.text();
        assert!(page.contains(said), "{path}: {page}");
    }
    let page = app.get("/visits?fault=supplier").await.text();
    assert!(page.contains("00125512") && !page.contains("by message"), "the status says it: {page}");
    let of = |code: Value| json!({ "fault_code": code });
    let told = "select distinct fault_code from analytics.appointment_history where order_id = '00104089' and fault = 'customer'";
    assert!(app.database.rows(told).await.contains(&of(json!("101158"))));
    let missed = "select distinct fault_code from analytics.missed_appointments where order_id = '00125512'";
    assert_eq!(app.database.rows(missed).await, [of(Value::Null)]);
    app.stop().await;
}

#[tokio::test]
async fn the_queue_of_visits_lists_what_the_view_counts() {
    let app = TestApp::start().await;
    let item = |day: u32| {
        json!({ "id": "1", "state": "inProgress", "appointment": { "appointmentStatus": "Confirmed",
        "appointmentStart": format!("2024-02-{day:02}T08:00:00Z"), "appointmentFinish": format!("2024-02-{day:02}T13:00:00Z") } })
    };
    let missed =
        json!({ "subCode": "101158", "message": "the customer was out", "productOrderItem": { "itemId": "1" } });
    for (at, day, message) in [("2024-01-01", 10, json!([])), ("2024-01-02", 10, missed), ("2024-01-03", 20, json!([]))]
    {
        let fields = json!({ "productOrderItem": item(day), "errorMessage": message });
        assert_eq!(app.post("/listener", event("missed", &format!("{at}T00:00:00Z"), fields)).await.status, 200);
    }
    let view = "select at::date::text as day, fault, fault_code from analytics.missed_appointments";
    let once = json!({ "day": "2024-01-02", "fault": "customer", "fault_code": "101158" });
    assert_eq!(app.database.rows(view).await, [once]);
    for (fault, listed) in [("customer", 1), ("supplier", 0), ("unknown", 0)] {
        let page = app.get(&format!("/visits?fault={fault}")).await.text();
        assert_eq!(page.matches("the customer was out").count(), listed, "{fault}: {page}");
    }
    app.stop().await;
}

#[tokio::test]
async fn orders_whose_ids_are_dots_have_addresses_that_browsers_leave_alone() {
    let app = TestApp::start().await;
    for id in [".", "..", "=."] {
        let fields = json!({ "productOrderItem": { "id": "1", "state": "inProgress" } });
        assert_eq!(app.post("/listener", event(id, "2024-01-01T00:00:00Z", fields)).await.status, 200);
    }
    let list = app.get("/orders").await.text();
    for id in [".", "..", "=."] {
        let address = link(&list, &format!("<bdi>{id}</bdi>"));
        let parts: Vec<&str> = address.split(['/', '?']).collect();
        assert!(!parts.iter().any(|part| matches!(part.replace("%2E", ".").as_str(), "." | "..")), "{address}");
        let page = app.get(&address).await.text();
        assert!(page.contains(&format!("<h1>Order <bdi>{id}</bdi>")), "{address}: {page}");
        let deliveries = app.get(&link(&page, "Deliveries of this order")).await.text();
        assert!(rows(&deliveries) == 1, "{id}: {deliveries}");
        let stream = page.split("data-live=\"").nth(1).unwrap().split(['?', '"']).next().unwrap();
        let order = app.json(stream.trim_end_matches("/stream")).await;
        assert_eq!(order["orderId"], id);
    }
    app.stop().await;
}

#[tokio::test]
async fn senders_that_never_delivered_stand_in_the_feeds_health() {
    let commands =
        ["keys add reader", "senders add quiet --bearer", "senders add gone --bearer", "senders disable gone"];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    let signed_in = app.send("POST", "/sign-in", &form, format!("key={}", told[0]["key"].as_str().unwrap())).await;
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let page = app.send("GET", "/feed", &[("Cookie", &cookie), ("Accept", "text/html")], []).await.text();
    let row = |name: &str| page.split("<tr role=\"row\" data-walk>").find(|row| row.contains(name)).unwrap().to_owned();
    assert!(
        row("<bdi>quiet</bdi>").contains("never") && row("<bdi>quiet</bdi>").contains("nothing has come yet"),
        "{page}"
    );
    assert!(row("<bdi>gone</bdi>").contains("disabled"), "{page}");
    app.stop().await;
}

#[tokio::test]
async fn one_far_date_does_not_squeeze_the_picture_and_is_named() {
    let app = TestApp::start().await;
    let of = |sub_status: &str, date: &str| json!({ "productOrderItem": { "id": "1", "subStatus": sub_status, "state": "completed", "expectedCompletionDate": date } });
    for (order, date) in [("near", "2024-01-20T00:00:00Z"), ("far", "2099-01-20T00:00:00Z")] {
        for (at, sub_status) in [("2024-01-01T00:00:00Z", "Held"), ("2024-01-01T02:00:00Z", "Closed")] {
            assert_eq!(app.post("/listener", event(order, at, of(sub_status, date))).await.status, 200);
        }
    }
    let width = |page: &str| {
        let band = page.split("<rect class=\"band").nth(1).unwrap();
        band.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
    };
    let (near, far) = (app.get("/orders/near").await.text(), app.get("/orders/far").await.text());
    assert!(width(&far) > 2.0 * width(&near), "{} of {}", width(&far), width(&near));
    assert!(far.contains("Too far off for the picture, and at its edge: Item 1, expected 20 Jan 2099."), "{far}");
    assert!(!near.contains("Too far off"));
    app.stop().await;
}

#[tokio::test]
async fn what_is_odd_about_a_body_as_a_whole_is_said_to_be_at_its_root() {
    let app = TestApp::start().await;
    let text = String::from_utf8(body("14")).unwrap().replace("customer", "\\ud800");
    let receipt = app.post("/listener", text).await.json();
    let page = app.get(&format!("/deliveries/{}", receipt["deliveryId"].as_str().unwrap())).await.text();
    assert!(page.contains("at the root: unstorable character"), "{page}");
    let shapes = app.database.rows("select value from analytics.unknown_values where subject = 'shape'").await;
    assert!(shapes.contains(&json!({ "value": "unstorable-character at the root" })), "{shapes:?}");
    app.stop().await;
}

#[tokio::test]
async fn an_event_of_the_far_future_does_not_stand_first_for_ever() {
    let app = TestApp::start().await;
    let fields = json!({ "productOrderItem": { "id": "1", "state": "inProgress" } });
    for (order, at) in [("future", "9999-12-31T00:00:00Z"), ("past", "2024-01-01T00:00:00Z")] {
        assert_eq!(app.post("/listener", event(order, at, fields.clone())).await.status, 200);
    }
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(app.post("/listener", event("now", &now, fields)).await.status, 200);
    // Both moved today; the one of the future was received first.
    app.database
        .execute("update product_order set last_received_at = now() - interval '1 hour' where order_id = 'future'")
        .await;
    let listed = async |query: &str| app.ids_listed(&format!("limit=1&{query}")).await;
    for query in ["", "state=in-progress", "sort=-state"] {
        assert_eq!(listed(query).await, ["now", "future", "past"], "{query}");
    }
    assert_eq!(listed("sort=lastEventAt").await, ["past", "future", "now"]);
    let soon = (chrono::Utc::now() + chrono::TimeDelta::minutes(5)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    for parameter in ["changedFrom", "startedFrom"] {
        assert_eq!(listed(&format!("{parameter}={soon}")).await, Vec::<String>::new(), "{parameter}");
    }
    let before = (chrono::Utc::now() - chrono::TimeDelta::hours(2)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(listed(&format!("startedFrom={before}")).await, ["now", "future"]);
    let home = app.get("/").await.text();
    assert!(home.contains("<strong>2</strong><span>new orders in 24 h</span>"), "{home}");
    app.stop().await;
}
