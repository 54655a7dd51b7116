use serde_json::{Value, json};

use crate::app::{TestApp, body};

#[tokio::test]
async fn an_orders_deliveries_are_listed_whatever_became_of_them() {
    let app = TestApp::start().await;
    app.post("/listener", body("01")).await;
    app.post("/listener", body("01")).await;
    app.post("/listener", String::from_utf8(body("01")).unwrap().replace("\"add\"", "\"modify\"")).await;
    app.post("/listener", body("10")).await;
    let listed = app.json("/api/v1/orders/00228874/deliveries").await;
    let outcomes: Vec<&str> =
        listed["deliveries"].as_array().unwrap().iter().map(|delivery| delivery["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["conflict", "duplicate", "applied"], "the latest first");
    let all = app.json("/api/v1/deliveries").await;
    assert_eq!(all["deliveries"].as_array().unwrap().len(), 4);
    let duplicates = app.json("/api/v1/deliveries?outcome=duplicate").await;
    assert_eq!(duplicates["deliveries"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn pages_of_deliveries_follow_each_other() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let first = app.json("/api/v1/deliveries?limit=20").await;
    let last = first["deliveries"].as_array().unwrap().last().unwrap()["deliveryId"].as_str().unwrap().to_owned();
    let second = app.json(&format!("/api/v1/deliveries?limit=20&before={last}")).await;
    let ids = |page: &Value| -> Vec<String> {
        page["deliveries"].as_array().unwrap().iter().map(|d| d["deliveryId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((ids(&first).len(), ids(&second).len()), (20, 7));
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id)));
    app.stop().await;
}

#[tokio::test]
async fn unknown_deliveries_and_unknown_paths_are_told_as_problems() {
    let app = TestApp::start().await;
    let nobody = "018f0000-0000-7000-8000-000000000000";
    for (path, status, code) in [
        (format!("/api/v1/deliveries/{nobody}"), 404, "no-such-delivery"),
        (format!("/api/v1/deliveries/{nobody}/body"), 404, "no-such-delivery"),
        ("/api/v1/deliveries/seven".to_owned(), 400, "bad-path"),
        ("/api/v1/deliveries?outcome=lost".to_owned(), 400, "bad-query"),
        ("/api/v1/orders/unheard/deliveries".to_owned(), 404, "no-such-order"),
        ("/nowhere".to_owned(), 404, "not-found"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.content_type, "application/problem+json", "{path}");
        assert_eq!(answer.json()["code"], code, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_quarantined_delivery_says_why_and_can_be_read_again() {
    let app = TestApp::start().await;
    app.database.execute("alter table delivery add constraint poison check (event_id is distinct from '28916d57-c84e-d159-7a39-501365e45f96')").await;
    let receipt = app.post("/listener", body("08")).await.json();
    let id = receipt["deliveryId"].as_str().unwrap().to_owned();
    app.post("/listener", r#"{"event": {"productOrder": {}}}"#).await;
    let listed = app.json("/api/v1/deliveries?outcome=quarantined&limit=1").await;
    let last = &listed["deliveries"][0];
    assert_eq!((&last["reasonCode"], &last["reasonPath"]), (&json!("no-order"), &json!("event.productOrder.id")));
    assert!(last["reason"].as_str().unwrap().len() > 5, "{last}");
    let next =
        format!("/api/v1/deliveries?outcome=quarantined&limit=1&before={}", last["deliveryId"].as_str().unwrap());
    assert_eq!(app.json(&next).await["deliveries"][0]["deliveryId"], id.as_str());

    let still = app.post(&format!("/api/v1/deliveries/{}/retry", last["deliveryId"].as_str().unwrap()), "").await;
    assert_eq!((still.status, &still.json()["after"]["outcome"]), (200, &json!("quarantined")));
    app.database.execute("alter table delivery drop constraint poison").await;
    let healed = app.post(&format!("/api/v1/deliveries/{id}/retry"), "").await;
    assert_eq!(healed.status, 200, "{}", healed.text());
    let healed = healed.json();
    assert_eq!((&healed["before"]["outcome"], &healed["after"]["outcome"]), (&json!("quarantined"), &json!("applied")));
    assert_eq!(app.json("/api/v1/orders/00228874").await["orderId"], "00228874");
    let nobody = "/api/v1/deliveries/018f0000-0000-7000-8000-000000000000/retry";
    assert_eq!(app.post(nobody, "").await.status, 404);
    assert_eq!(app.get(nobody).await.status, 405);
    let large = app.post("/listener", vec![b'x'; 17 * 1024 * 1024]).await.json();
    let large = app.post(&format!("/api/v1/deliveries/{}/retry", large["deliveryId"].as_str().unwrap()), "").await;
    assert_eq!((large.status, &large.json()["code"]), (409, &json!("not-whole")));
    app.stop().await;
}
