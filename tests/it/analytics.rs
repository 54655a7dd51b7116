//! The analysts' contract: every view and column is commented, and what the documentation asks works.

use serde_json::{Value, json};

use crate::app::{TestApp, TestDatabase, out, run};

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
    assert!(missed.contains(&json!({ "fault": "customer", "reason": "CustomerMissed", "visits": 1, "orders": 1 })));
    assert!(missed.contains(&json!({ "fault": "supplier", "reason": "SupplierChanged", "visits": 1, "orders": 1 })));

    // #14 says it while the appointment stays confirmed; #15 by a message too, which counts once with its status.
    let told = json!({ "fault": "customer", "reason": "101158", "visits": 1, "orders": 1 });
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
    let (then, now) = (between.to_rfc3339(), "2100-01-01T00:00:00Z");
    assert_eq!(known_in_sql(&app, "00102884", &then).await, known_by_api(&app, "00102884", &then).await);
    assert_eq!(known_in_sql(&app, "00102884", now).await, known_by_api(&app, "00102884", now).await);
    assert_ne!(known_in_sql(&app, "00102884", &then).await, known_in_sql(&app, "00102884", now).await);
    app.stop().await;
}

/// The sentences of an order's timeline as known at a time, in their order.
async fn known_in_sql(app: &TestApp, order: &str, at: &str) -> Vec<Value> {
    let sql = format!(
        "select jsonb_agg(k.sentence order by k.ordinality) as told from analytics.orders o,
             analytics.timeline_as_known(o.order_key, '{at}') with ordinality k where o.order_id = '{order}'"
    );
    app.database.rows(&sql).await[0]["told"].as_array().unwrap().clone()
}

async fn known_by_api(app: &TestApp, order: &str, at: &str) -> Vec<Value> {
    let path = format!("/api/v1/orders/{order}/timeline?knownAt={}", at.replace('+', "%2B"));
    let entries = app.json(&path).await["entries"].as_array().unwrap().clone();
    entries.iter().map(|entry| entry["text"].clone()).collect()
}

