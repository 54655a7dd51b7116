//! An event that breaks its projection is parked alone.

use order_timeline::intake::{Body, Delivery, take};
use order_timeline::record::OutcomeName;

use crate::app::{TestApp, bodies, body};

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
