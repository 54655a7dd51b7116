//! Nothing is served but through a door, and no door opens to the wrong people.

use order_timeline::access::Door;
use order_timeline::http::routes_of;
use serde_json::json;

use crate::app::{TestApp, TestDatabase, bearer, body, operate, run};

/// All that is served, each with an address that fits.
fn all() -> Vec<(String, Door, Vec<&'static str>)> {
    let fill = |path: &str| {
        path.replace("{business_id}", "PR")
            .replace("/deliveries/{id}", "/deliveries/01a1ffbc-97c5-76a1-9af1-41feb91c4d54")
            .replace("{id}", "7")
            .replace("{order_id}", "00228874")
            .replace("{event_name}", "x")
            .replace("{file}", "desk.css")
    };
    let routes = routes_of("/hybris").into_iter();
    routes.map(|route| (fill(&route.path), route.door, route.methods.split(", ").collect())).collect()
}

#[tokio::test]
async fn no_route_is_open_to_whoever_shows_nothing() {
    let (app, _) = TestApp::after(&["keys add someone"], |_| {}).await;
    let mut seen = 0;
    for (path, door, methods) in all() {
        assert!(!path.contains('{'), "{path} is not filled in");
        for method in methods.iter().chain(&["POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
            let answer = app.send(method, &path, &[], []).await;
            match door {
                Door::Public => assert_ne!(answer.status, 500, "{method} {path}"),
                Door::Token => assert!(matches!(answer.status, 400 | 401 | 405), "{method} {path}: {}", answer.status),
                _ => assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text()),
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
    assert_eq!(app.get("/nothing/here").await.status, 404);
    app.stop().await;
}

#[tokio::test]
async fn what_is_public_is_listed_here() {
    let public: Vec<String> =
        all().into_iter().filter(|(_, door, _)| *door == Door::Public).map(|(path, ..)| path).collect();
    let known = [
        "/health/live",
        "/health/ready",
        "/sign-in",
        "/sign-in/start",
        "/sign-in/callback",
        "/sign-out",
        "/settings",
        "/assets/desk.css",
    ];
    assert_eq!(public, known, "whoever opens a door writes it down");
}

#[tokio::test]
async fn each_door_opens_to_its_own_and_to_nobody_else() {
    let commands = [
        "keys add reader",
        "keys add operator --scope operate",
        "senders add acme --bearer",
        "keys add scraper --scope metrics",
    ];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let [reader, operator, acme, scraper] = [&told[0]["key"], &told[1]["key"], &told[2]["secret"], &told[3]["key"]]
        .map(|secret| bearer(secret.as_str().unwrap()));
    for (path, door, methods) in all() {
        for (who, credentials, may) in [
            ("scraper", &scraper, matches!(door, Door::Metrics)),
            ("reader", &reader, matches!(door, Door::Metrics | Door::Read)),
            ("operator", &operator, matches!(door, Door::Metrics | Door::Read | Door::Operate)),
            ("sender", &acme, matches!(door, Door::Listener) && !path.contains("hybris")),
        ] {
            if matches!(door, Door::Public | Door::Token) {
                continue;
            }
            let answer = app.send(methods[0], &path, &[("Authorization", credentials)], body("00")).await;
            let is_in = !matches!(answer.status, 401 | 403);
            assert_eq!(is_in, may, "{who} at {} {path}: {} {}", methods[0], answer.status, answer.text());
        }
    }
    assert_eq!(app.database.rows("select distinct sender from delivery").await, [json!({ "sender": "acme" })]);
    app.stop().await;
}

#[tokio::test]
async fn it_is_open_on_this_machine_until_somebody_is_set_up_and_then_never_again() {
    let app = TestApp::with(|app| app.access.refresh = std::time::Duration::from_millis(50)).await;
    assert_eq!(app.get("/api/v1/orders").await.status, 200);
    assert_eq!(app.json("/health/live").await["access"], "open");
    assert_eq!(app.post("/listener", body("00")).await.status, 200);
    // Whoever put a proxy before it did not mean to open it to the world.
    for header in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"] {
        let answer = app.send("GET", "/api/v1/orders", &[(header, "203.0.113.9")], []).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("open-behind-proxy")), "{header}");
    }
    operate(&app.database, "keys add one").await;
    app.until(401, async || app.get("/api/v1/orders").await).await;
    assert_eq!(app.post("/listener", body("01")).await.status, 401);
    assert_eq!(app.json("/health/live").await["access"], "closed");
    let revoked = operate(&app.database, "keys revoke one").await;
    assert!(revoked.as_str().unwrap().contains("ends within seconds"));
    let mut app = app;
    app.restart(|_| {}).await;
    assert_eq!(app.get("/api/v1/orders").await.status, 401, "taking the last key back opens nothing");
    app.stop().await;
}

