//! Who may read and operate: keys, and sessions opened with them.

use crate::app::{Answer, TestApp, TestDatabase, bearer, operate};
use crate::program::Program;

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

async fn sign_in(app: &TestApp, key: &str, to: &str) -> Answer {
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    app.send("POST", "/sign-in", &headers, format!("key={key}&to={to}")).await
}

fn key(told: &serde_json::Value) -> String {
    told["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_reads_until_it_is_revoked_or_expires() {
    let (app, told) = TestApp::after(&["keys add one", "keys add two --days 1"], |_| {}).await;
    let read = async |key: &str| app.send("GET", "/api/v1/orders", &[("Authorization", &bearer(key))], []).await;
    let (one, two) = (key(&told[0]), key(&told[1]));
    assert_eq!((read(&one).await.status, read(&two).await.status), (200, 200));
    let (id, secret) = one[4..].split_once('_').unwrap();
    let other_secret = two.rsplit_once('_').unwrap().1;
    for (wrong, code) in [
        (format!("otk_{id}_{other_secret}"), "wrong-credentials"),
        (format!("otk_{id}_{}", &secret[1..]), "wrong-credentials"),
        (format!("otk_{id}_"), "wrong-credentials"),
        (format!("otk_00000000000000000000000000000000_{secret}"), "wrong-credentials"),
        ("x".to_owned(), "wrong-credentials"),
    ] {
        let answer = read(&wrong).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some(code)), "{wrong}");
    }
    operate(&app.database, "keys revoke one").await;
    app.database.execute("update api_key set expires_at = now() - interval '1 second' where name = 'two'").await;
    for key in [&one, &two] {
        let answer = app.until(401, async || read(key).await).await;
        assert_eq!(answer.json()["code"], "key-expired");
    }
    app.stop().await;
}