#[tokio::test]
async fn entries_of_several_tellings_stand_in_the_order_in_which_they_were_told() {
    let app = TestApp::start().await;
    let message = json!({ "subCode": "1", "message": "Warning : 1 : told", "productOrderItem": { "itemId": "1" } });
    let item = |state: &str, more: Value| {
        let mut item = json!({ "id": "1", "state": state, "product": { "productOffering": { "id": "E0000021" } } });
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let second = json!({
        "productOrderItem": item("inProgress", json!({
            "subStatus": "Delayed", "expectedCompletionDate": "2024-02-01T00:00:00Z" })),
        "errorMessage": message.clone(),
    });
    app.post("/listener", order_body("a", 20, second)).await;
    let between = chrono::Utc::now().to_rfc3339();
    // The item was there before, so that what was told of it later is told otherwise, or not at all.
    let first = json!({ "productOrderItem": item("inProgress", json!({ "subStatus": "Held" })) });
    app.post("/listener", order_body("a", 10, first)).await;
    for at in [between.as_str(), "2100-01-01T00:00:00Z"] {
        let folded = known_by_api(&app, "a", at).await;
        assert_eq!(known_in_sql(&app, "a", at).await, folded);
    }
    let folded = known_by_api(&app, "a", &between).await;
    assert!(folded.len() > 3 && folded[folded.len() - 2].as_str().unwrap().starts_with("Message 1"), "{folded:?}");
    app.database.execute("delete from delivery_body").await;
    assert_eq!(known_by_api(&app, "a", &between).await, folded);
    app.stop().await;
}

#[tokio::test]
async fn letters_beyond_ascii_compare_in_sql_as_in_the_fold() {
    let app = TestApp::start().await;
    // Letters and what is none, of the scripts of Europe and what stands between them.
    let characters = ('\u{1}'..'\u{590}').chain('\u{1e00}'..'\u{2c00}');
    let mut values: Vec<String> = characters.map(|character| format!("a{character}B")).collect();
    values.extend(["Größe Straße", "ΟΔΟΣ οδος", "İSTANBUL", "ÉTÉ-2½"].map(str::to_owned));
    let said: Vec<String> = sqlx::query_scalar("select compared(value) from unnest($1::text[]) as v (value)")
        .bind(&values)
        .fetch_all(&app.database.pool)
        .await
        .unwrap();
    let other: Vec<_> =
        values.iter().zip(&said).filter(|(value, said)| order_timeline::order::compared(value) != **said).collect();
    assert!(other.is_empty(), "{} {other:?}", other.len());

    out(&run(&app.database, &["vocabulary", "set", "message", "Störung 1", "--words", "a fault"]).await);
    let message = json!({ "subCode": "STÖRUNG-1", "message": "Warning : STÖRUNG-1 : told" });
    app.post("/listener", order_body("a", 1, json!({ "productOrderItem": { "id": "1" }, "errorMessage": message })))
        .await;
    let meanings = app.database.rows("select distinct meaning from analytics.messages").await;
    assert_eq!(meanings, [json!({ "meaning": "a fault" })]);
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

/// A body of one order with these fields.
fn order_body(order: &str, day: u32, mut fields: Value) -> String {
    fields["id"] = json!(order);
    json!({ "event": { "productOrder": fields }, "eventId": format!("{order}-{day}"),
            "eventTime": format!("2024-01-{day:02}T12:00:00Z") })
    .to_string()
}

#[tokio::test]
async fn values_mean_the_same_in_every_spelling() {
    let app = TestApp::start().await;
    let message = |code: &str| json!({ "subCode": code, "message": format!("Warning : {code} : told") });
    for (order, offering, code) in [("a", "E0000021", "101096"), ("b", "e-0000 021", "10-1096")] {
        let item = json!({ "id": "1", "product": { "productOffering": { "id": offering } } });
        let fields = json!({ "productOrderItem": item, "errorMessage": message(code) });
        assert_eq!(app.post("/listener", order_body(order, 1, fields)).await.status, 200);
    }
    let offerings = app.database.rows("select offering from analytics.order_items").await;
    assert_eq!(offerings, [json!({ "offering": "access" }), json!({ "offering": "access" })]);
    let meanings = app.database.rows("select count(meaning) as known from analytics.messages").await;
    assert_eq!(meanings, [json!({ "known": 2 })]);
    let delays = app.database.rows("select code, messages, orders from analytics.delay_reasons").await;
    assert_eq!(delays, [json!({ "code": "101096", "messages": 2, "orders": 2 })]);
    app.stop().await;
}

#[tokio::test]
async fn a_message_counts_by_its_own_code_where_its_text_names_none() {
    let app = TestApp::start().await;
    let message = |text: Value| json!({ "subCode": "101158", "message": text, "productOrderItem": { "itemId": "1" } });
    let texts = [json!("the customer was out"), json!(null), json!("Warning : 2001 : differs .~ they were out")];
    for (order, text) in ["free", "none", "chain"].into_iter().zip(texts) {
        let fields = json!({ "productOrderItem": { "id": "1" }, "errorMessage": message(text) });
        assert_eq!(app.post("/listener", order_body(order, 1, fields)).await.status, 200);
    }
    let coded = "select order_id, part, text from analytics.messages where code = '101158'";
    let row = |order: &str, part: u32, text: Value| json!({ "order_id": order, "part": part, "text": text });
    let expected = [
        row("chain", 2, json!("they were out")),
        row("free", 1, json!("the customer was out")),
        row("none", 0, Value::Null),
    ];
    let coded = app.database.rows(coded).await;
    assert!(coded.len() == 3 && expected.iter().all(|row| coded.contains(row)), "{coded:?}");
    let missed = app.database.rows("select fault from analytics.missed_appointments where reason = '101158'").await;
    assert_eq!(missed.len(), 3);
    assert_eq!(app.database.rows("select messages from analytics.delay_reasons").await, [json!({ "messages": 3 })]);
    app.stop().await;
}

#[tokio::test]
async fn a_visit_is_missed_once_however_many_versions_follow() {
    let app = TestApp::start().await;
    let of = |status: Option<&str>, reference: &str, day: u32| {
        json!({ "productOrderItem": { "id": "1", "appointment": {
            "id": "A", "appointmentStatus": status, "BESAppointmentId": reference,
            "appointmentStart": format!("2024-02-{day:02}T08:00:00Z"), "appointmentFinish": format!("2024-02-{day:02}T13:00:00Z") } } })
    };
    let versions = [
        of(Some("CustomerMissed"), "R1", 8),
        of(None, "R2", 8),
        of(None, "R2", 15),
        of(Some("SupplierChanged"), "R2", 16),
        of(None, "R3", 16),
        of(Some("SupplierChanged"), "R3", 17),
    ];
    for (day, fields) in (1..).zip(versions) {
        assert_eq!(app.post("/listener", order_body("visit", day, fields)).await.status, 200);
    }
    let missed = "select at::date as day, reason, fault from analytics.missed_appointments order by at";
    let row = |day: u32, reason: &str, fault: &str| json!({ "day": format!("2024-01-{day:02}"), "reason": reason, "fault": fault });
    let expected = [
        row(1, "CustomerMissed", "customer"),
        row(4, "SupplierChanged", "supplier"),
        row(6, "SupplierChanged", "supplier"),
    ];
    assert_eq!(app.database.rows(missed).await, expected);
    app.stop().await;
}

#[tokio::test]
async fn what_is_counted_of_each_order_of_the_document_is_that_of_its_snapshot() {
    let app = TestApp::start().await;
    let before = chrono::Utc::now();
    app.deliver_all().await;
    let days = [before, chrono::Utc::now()].map(|at| at.format("%Y-%m-%d").to_string());
    let orders = app.database.rows("select order_id from analytics.orders order by 1").await;
    assert_eq!(orders.len(), 12);
    for order in &orders {
        let order_id = order["order_id"].as_str().unwrap();
        let mut told: Vec<String> = Vec::new();
        for (table, columns) in COUNTED {
            let query = format!("select {columns} from analytics.{table} where order_id = '{order_id}'");
            let rows = app.database.rows(&query).await;
            let mut lines: Vec<String> = rows.iter().map(|row| format!("{table}: {row}")).collect();
            lines.sort();
            told.append(&mut lines);
        }
        // The event without a time of its own stands where it was received: while they were delivered, which may be
        // at midnight.
        let told = days.iter().fold(told.join("\n"), |told, day| told.replace(day, "today"));
        insta::with_settings!({ snapshot_path => "snapshots/counted", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(order_id, told);
        });
    }
    app.stop().await;
}

/// What follows from the bodies and is counted, by view. Of times the day is told.
const COUNTED: [(&str, &str); 5] = [
    ("milestones", "at::date as at, milestone, item_id, said_by, is_first"),
    (
        "appointment_history",
        "item_id, status, window_start, window_finish, slot, fault, reschedules, changed, valid_from::date as since",
    ),
    (
        "expected_date_history",
        "item_id, expected_text, is_first, days_from_first, days_from_previous, reason_code, in_text_of,
         valid_from::date as since",
    ),
    (
        "contradictions",
        "kind, item_id, statement, other_statement, opened_at::date as opened, closed_at::date as closed",
    ),
    ("attention", "since::date as since, reason, case when reason <> 'silent' then why end as why"),
];

#[tokio::test]
async fn milestones_of_the_order_and_those_that_the_sender_states_are_counted() {
    let app = TestApp::start().await;
    let acknowledged = json!({ "errorMessage": { "subCode": "510", "message": "acknowledged" } });
    assert_eq!(app.post("/listener", order_body("bare", 1, acknowledged)).await.status, 200);
    let body = std::fs::read("fixtures/bt-wholesale-variants/v5-milestone.json").unwrap();
    assert_eq!(app.post("/listener", body).await.status, 200);
    let reached = "select order_id, milestone, item_id, said_by, is_first from analytics.milestones";
    let row = |order: &str, milestone: &str, item: Value, by: &str| json!({ "order_id": order, "milestone": milestone, "item_id": item, "said_by": by, "is_first": true });
    let expected =
        [row("00900011", "Building permits", json!("100"), "milestone"), row("bare", "KCI1", Value::Null, "message")];
    let reached = app.database.rows(reached).await;
    assert!(reached.len() == 2 && expected.iter().all(|row| reached.contains(row)), "{reached:?}");
    let gaps = app.database.rows("select order_id, kci1_at from analytics.kci_gaps").await;
    assert_eq!(gaps, [json!({ "order_id": "bare", "kci1_at": "2024-01-01T12:00:00+00:00" })]);
    app.stop().await;
}

#[tokio::test]
async fn a_norm_is_of_a_sub_status_in_all_its_spellings() {
    let app = TestApp::start().await;
    // No offering. Between the spellings nothing changes; the state changes in the middle of the period.
    let steps = [(1, "acknowledged", "In Progress"), (3, "inProgress", "inProgress"), (9, "completed", "Closed")];
    for number in 0..20 {
        for (day, state, sub_status) in steps {
            let item = json!({ "id": "1", "state": state, "subStatus": sub_status });
            let body = order_body(&format!("n{number}"), day, json!({ "productOrderItem": item }));
            assert_eq!(app.post("/listener", body).await.status, 200);
        }
    }
    let waiting = json!({ "productOrderItem": { "id": "1", "state": "inProgress", "subStatus": "in-progress" } });
    assert_eq!(app.post("/listener", order_body("waiting", 1, waiting)).await.status, 200);
    app.database.store.learn_silence().await.unwrap();
    let norms = "select offering_id, sub_status, periods, p95, running from analytics.time_in_sub_status";
    let norm = |sub_status: &str, periods: u32, p95: Value, running: u32| json!({ "offering_id": null, "sub_status": sub_status, "periods": periods, "p95": p95, "running": running });
    let norms = app.database.rows(norms).await;
    let expected = [norm("Closed", 0, Value::Null, 0), norm("In Progress", 20, json!("8 days"), 1)];
    assert!(norms.len() == 2 && expected.iter().all(|norm| norms.contains(norm)), "{norms:?}");

    // Where no offering is known, and in whatever spelling, the norm holds: for the list and for the order itself.
    app.database.execute("update silence_norm set p95 = interval '100 years' where compared = 'inprogress'").await;
    assert_eq!(app.database.rows("select order_id from analytics.silent_orders").await, Vec::<Value>::new());
    assert!(!app.json("/api/v1/orders/waiting").await["attention"].to_string().contains("silent"));
    app.database.execute("update silence_norm set p95 = interval '9 days' where compared = 'inprogress'").await;
    assert_eq!(
        app.database.rows("select allowed from analytics.silent_orders").await,
        [json!({ "allowed": "9 days" })]
    );
    assert!(app.json("/api/v1/orders/waiting").await["attention"].to_string().contains("the usual is 9 days"));
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
    assert_eq!(any, 10, "the silent, and 00103497 which is delayed; 00148807 has ended, however it contradicts itself");

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
async fn a_window_that_moves_without_a_word_is_nobodys_fault_and_is_listed_once() {
    let app = TestApp::start().await;
    let visit = |day: u32| {
        json!({ "id": "A-1", "appointmentStatus": "Confirmed",
        "appointmentStart": format!("2024-02-{day:02}T08:00:00Z"), "appointmentFinish": format!("2024-02-{day:02}T13:00:00Z") })
    };
    let missed = json!({ "subCode": "101147", "message": "missed" });
    for (day, visit_day, message) in [(1, 10, json!([])), (2, 11, json!([])), (3, 20, missed)] {
        let item = json!({ "id": "1", "state": "inProgress", "appointment": visit(visit_day) });
        let body = order_body("moved", day, json!({ "productOrderItem": item, "errorMessage": message }));
        assert_eq!(app.post("/listener", body).await.status, 200);
    }
    let listed = "select at::date as day, reason, fault, reschedules from analytics.missed_appointments order by at";
    let row = |day: &str, reason: &str, fault: &str, moved: Value| json!({ "day": day, "reason": reason, "fault": fault, "reschedules": moved });
    let expected =
        [row("2024-01-02", "Confirmed", "unknown", json!(1)), row("2024-01-03", "101147", "customer", Value::Null)];
    assert_eq!(app.database.rows(listed).await, expected, "one row of an event, whether by message or by its window");
    app.stop().await;
}

#[tokio::test]
async fn a_date_is_kept_on_the_day_that_was_written_in_summer_too() {
    let app = TestApp::start().await;
    let (end, midnight) = ("2024-07-10T23:59:59.000Z", "2024-07-10T00:00:00+01:00");
    for (order, expected, done) in [
        ("late", end, "2024-07-11T10:00:00Z"),
        ("right", end, "2024-07-10T21:30:00Z"),
        ("late by midnight", midnight, "2024-07-11T10:00:00Z"),
        ("right by midnight", midnight, "2024-07-10T09:00:00Z"),
    ] {
        for (time, state) in [("2024-07-01T12:00:00Z", "inProgress"), (done, "completed")] {
            let item = json!({ "id": "1", "state": state, "expectedCompletionDate": expected });
            let body = json!({ "event": { "productOrder": { "id": order, "productOrderItem": item } },
                "eventId": format!("{order} {state}"), "eventTime": time });
            assert_eq!(app.post("/listener", body.to_string()).await.status, 200);
        }
    }
    let rate = app.database.rows("select week, completed, on_time from analytics.first_date_hit_rate").await;
    assert_eq!(rate, [json!({ "week": "2024-07-08", "completed": 4, "on_time": 2 })]);
    app.stop().await;
}

#[tokio::test]
async fn the_greatest_number_of_abortive_visits_counts_in_whatever_spelling() {
    let app = TestApp::start().await;
    let item = |id: &str, name: &str, value: &str| {
        json!({ "id": id, "appointment": { "id": "A" },
            "product": { "productCharacteristic": { "name": name, "value": value } } })
    };
    let items = json!([
        item("1", "ATT_RT_numberOfAbortiveVisits", "9"),
        item("2", "att_rt_NumberOfAbortiveVisits", "10"),
        item("3", "ATT_RT_numberOfAbortiveVisits", "none"),
    ]);
    assert_eq!(app.post("/listener", order_body("visits", 1, json!({ "productOrderItem": items }))).await.status, 200);
    let told = app.database.rows("select distinct abortive_visits from analytics.appointment_history").await;
    assert_eq!(told, [json!({ "abortive_visits": "10" })]);
    app.stop().await;
}

#[tokio::test]
async fn an_order_that_is_dated_ahead_is_silent_from_its_receipt_on() {
    let app = TestApp::start().await;
    let mut body: Value = serde_json::from_str(&order_body("ahead", 1, json!({ "state": "inProgress" }))).unwrap();
    body["eventTime"] = json!("9999-12-31T00:00:00Z");
    assert_eq!(app.post("/listener", body.to_string()).await.status, 200);
    let silent = async || app.database.rows("select since::text from analytics.silent_orders").await.len();
    assert_eq!(silent().await, 0, "it came just now");
    app.database.execute("update product_order set last_received_at = '2024-01-01T12:00:00Z'").await;
    assert_eq!(silent().await, 1);
    let said = json!([{ "reason": "silent", "since": "2024-01-08T12:00:00.000Z", "why": "Nothing heard since 1 Jan 2024; the usual is 7 days" }]);
    assert_eq!(app.json("/api/v1/orders/ahead").await["attention"], said);
    assert_eq!(app.json("/api/v1/orders?attention=silent").await["orders"].as_array().unwrap().len(), 1);
    assert!(app.get("/attention?reason=silent").await.text().contains("Nothing heard since 1 Jan 2024"));
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
