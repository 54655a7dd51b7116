//! What goes wrong is told in the form that was asked for: a page to a browser, problem+json to a program.

use order_timeline::store::Store;
use sqlx::postgres::PgConnectOptions;

use crate::app::{Answer, TestApp, bearer};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const BROWSER: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const NOBODY: &str = "/deliveries/01a1ffbc-97c5-76a1-9af1-41feb91c4d54/retry";

/// Asks as a browser does, and as a program does, and compares what both are told.
async fn both(app: &TestApp, method: &str, path: &str, more: &[(&str, &str)], body: &str, status: u16, code: &str) {
    let headers: Vec<(&str, &str)> = more.iter().copied().chain([BROWSER]).collect();
    let page = app.send(method, path, &headers, body).await;
    assert_eq!((page.status, kind(&page)), (status, "text/html; charset=utf-8"), "{method} {path}: {}", page.text());
    assert!(page.text().contains("<h1>") && page.text().contains("</html>"), "{}", page.text());
    let told = app.send(method, path, more, body).await;
    assert_eq!((told.status, kind(&told)), (status, "application/problem+json"), "{method} {path}: {}", told.text());
    assert_eq!(told.json()["code"], code, "{method} {path}");
    for name in ["WWW-Authenticate", "Retry-After", "Allow"] {
        assert_eq!(page.header(name), told.header(name), "{method} {path}");
    }
}

fn kind(answer: &Answer) -> &str {
    &answer.content_type
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_gets_its_problem() {
    let (app, told) = TestApp::after(&["keys add reader"], |_| {}).await;
    let key = bearer(told[0]["key"].as_str().unwrap());
    let reader = [("Authorization", key.as_str())];
    both(&app, "POST", NOBODY, &[], "", 401, "no-credentials").await;
    both(&app, "POST", NOBODY, &reader, "", 403, "no-scope").await;
    both(&app, "GET", "/nothing/here", &[], "", 404, "not-found").await;
    both(&app, "GET", "/assets/nothing.css", &[], "", 404, "not-found").await;
    both(&app, "POST", "/orders", &reader, "", 405, "method-not-allowed").await;
    both(&app, "GET", "/orders?nonsense=1", &reader, "", 400, "bad-query").await;
    both(&app, "GET", "/deliveries/nonsense", &reader, "", 400, "bad-path").await;
    both(&app, "POST", "/settings", &[FORM], "back=%2F", 400, "bad-form").await;
    both(&app, "POST", "/settings", &[("Content-Type", "text/plain")], "zone=UTC", 415, "no-form").await;
    both(&app, "POST", "/sign-in", &[FORM], &"x".repeat(20_000), 413, "too-large").await;
    both(&app, "POST", "/sign-in", &[("Origin", "https://evil.example"), FORM], "key=x", 403, "foreign-site").await;
    app.stop().await;
}

#[tokio::test]
async fn what_is_for_programs_is_told_as_they_expect_it_whatever_they_accept() {
    let (app, _) = TestApp::after(&["keys add reader"], |_| {}).await;
    for (method, path) in [("POST", "/listener"), ("GET", "/api/v1/orders"), ("GET", "/listener/x")] {
        let answer = app.send(method, path, &[BROWSER], []).await;
        assert_eq!((answer.status, kind(&answer)), (401, "application/problem+json"), "{method} {path}");
    }
    let answer = app.send("POST", "/oauth/token", &[BROWSER, FORM], "x".repeat(1_000_000)).await;
    assert_eq!((answer.status, kind(&answer)), (413, "application/json"), "{}", answer.text());
    assert_eq!(answer.json()["error"], "invalid_request");
    app.stop().await;
}

#[tokio::test]
async fn that_the_database_is_away_is_told_to_both_as_well() {
    let app = TestApp::with(|app| {
        app.store = Store::connect(PgConnectOptions::new().socket("/nothing/there").username("x"), 2);
    })
    .await;
    both(&app, "GET", "/orders", &[], "", 503, "database-unavailable").await;
    app.stop().await;
}

#[tokio::test]
async fn the_front_door_tells_all_in_the_documents_form() {
    let (app, told) = TestApp::after(&["keys add reader", "senders rotate hybris-jm"], |_| {}).await;
    let key = bearer(told[0]["key"].as_str().unwrap());
    for (headers, status) in [
        (vec![], 401),
        (vec![("Authorization", "Bearer x"), BROWSER], 401),
        (vec![("Authorization", key.as_str())], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
    ] {
        let answer = app.send("POST", "/hybris/PR/productOrder", &headers, "{}").await;
        assert_eq!((answer.status, kind(&answer)), (status, "application/json"), "{}", answer.text());
        assert_eq!(answer.json()["errors"][0]["code"], status, "{}", answer.text());
        assert_eq!(answer.header("WWW-Authenticate").is_some(), status == 401);
    }
    app.stop().await;
}
