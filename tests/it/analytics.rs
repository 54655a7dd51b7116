//! The analysts' contract: every view and column is commented, and what the documentation asks works.

use serde_json::{Value, json};

use crate::app::{TestApp, TestDatabase};

const DOCUMENT: &str = include_str!("../../docs/analytics.md");

/// The queries of the documentation, by their headings.
fn queries() -> Vec<(&'static str, &'static str)> {
    let sections = DOCUMENT.split("\n## ").skip(1);
    sections
        .filter_map(|section| {
            let (heading, rest) = section.split_once('\n').unwrap();
            let query = rest.split_once("```sql\n")?.1.split_once("```").unwrap().0;
            Some((heading, query.trim().trim_end_matches(';')))
        })
        .collect()
}

/// The rows of a query, of the seed's orders.
async fn rows(database: &TestDatabase, heading: &str) -> Vec<Value> {
    let (_, query) = queries().into_iter().find(|(known, _)| known.starts_with(heading)).unwrap();
    database.rows(query).await
}

#[tokio::test]
async fn every_query_of_the_documentation_runs_and_answers() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    app.database.store.learn_silence().await.unwrap();
    assert!(queries().len() >= 10);
    for (heading, query) in queries() {
        let rows = app.database.rows(query).await;
        assert!(!rows.is_empty(), "{heading} answers nothing");
    }
    app.stop().await;
}

#[tokio::test]
async fn every_view_and_column_has_a_comment() {
    let database = TestDatabase::new().await;
    let undescribed = rows(&database, "The dictionary").await.into_iter().filter(|row| row["meaning"].is_null());
    assert_eq!(undescribed.collect::<Vec<_>>(), Vec::<Value>::new());
    let views = "select c.relname, obj_description(c.oid) as meaning from pg_class c
                 where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'v'";
    let views = database.rows(views).await;
    assert!(views.len() >= 20 && views.iter().all(|view| view["meaning"].is_string()), "{views:?}");
    database.close().await;
}

