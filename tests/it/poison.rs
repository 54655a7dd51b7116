//! An event that breaks its projection is parked alone.

use std::time::Duration;

use order_timeline::intake::{Body, Delivery, take};
use order_timeline::record::OutcomeName;

use crate::app::{Answer, TestApp, bodies, body};
use crate::disturbed::Disturbed;

#[tokio::test]
async fn a_projection_that_the_database_refuses_parks_its_delivery_and_the_rest_go_on() {
    let app = TestApp::start().await;
    app.database
        .execute("alter table timeline_entry add constraint poison check (sentence not like '%ONT0073999999%')")
        .await;
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    let deliveries = bodies("bt-wholesale")
        .into_iter()
        .map(|(name, bytes)| Delivery::received_now("bt-wholesale", &name, Vec::new(), Body::Whole(bytes)))
        .collect();
    let receipts = take(&app.database.store, &vocabulary, deliveries).await.unwrap();
    let parked: Vec<_> = receipts.iter().filter(|receipt| receipt.outcome != OutcomeName::Applied).collect();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].outcome, OutcomeName::Quarantined);
    assert_eq!(parked[0].reason_code.as_deref(), Some("unprojected"));
    assert_eq!(parked[0].event_id.as_deref(), Some("5802f2c6-8397-be36-48ed-706af4201fb4"));
    let kept = app.get(&format!("/api/v1/deliveries/{}/body", parked[0].delivery_id)).await;
    assert_eq!(kept.body, body("09"));
    assert_eq!(app.json("/api/v1/orders/00228874").await["state"], "inProgress");
    assert_eq!(app.json("/api/v1/orders").await["orders"].as_array().unwrap().len(), 12);
    app.stop().await;
}

#[tokio::test]
async fn a_delivery_whose_ids_the_database_refuses_is_kept_without_them() {
    let app = TestApp::start().await;
    app.database
        .execute(
            "alter table delivery add constraint poison check (event_id <> '28916d57-c84e-d159-7a39-501365e45f96')",
        )
        .await;
    let receipt = app.post("/listener", body("08")).await.json();
    assert_eq!(
        (receipt["outcome"].as_str(), receipt["reasonCode"].as_str()),
        (Some("quarantined"), Some("unprojected"))
    );
    let id = receipt["deliveryId"].as_str().unwrap();
    assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, body("08"));
    assert_eq!(app.post("/listener", body("09")).await.json()["outcome"], "applied");
    app.stop().await;
}

/// An order on a page that cannot be read: whatever is to be added to it fails, by no fault of what it says.
const BROKEN: &str = "create function broken() returns trigger language plpgsql as $$ begin
    if new.order_id = '00228874' then raise exception 'invalid page in block 7' using errcode = 'XX001'; end if;
    return new; end $$";
const BREAKS: &str = "create trigger broken before insert or update on delivery for each row execute function broken()";

fn event(order: &str, event: &str) -> String {
    format!(
        r#"{{"eventId":"{event}","eventTime":"2026-11-22T07:00:00Z","eventType":"ProductOrderStateChangeEvent",
            "event":{{"productOrder":{{"id":"{order}","productOrderItem":[{{"id":"1","state":"inProgress"}}]}}}}}}"#
    )
}

/// Posts at the same time, so that the deliveries share transactions with one that fails.
async fn post_together(app: &TestApp) -> (Answer, Vec<Answer>) {
    let bad = async { app.post("/listener", event("00228874", "bad")).await };
    let good = (0..20).map(|number| async move {
        app.post("/listener", event(&format!("good-{number}"), &format!("good-{number}"))).await
    });
    futures_util::future::join(bad, futures_util::future::join_all(good)).await
}

