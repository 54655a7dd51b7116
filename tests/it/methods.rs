//! Which methods are taken where.

use crate::app::{TestApp, body};

const READ: [&str; 10] = [
    "/",
    "/orders/00228874",
    "/orders",
    "/api/v1/orders",
    "/api/v1/orders/00228874",
    "/api/v1/orders/00228874/timeline",
    "/api/v1/orders/00228874/deliveries",
    "/api/v1/deliveries",
    "/health/live",
    "/health/ready",
];

#[tokio::test]
async fn whatever_takes_a_method_says_so_when_asked_for_another() {
    let app = TestApp::start().await;
    let refused = [("GET", "/listener", "POST"), ("DELETE", "/listener/x", "POST")].into_iter();
    for (method, path, allowed) in refused.chain(READ.map(|path| ("POST", path, "GET, HEAD"))) {
        let answer = app.send(method, path, &[], []).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (405, "application/problem+json"), "{path}");
        assert_eq!(answer.json()["code"], "method-not-allowed", "{path}");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let id = app.post("/listener", body("02")).await.json()["deliveryId"].as_str().unwrap().to_owned();
    let deliveries = [format!("/api/v1/deliveries/{id}"), format!("/api/v1/deliveries/{id}/body")];
    for path in READ.map(str::to_owned).into_iter().chain(deliveries) {
        let (head, get) = (app.send("HEAD", &path, &[], []).await, app.get(&path).await);
        assert_eq!((head.status, &head.content_type), (200, &get.content_type), "{path}");
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
    app.stop().await;
}
