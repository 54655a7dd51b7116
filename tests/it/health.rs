use crate::app::{TestApp, run};

#[tokio::test]
async fn the_service_says_that_it_is_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.json("/health/live").await["status"], "live");
    assert_eq!(app.json("/health/ready").await["status"], "ready");
    app.stop().await;
}

#[tokio::test]
async fn a_database_that_lacks_migrations_is_not_ready() {
    let app = TestApp::start().await;
    app.database.execute("delete from _sqlx_migrations where version = 2").await;
    let answer = app.get("/health/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["code"], "database-out-of-date");
    app.stop().await;
}

/// As many migrations as this program's are not this program's migrations.
#[tokio::test]
async fn a_database_of_another_version_is_not_ready_and_nothing_starts_on_it() {
    let app = TestApp::start().await;
    for (change, told) in [
        ("update _sqlx_migrations set version = 9999 where version = 2", "a newer version has brought it up to date"),
        ("update _sqlx_migrations set version = 2, checksum = '\\x00' where version = 9999", "built of other sources"),
    ] {
        app.database.execute(change).await;
        let answer = app.get("/health/ready").await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("database-of-another-version")));
        assert!(answer.text().contains(told), "{}", answer.text());
        for command in [vec!["serve", "--listen", "127.0.0.1:0"], vec!["migrate"]] {
            let output = run(&app.database, &command).await;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(told), "{command:?}: {said}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn without_a_database_nothing_is_ready_and_nothing_is_acknowledged() {
    let app = TestApp::with(|app| {
        let nowhere = sqlx::postgres::PgConnectOptions::new().host("127.0.0.1").port(1);
        app.store = order_timeline::store::Store::connect(nowhere, 1);
    })
    .await;
    assert_eq!(app.get("/health/live").await.status, 200);
    assert_eq!(app.get("/health/ready").await.status, 503);
    let answer = app.post("/listener", crate::app::body("00")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.content_type, "application/problem+json");
    assert_eq!(answer.json()["code"], "database-unavailable");
    assert!(answer.header("retry-after").is_some());
    assert!(!answer.text().contains("127.0.0.1"), "causes stay inside: {}", answer.text());
    app.stop().await;
}

#[tokio::test]
async fn other_sites_and_other_names_are_kept_out() {
    let app = TestApp::start().await;
    let answer = app.send("GET", "/health/live", &[("Host", "evil.example")], []).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("foreign-host")));
    let forged = [("Sec-Fetch-Site", "cross-site")];
    let answer = app.send("POST", "/listener", &forged, crate::app::body("00")).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("foreign-site")));
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = app.send("POST", "/listener", &[("Origin", origin)], crate::app::body("00")).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("foreign-site")), "{origin}");
    }
    assert_eq!(app.database.rows("select * from delivery").await.len(), 0);
    let own = format!("http://{}", app.address);
    assert_eq!(app.send("POST", "/listener", &[("Origin", &own)], crate::app::body("00")).await.status, 200);
    assert_eq!(app.send("GET", "/health/live", &[("Host", "LocalHost:80")], []).await.status, 200);
    let answer = app.get("/health/live").await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
    app.stop().await;
}

#[tokio::test]
async fn a_lock_that_others_hold_is_not_waited_for_without_end() {
    let app = TestApp::start().await;
    let mut other = app.database.pool.begin().await.unwrap();
    sqlx::query("lock table delivery").execute(&mut *other).await.unwrap();
    let waiting = std::time::Instant::now();
    let post = app.post("/listener", crate::app::body("00"));
    let answer = tokio::time::timeout(std::time::Duration::from_secs(20), post).await.unwrap();
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("not-taken")));
    assert!(waiting.elapsed().as_secs() >= 3, "a short lock is waited for");
    other.rollback().await.unwrap();
    assert_eq!(app.post("/listener", crate::app::body("00")).await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_can_lose_what_it_committed_is_doubted() {
    // The tests' own server is careless for the sake of speed.
    let database = crate::app::TestDatabase::new().await;
    let doubts = database.store.doubts().await.unwrap();
    assert!(doubts.iter().any(|doubt| doubt.starts_with("fsync is off")), "{doubts:?}");
    database.close().await;
}