#[tokio::test]
async fn an_order_that_cannot_be_added_to_is_refused_alone() {
    let app = TestApp::start().await;
    app.database.execute(BROKEN).await;
    app.database.execute(BREAKS).await;
    for _ in 0..3 {
        let (bad, good) = post_together(&app).await;
        assert_eq!((bad.status, bad.json()["code"].as_str()), (503, Some("not-taken")), "{}", bad.text());
        assert!(bad.header("retry-after").is_some());
        good.iter().for_each(|good| assert_eq!(good.status, 200, "{}", good.text()));
    }
    app.database.execute("drop trigger broken on delivery").await;
    let again = app.until(200, async || app.post("/listener", event("00228874", "bad")).await).await;
    assert_eq!(again.json()["outcome"], "applied");
    app.stop().await;
}

#[tokio::test]
async fn with_a_spool_it_waits_there_alone_and_is_told() {
    let it = Disturbed::start().await;
    it.app.database.execute(BROKEN).await;
    it.app.database.execute(BREAKS).await;
    let (bad, good) = post_together(&it.app).await;
    assert_eq!((bad.status, bad.json()["outcome"].as_str()), (200, Some("spooled")), "{}", bad.text());
    good.iter().for_each(|good| assert_eq!(good.status, 200, "{}", good.text()));
    until_told(&it).await;
    // What is spooled behind it does not wait for it, and nothing else is spooled on its account.
    it.proxy.go_down();
    for number in 0..5 {
        let answer = it.app.post("/listener", event(&format!("behind-{number}"), &format!("behind-{number}"))).await;
        assert_eq!(answer.json()["outcome"], "spooled");
    }
    assert_eq!(it.app.post("/listener", event("00228874", "worse")).await.json()["outcome"], "spooled");
    it.proxy.heal();
    while it.app.json("/health/ready").await["spool"]["deliveries"] != 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until_told(&it).await;
    let after = it.app.post("/listener", event("after", "after")).await;
    assert_eq!(after.json()["outcome"], "applied", "the database is not taken to be away");
    let figures = it.app.get("/metrics").await.text();
    assert!(figures.contains("order_timeline_spool_database_away 0"), "{figures}");
    it.app.database.execute("drop trigger broken on delivery").await;
    it.drained().await;
    let order = it.app.database.rows("select outcome from delivery where order_id = '00228874'").await;
    assert_eq!(order.len(), 2, "{order:?}");
    it.app.stop().await;
}

async fn until_told(it: &Disturbed) {
    let mut ready = it.app.json("/health/ready").await;
    while !ready["concerns"].to_string().contains("while it takes others") || ready["database"] != "ok" {
        tokio::time::sleep(Duration::from_millis(20)).await;
        ready = it.app.json("/health/ready").await;
    }
    assert_eq!(ready["status"], "degraded");
}

/// Somebody's transaction holds an order, and does not end.
#[tokio::test]
async fn an_order_that_somebody_holds_keeps_nobody_elses_deliveries_from_the_timelines() {
    let it = Disturbed::with(|spool| spool.patience = Duration::from_secs(1), |_| {}).await;
    assert_eq!(it.app.post("/listener", event("held", "first")).await.json()["outcome"], "applied");
    let mut holder = it.app.database.pool.begin().await.unwrap();
    let hold =
        "select 1 from order_claim where order_key = (select order_key from product_order where order_id = 'held')
                for update";
    sqlx::query(hold).execute(&mut *holder).await.unwrap();
    assert_eq!(it.app.post("/listener", event("held", "second")).await.json()["outcome"], "spooled");
    let mut others = Vec::new();
    for number in 0..10 {
        let answer = it.app.post("/listener", event(&format!("free-{number}"), &format!("free-{number}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        others.push(answer.json()["deliveryId"].as_str().unwrap().to_owned());
    }
    for id in others {
        it.app.until(200, async || it.app.get(&format!("/api/v1/deliveries/{id}")).await).await;
    }
    until_told(&it).await;
    holder.rollback().await.unwrap();
    it.drained().await;
    assert_eq!(it.app.json("/api/v1/orders/held/deliveries").await["deliveries"].as_array().unwrap().len(), 2);
    it.app.stop().await;
}