#[tokio::test]
async fn the_seed_answers_as_its_orders_say() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let gaps = rows(&app.database, "Milestones").await;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0]["order_id"], "00228874");
    assert_eq!(gaps[0]["kci1_at"], "2023-02-13T09:53:19.019+00:00");
    assert_eq!(gaps[0]["kci2_at"], "2023-02-13T10:43:39.496+00:00");
    assert_eq!(gaps[0]["kci3_at"], "2023-02-23T10:44:56.791+00:00");

    let missed = rows(&app.database, "Missed").await;
    assert!(
        missed.contains(&json!({ "fault": "customer", "reason": "CustomerMissed", "appointments": 1, "orders": 1 }))
    );
    assert!(
        missed.contains(&json!({ "fault": "supplier", "reason": "SupplierChanged", "appointments": 1, "orders": 1 }))
    );

    // #14 says it while the appointment stays confirmed; #15 by a message too, which counts once with its status.
    let told = json!({ "fault": "customer", "reason": "101158", "appointments": 1, "orders": 1 });
    assert!(missed.contains(&told), "{missed:?}");
    assert_eq!(missed.len(), 3, "{missed:?}");

    let moved = rows(&app.database, "Dates that moved").await;
    let told: Vec<_> =
        moved.iter().map(|row| (row["order_id"].as_str().unwrap(), row["expected_text"].as_str().unwrap())).collect();
    assert_eq!(told, [("00102884", "2024-02-29"), ("00102884", "2024-02-29")]);
    assert!(moved.iter().all(|row| row["in_text_of"] == "101105"));

    let open: Vec<(String, String)> = rows(&app.database, "Statements")
        .await
        .iter()
        .map(|row| (row["order_id"].as_str().unwrap().to_owned(), row["kind"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("00086096", "cancelled-while-running"),
        ("00102884", "date-in-text"),
        ("00104089", "visit-after-missed"),
        ("00148807", "open-in-ended-order"),
    ];
    let expected = expected.map(|(order, kind)| (order.to_owned(), kind.to_owned()));
    let mut open = open;
    open.sort();
    assert_eq!(open, expected);
    let closed = "select order_id, kind from analytics.contradictions where closed_at is not null";
    assert_eq!(app.database.rows(closed).await.len(), 2, "message 530 of 00228874 and of 00148807");

    let attention =
        "select order_id, string_agg(reason, ', ' order by reason) as reasons from analytics.attention group by 1";
    insta::assert_snapshot!(
        "attention_of_the_seed",
        app.database.rows(attention).await.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(app.json("/api/v1/orders?attention=action-needed").await["orders"].as_array().unwrap().len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn what_was_known_at_a_time_can_be_asked_in_sql() {
    let app = TestApp::start().await;
    app.post("/listener", crate::app::body("13")).await;
    let between = chrono::Utc::now();
    app.post("/listener", crate::app::body("16")).await;
    let known = |at: &str| {
        format!("select k.sentence from analytics.orders o, analytics.timeline_as_known(o.order_key, '{at}') k")
    };
    let then = app.database.rows(&known(&between.to_rfc3339())).await;
    let api = format!("/api/v1/orders/00102884/timeline?knownAt={}", between.to_rfc3339().replace('+', "%2B"));
    assert_eq!(then.len(), app.json(&api).await["entries"].as_array().unwrap().len());
    let now = app.database.rows(&known("2100-01-01")).await;
    assert_eq!(now.len(), app.json("/api/v1/orders/00102884/timeline").await["entries"].as_array().unwrap().len());
    assert_ne!(then, now);
    app.stop().await;
}

#[tokio::test]
async fn an_analyst_reads_the_views_and_nothing_else() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let mut connection = app.database.pool.acquire().await.unwrap();
    sqlx::raw_sql("set role order_timeline_analyst").execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("select * from analytics.timeline").execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("select * from analytics.timeline_as_known(gen_random_uuid(), now())")
        .execute(&mut *connection)
        .await
        .unwrap();
    for denied in
        ["select * from public.delivery_body", "select * from public.delivery", "delete from analytics.orders"]
    {
        let error = sqlx::raw_sql(denied).execute(&mut *connection).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{denied}: {error}");
    }
    sqlx::raw_sql("reset role").execute(&mut *connection).await.unwrap();
    drop(connection);
    app.stop().await;
}

#[tokio::test]
async fn orders_that_are_silent_for_longer_than_their_like_are_found() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    // The orders of the seed have said nothing for years; #18 has no time of its own and so came just now.
    let silent = app.database.rows("select order_id from analytics.silent_orders").await;
    assert_eq!(silent.len(), 9, "{silent:?}");
    assert!(!silent.contains(&json!({ "order_id": "00228874" })), "a completed order has nothing more to say");
    assert!(!silent.contains(&json!({ "order_id": "00103497" })));
    let listed = app.json("/api/v1/orders?attention=silent").await;
    assert_eq!(listed["orders"].as_array().unwrap().len(), 9);
    // The order itself, asked for by itself, says the same as the list and the analysts' view.
    for row in app.database.rows("select order_id, since, why from analytics.attention where reason = 'silent'").await {
        let order = app.json(&format!("/api/v1/orders/{}", row["order_id"].as_str().unwrap())).await;
        let attention = order["attention"].as_array().unwrap();
        let silent = attention.iter().find(|reason| reason["reason"] == "silent").unwrap();
        let since = |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!((since(&silent["since"]), &silent["why"]), (since(&row["since"]), &row["why"]));
    }
    let reasons = async |path: &str| -> String { app.json(path).await["attention"].to_string() };
    assert!(!reasons("/api/v1/orders/00228874").await.contains("silent"));
    assert!(reasons("/api/v1/orders/00104089?at=2024-03-20T00:00:00Z").await.contains("silent"));
    assert!(!reasons("/api/v1/orders/00104089?at=2024-03-01T00:00:00Z").await.contains("silent"), "not yet");
    let page = app.get("/orders/00104089").await.text();
    assert!(page.contains("Nothing heard since 28 Feb 2024; the usual is 7 days"), "{page}");
    let any = app.json("/api/v1/orders?attention=any").await["orders"].as_array().unwrap().len();
    assert_eq!(any, 11, "the silent, 00103497 which is delayed, and 00148807 with its contradiction");

    // Where the like usually take a hundred years, nothing is silent for too long.
    app.database
        .execute(
            "insert into silence_norm
             (offering_id, sub_status, p95, periods)
             select distinct i.offering_id, i.sub_status, interval '100 years', 20 from product_order_item i
             where i.sub_status is not null",
        )
        .await;
    let silent = app.database.rows("select order_id from analytics.silent_orders").await;
    assert_eq!(silent, [json!({ "order_id": "00125420" })], "no item of it has a state");
    assert!(!reasons("/api/v1/orders/00104089").await.contains("silent"));
    assert!(reasons("/api/v1/orders/00125420").await.contains("silent"));
    app.stop().await;
}

#[tokio::test]
async fn how_long_is_usual_is_learned_from_the_feed() {
    let app = TestApp::start().await;
    // Thirty orders whose item is pending for ten days each.
    for number in 0..30 {
        for (day, sub_status) in [(1, "PendingWithBTWwBC"), (11, "AcceptedByBTWwBC")] {
            let item = json!({ "id": "1", "state": "inProgress", "subStatus": sub_status,
                               "product": { "productOffering": { "id": "E0000021" } } });
            let body = json!({
                "event": { "productOrder": { "id": format!("s{number}"), "productOrderItem": item } },
                "eventId": format!("{number}-{day}"), "eventTime": format!("2024-01-{day:02}T12:00:00Z"),
            });
            assert_eq!(app.post("/listener", body.to_string()).await.status, 200);
        }
    }
    assert_eq!(app.database.store.learn_silence().await.unwrap(), 2);
    let norms = "select offering_id, sub_status, median, p95, periods, running from analytics.time_in_sub_status";
    let norm = |sub_status, long: Option<&str>, periods, running| {
        json!({ "offering_id": "E0000021", "sub_status": sub_status, "median": long, "p95": long, "periods": periods,
                "running": running })
    };
    let expected = [norm("AcceptedByBTWwBC", None, 0, 30), norm("PendingWithBTWwBC", Some("10 days"), 30, 0)];
    let norms = app.database.rows(norms).await;
    assert!(norms.len() == 2 && expected.iter().all(|norm| norms.contains(norm)), "{norms:?}");
    app.stop().await;
}