#[tokio::test]
async fn people_sign_in_with_a_key_and_out_again() {
    let (app, told) = TestApp::after(&["keys add reader"], |_| {}).await;
    let answer = app.send("GET", "/orders/1?sender=x", &[("Accept", "text/html")], []).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in?to=%2Forders%2F1%3Fsender%3Dx")));
    let page = app.send("GET", "/sign-in?to=/orders/1", &[("Accept", "text/html")], []).await;
    assert!(page.text().contains("name=\"to\" value=\"/orders/1\""), "{}", page.text());
    let hostile = app.get("/sign-in?to=//evil.example/%22%3E%3Cscript%3E").await;
    assert!(!hostile.text().contains("evil") && !hostile.text().contains("<script>"), "{}", hostile.text());

    let signed_in = sign_in(&app, &key(&told[0]), "/orders/1").await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/orders/1")));
    let set = signed_in.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = cookie(&signed_in);
    assert!(!set.contains(key(&told[0]).as_str()));
    let read = async || app.send("GET", "/api/v1/orders", &[("Cookie", &cookie)], []).await;
    assert_eq!(read().await.status, 200);
    let page = app.send("GET", "/sign-in", &[("Cookie", &cookie)], []).await;
    assert!(page.text().contains("You are signed in as <strong>reader</strong>"));
    let kept = app.database.rows("select encode(session_hash, 'escape') as text from session").await;
    assert!(!kept[0]["text"].as_str().unwrap().contains(cookie.split_once('=').unwrap().1));

    let elsewhere = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(app.send("POST", "/sign-out", &elsewhere, []).await.status, 403);
    assert_eq!(app.send("POST", "/sign-out", &[("Cookie", &cookie)], []).await.status, 403, "it says nothing");
    assert_eq!(read().await.status, 200);
    let here = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let out = app.send("POST", "/sign-out", &here, []).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/sign-in")));
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    let answer = read().await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("session-over")));
    assert_eq!(app.database.rows("select from session").await.len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn nobody_signs_in_with_what_is_no_key_or_from_another_site() {
    let (app, told) = TestApp::after(&["keys add reader", "senders add acme --bearer"], |_| {}).await;
    let acme = told[1]["secret"].as_str().unwrap();
    for wrong in ["", "x", acme, "otk_00000000000000000000000000000000_x"] {
        let answer = sign_in(&app, wrong, "/").await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(answer.header("set-cookie").is_none());
        assert!(answer.text().contains("role=\"alert\""));
        assert!(wrong.is_empty() || wrong == "x" || !answer.text().contains(wrong));
    }
    let form = format!("key={}&to=/", key(&told[0]));
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("X-Says-Nothing", "1"),
    ] {
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), (name, value)];
        let answer = app.send("POST", "/sign-in", &headers, form.as_bytes()).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(answer.header("set-cookie").is_none());
    }
    assert_eq!(app.database.rows("select from session").await.len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_session_ends_by_idleness_by_age_and_with_its_key() {
    let (app, told) = TestApp::after(&["keys add reader"], |_| {}).await;
    let read = async |cookie: &str| app.send("GET", "/api/v1/orders", &[("Cookie", cookie)], []).await.status;
    for age in ["seen_at = now() - interval '61 minutes'", "expires_at = now() - interval '1 second'"] {
        let cookie = cookie(&sign_in(&app, &key(&told[0]), "/").await);
        assert_eq!(read(&cookie).await, 200);
        app.database.execute(&format!("update session set {age}")).await;
        assert_eq!(read(&cookie).await, 401, "{age}");
    }
    let cookie = cookie(&sign_in(&app, &key(&told[0]), "/").await);
    app.database.execute("update session set seen_at = now() - interval '30 minutes'").await;
    assert_eq!(read(&cookie).await, 200);
    let seen = app.database.rows("select seen_at > now() - interval '1 minute' as seen from session").await;
    assert_eq!(seen[0]["seen"], true, "its use is noted");
    operate(&app.database, "keys revoke reader").await;
    app.until(401, async || app.send("GET", "/api/v1/orders", &[("Cookie", &cookie)], []).await).await;
    for forged in ["order-timeline=", "order-timeline=x", "order-timeline=' or true --"] {
        assert_eq!(read(forged).await, 401);
    }
    app.stop().await;
}

#[tokio::test]
async fn over_tls_a_proxys_or_ours_a_cookie_is_for_tls_alone() {
    let set = |app: &mut order_timeline::http::App| app.access.proxies.trusted = vec!["127.0.0.1/32".parse().unwrap()];
    let (app, told) = TestApp::after(&["keys add reader"], set).await;
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "same-origin"),
        ("X-Forwarded-Proto", "https"),
    ];
    let answer = app.send("POST", "/sign-in", &headers, format!("key={}", key(&told[0]))).await;
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-order-timeline=") && set.contains("Secure"), "{set}");
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    assert_eq!(app.get("/sign-in").await.header("strict-transport-security"), None, "it came in the clear");
    app.stop().await;
}

#[tokio::test]
async fn nobody_signs_in_with_a_key_that_opens_no_page() {
    let (app, told) = TestApp::after(&["keys add scraper --scope metrics"], |_| {}).await;
    let answer = sign_in(&app, &key(&told[0]), "/").await;
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    assert!(answer.text().contains("This key is for the figures alone"), "{}", answer.text());
    app.stop().await;
}

/// Where browsers are said to come encrypted, their cookies are for that, though nobody says so of each request.
#[tokio::test]
async fn where_the_public_address_is_encrypted_a_cookie_is_for_tls_alone() {
    let database = TestDatabase::new().await;
    let told = operate(&database, "keys add reader").await;
    let url = database.url();
    let program = Program::serve(&["--public-url", "https://orders.example"], &[("DATABASE_URL", &url)]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
    let form = format!("key={}", key(&told)).into_bytes();
    let answer = crate::app::send(program.address, "POST", "/sign-in", &headers, form).await;
    let set = answer.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("__Host-order-timeline=") && set.contains("Secure"), "{set}");
    let (_, log) = program.stop();
    assert!(log.contains("--trusted-proxy") && log.contains("--public-url"), "{log}");
    database.close().await;
}
