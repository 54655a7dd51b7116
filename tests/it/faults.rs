//! A database that is down, silent, slow, cut off in the middle, read-only, or out of connections: without a
//! spool nothing is acknowledged that is not there, with one the sender does not notice.

use std::time::Duration;

use order_timeline::spool::Spool;
use serde_json::{Value, json};
use sqlx::ConnectOptions;

use crate::app::{Answer, TestApp, TestDatabase, bodies, body};
use crate::disturbed::{Disturbed, drained, spool_in};

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn without_a_spool_what_cannot_be_kept_is_refused_and_nothing_is_half_done() {
    let it = Disturbed::with(|_| {}, |app| app.spool = None).await;
    assert_eq!(it.app.post("/listener", body("01")).await.status, 200);
    it.proxy.go_down();
    assert_unavailable(&it.app.post("/listener", body("02")).await);
    assert_unavailable(&it.app.get("/health/ready").await);
    it.proxy.heal();
    assert_eq!(it.deliveries().await.len(), 1);
    it.ready().await;
    // A lane may find out only now that its connection is gone; a sender comes again.
    let mut answer = it.app.post("/listener", body("02")).await;
    while answer.status == 503 {
        answer = it.app.post("/listener", body("02")).await;
    }
    assert_eq!(answer.json()["outcome"], "applied");
    it.app.stop().await;
}

#[tokio::test]
async fn while_the_database_is_down_the_spool_takes_deliveries_in_as_if_nothing_were() {
    let it = Disturbed::start().await;
    let fixtures = bodies("bt-wholesale");
    for (_, bytes) in &fixtures[..9] {
        assert_eq!(it.app.post("/listener", bytes.clone()).await.json()["outcome"], "applied");
    }
    it.proxy.go_down();
    let mut receipts = Vec::new();
    for (name, bytes) in &fixtures[9..] {
        let answer = it.app.post("/listener", bytes.clone()).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let receipt = answer.json();
        assert_eq!(receipt["outcome"], "spooled", "{name}");
        assert!(receipt["orderId"].is_string() && receipt["oddities"].is_array(), "{name}: {receipt}");
        receipts.push((receipt["deliveryId"].as_str().unwrap().to_owned(), bytes));
    }
    // What is no JSON is so without a database.
    let refused = it.app.post("/listener", "hello").await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("not-json")));
    let ready = it.app.json("/health/ready").await;
    assert_eq!((&ready["status"], &ready["database"]), (&json!("degraded"), &json!("unavailable")), "{ready}");
    assert_eq!(ready["spool"]["deliveries"], fixtures.len() - 9 + 1);
    assert!(ready["spool"]["oldest"].is_string() && !ready["concerns"].as_array().unwrap().is_empty(), "{ready}");
    let figures = it.app.get("/metrics").await.text();
    assert!(figures.contains("order_timeline_spool_database_away 1"), "{figures}");

    let back = chrono::Utc::now();
    it.proxy.heal();
    it.drained().await;
    it.ready().await;
    for (id, bytes) in receipts {
        let kept = it.app.get(&format!("/api/v1/deliveries/{id}/body")).await;
        assert!(kept.body == **bytes, "{}", kept.text());
        let kept = it.app.json(&format!("/api/v1/deliveries/{id}")).await;
        assert_eq!(kept["outcome"], "applied");
        let received: chrono::DateTime<chrono::Utc> = kept["receivedAt"].as_str().unwrap().parse().unwrap();
        assert!(received < back, "received when it came, not when it was taken in");
    }
    assert_eq!(it.app.post("/listener", fixtures[0].1.clone()).await.json()["outcome"], "duplicate");
    assert_eq!(it.app.json("/health/ready").await["status"], "ready");

    // The timelines are those of a service that was never disturbed.
    let calm = TestApp::start().await;
    calm.deliver_all().await;
    for order in ["00228874", "00104089", "00148807"] {
        let path = format!("/api/v1/orders/{order}/timeline");
        assert_eq!(told(&it.app.json(&path).await), told(&calm.json(&path).await), "{order}");
    }
    calm.stop().await;
    it.app.stop().await;
}

/// What a timeline tells, without what differs from run to run.
fn told(timeline: &Value) -> Vec<(Value, Value, Value)> {
    let entries = timeline["entries"].as_array().unwrap().iter();
    entries.map(|entry| (entry["at"].clone(), entry["late"].clone(), entry["text"].clone())).collect()
}

