use serde_json::Value;

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