/// A proxy that tells nothing of itself looks like somebody on this machine.
#[tokio::test]
async fn behind_a_proxy_it_is_never_open_for_being_at_an_address_of_this_machine_alone() {
    let app = TestApp::with(|app| app.access.is_behind_proxy = true).await;
    assert_eq!(app.json("/health/live").await["access"], "closed");
    assert_eq!(app.get("/api/v1/orders").await.status, 401);
    assert_eq!(app.post("/listener", body("01")).await.status, 401);
    app.stop().await;
}

#[tokio::test]
async fn it_does_not_start_where_others_reach_it_and_nobody_is_set_up() {
    let database = TestDatabase::new().await;
    let refused = |output: std::process::Output| {
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = refused(run(&database, &["serve", "--listen", "0.0.0.0:0"]).await);
    assert!(told.contains("nobody has been set up") && told.contains("keys add"), "{told}");
    for (arguments, wrong) in [
        (vec!["--oidc-issuer", "https://id.example"], "--oidc-client-id is missing"),
        (vec!["--oidc-client-id", "x"], "--oidc-issuer is missing"),
        (vec!["--oidc-issuer", "https://id.example", "--oidc-client-id", "x"], "--public-url is missing"),
        (
            vec!["--oidc-issuer", "https://id.example", "--oidc-client-id", "x", "--public-url", "https://o.example"],
            "nobody could do anything",
        ),
        (
            vec![
                "--oidc-issuer",
                "http://id.example",
                "--oidc-client-id",
                "x",
                "--public-url",
                "https://o.example",
                "--oidc-read-groups",
                "x",
            ],
            "is not https",
        ),
        (vec!["--oidc-client-id="], "--oidc-client-id"),
        (vec!["--oidc-client-secret="], "--oidc-client-secret"),
        (vec!["--oidc-groups-claim", "roles"], "--oidc-issuer is missing"),
        (vec!["--oidc-groups-claim="], "--oidc-groups-claim"),
        (vec!["--oidc-scopes", "groups"], "--oidc-issuer is missing"),
        (vec!["--public-url", "https://o.example/orders"], "has a path"),
        (vec!["--tls-cert", "x.pem"], "--tls-key"),
        (vec!["--tls-cert", "/nothing.pem", "--tls-key", "/nothing.pem"], "/nothing.pem cannot be read"),
        (vec!["--trusted-proxy", "10.0.0.0/99"], "no range of addresses"),
        (vec!["--trusted-proxy", "127.0.0.1"], "others reach the service through a proxy, and nobody has been set up"),
        (vec!["--public-url", "https://orders.example"], "or say --unprotected"),
        (vec!["--forwarded-header", "forwarded"], "--trusted-proxy"),
        (vec!["--oidc-read-groups", ""], "--oidc-read-groups"),
        (vec!["--session-idle", "100", "--session-longest", "10"], "no session would last so long"),
        (vec!["--max-body-bytes", "0"], "no event would be taken in whole"),
        (vec!["--max-bytes-in-flight", "65536"], "is less than --max-body-bytes"),
        (vec!["--spool-max", "2GiB"], "--spool <DIR>"),
        (vec!["--spool", "/nothing/there", "--spool-max", "1MiB"], "has no room for a body"),
    ] {
        let all: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"].into_iter().chain(arguments).collect();
        let told = refused(run(&database, &all).await);
        assert!(told.contains(wrong), "{all:?}: {told}");
    }
    operate(&database, "senders add acme --certificate-name acme.example").await;
    let told = refused(run(&database, &["serve", "--listen", "127.0.0.1:0"]).await);
    assert!(told.contains("the service speaks no TLS"), "{told}");
    // Nobody waits for a certificate of one that is not let in.
    operate(&database, "senders disable acme").await;
    crate::program::Program::serve(&[], &[("DATABASE_URL", &database.url())]).killed();
    database.execute(r#"update sender set demands = '{"oauht": {}}' where sender = 'acme'"#).await;
    let told = refused(run(&database, &["serve", "--listen", "127.0.0.1:0"]).await);
    assert!(told.contains("the settings of the sender acme cannot be understood") && told.contains("oauht"), "{told}");
    database.close().await;
}

/// A sender that was told a slightly wrong address would lose its feed without a trace.
#[tokio::test]
async fn what_is_posted_to_nowhere_leaves_a_trace() {
    let (app, told) = TestApp::after(&["keys add reader", "senders add acme --bearer"], |_| {}).await;
    let acme = bearer(told[1]["secret"].as_str().unwrap());
    let post = async |path: &str| app.send("POST", path, &[("Authorization", &acme)], body("00")).await.status;
    assert_eq!((post("/listener/").await, post("/listener/x/").await), (200, 200));
    assert_eq!((post("/LISTENER").await, post("/x").await), (404, 404));
    assert_eq!(app.get("/x").await.status, 404, "who only looks is not counted");
    assert_eq!(app.refused(told[0]["key"].as_str().unwrap(), "no-route").await, 2);
    app.stop().await;
}