#[tokio::test]
async fn a_database_that_answers_nothing_is_not_waited_for_and_nothing_is_kept_twice() {
    let it = Disturbed::with(|spool| spool.patience = Duration::from_secs(8), |_| {}).await;
    assert_eq!(it.app.post("/listener", body("01")).await.json()["outcome"], "applied");
    it.proxy.fall_silent();
    let first = it.app.post("/listener", body("02")).await;
    assert_eq!((first.status, first.json()["outcome"].as_str()), (200, Some("spooled")));
    // The next ones do not wait at all.
    let again = it.app.post("/listener", body("03")).await;
    assert_eq!(again.json()["outcome"], "spooled");
    it.proxy.heal();
    it.drained().await;
    let kept = it.deliveries().await;
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(kept.iter().all(|delivery| delivery["outcome"] == "applied"), "{kept:?}");
    it.app.stop().await;
}

#[tokio::test]
async fn a_slow_database_is_waited_for() {
    let it = Disturbed::start().await;
    it.proxy.slow_down(20);
    assert_eq!(it.app.post("/listener", body("01")).await.json()["outcome"], "applied");
    it.app.stop().await;
}

/// Wherever in the conversation the connection is lost, a lost answer to the commit with it.
#[tokio::test]
async fn wherever_a_connection_is_cut_every_delivery_is_kept_once() {
    let it = Disturbed::start().await;
    // Statements are prepared on each new connection, so the first one says more.
    for (number, after) in (0..24_000).step_by(997).chain([24_500, 25_500, 26_500]).enumerate() {
        it.proxy.cut_after(after);
        let event = String::from_utf8(body("04")).unwrap();
        let event = event.replace("d4c0a7d5-7844-5f46-b1b2-12422925de28", &format!("cut-{number}"));
        let answer = it.app.post("/listener", event).await;
        assert_eq!(answer.status, 200, "cut after {after}: {}", answer.text());
        it.proxy.heal();
        it.drained().await;
        let kept = it.deliveries().await;
        assert_eq!(kept.len(), number + 1, "cut after {after}: {kept:?}");
        let id = answer.json()["deliveryId"].clone();
        let this = kept.iter().find(|delivery| delivery["delivery_id"] == id).unwrap();
        assert_eq!(this["outcome"], "applied", "cut after {after}");
    }
    it.app.stop().await;
}

#[tokio::test]
async fn a_read_only_database_is_one_that_is_away() {
    let it = Disturbed::start().await;
    let name = it.app.database.options.get_database().unwrap().to_owned();
    let set = |to: &str| format!("alter database {name} set default_transaction_read_only = {to}");
    it.app.database.execute(&set("on")).await;
    it.proxy.cut_all();
    let answer = it.app.post("/listener", body("01")).await;
    assert_eq!((answer.status, answer.json()["outcome"].as_str()), (200, Some("spooled")));
    // Connections that were cut a moment ago are found out one by one.
    let mut ready = it.app.json("/health/ready").await;
    while ready["database"] == "unavailable" {
        tokio::time::sleep(Duration::from_millis(50)).await;
        ready = it.app.json("/health/ready").await;
    }
    assert_eq!((&ready["status"], &ready["database"]), (&json!("degraded"), &json!("read-only")), "{ready}");
    it.app.database.execute(&set("off")).await;
    it.proxy.cut_all();
    it.drained().await;
    assert_eq!(it.deliveries().await.len(), 1);
    it.app.stop().await;
}

#[tokio::test]
async fn a_database_out_of_connections_is_one_that_is_away() {
    let directory = tempfile::tempdir().unwrap();
    let database = TestDatabase::new().await;
    let (name, role) = (database.options.get_database().unwrap().to_owned(), database.name_of_role());
    // Superusers have connections kept for them.
    for sql in [
        format!("create role {role} login"),
        format!("grant all on schema public, analytics to {role}"),
        format!("grant all on all tables in schema public, analytics to {role}"),
    ] {
        database.execute(&sql).await;
    }
    let store = order_timeline::store::Store::connect(database.options.clone().username(&role), 4);
    let app = TestApp::on(database, |app| {
        app.store = store;
        app.spool = Some(Spool::open(&spool_in(directory.path())).unwrap());
    });
    app.database.execute(&format!("alter database {name} connection limit 0")).await;
    let end = format!("select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'");
    app.database.execute(&end).await;
    let refusal = app.database.options.clone().username(&role).connect().await.unwrap_err();
    assert!(refusal.to_string().contains("too many connections"), "{refusal}");
    let answer = app.post("/listener", body("01")).await;
    assert_eq!((answer.status, answer.json()["outcome"].as_str()), (200, Some("spooled")));
    app.database.execute(&format!("alter database {name} connection limit -1")).await;
    drained(directory.path()).await;
    assert_eq!(app.database.rows("select outcome from delivery").await, [json!({ "outcome": "applied" })]);
    app.database.execute(&format!("drop owned by {role}")).await;
    app.stop().await;
}
