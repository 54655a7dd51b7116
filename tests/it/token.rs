//! `POST /oauth/token`, and what its tokens are good for.

use serde_json::{Value, json};

use crate::app::{Answer, TestApp, TestDatabase, bearer, body, operate, out, run};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn ask(app: &TestApp, form: &str) -> Answer {
    app.send("POST", "/oauth/token", &[FORM], form.as_bytes()).await
}

async fn token(app: &TestApp, told: &Value) -> String {
    let secret = told["secret"].as_str().unwrap();
    let form = format!("grant_type=client_credentials&client_id=bt-wholesale&client_secret={secret}");
    let answer = ask(app, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn deliver(app: &TestApp, token: &str) -> Answer {
    app.send("POST", "/listener", &[("Authorization", &bearer(token))], body("02")).await
}

#[tokio::test]
async fn a_sender_gets_a_token_and_delivers_with_it() {
    use base64::Engine;
    let (app, told) = TestApp::after(&["senders rotate bt-wholesale", "keys add reader"], |_| {}).await;
    let secret = told[0]["secret"].as_str().unwrap();
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("bt-wholesale:{secret}"));
    let headers = [FORM, ("Authorization", &format!("Basic {basic}"))];
    let answer = app.send("POST", "/oauth/token", &headers, "grant_type=client_credentials&scope=listener").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    let token_answer = answer.json();
    assert_eq!((&token_answer["token_type"], &token_answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(token_answer["scope"], "listener");
    for token in [token_answer["access_token"].as_str().unwrap().to_owned(), token(&app, &told[0]).await] {
        let answer = deliver(&app, &token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let kept = app.database.rows("select sender, headers::text like '%eyJ%' as told from delivery").await;
    assert_eq!(kept, vec![json!({ "sender": "bt-wholesale", "told": false }); 2]);
    app.stop().await;
}

#[tokio::test]
async fn errors_are_those_of_the_standard() {
    use base64::Engine;
    let (app, told) = TestApp::after(&["senders rotate bt-wholesale", "senders add acme --bearer"], |_| {}).await;
    let secret = told[0]["secret"].as_str().unwrap();
    let good = format!("client_id=bt-wholesale&client_secret={secret}");
    let other = format!("client_id=hybris-pr&client_secret={secret}");
    let other_way = format!("client_id=acme&client_secret={}", told[1]["secret"].as_str().unwrap());
    for (form, status, error) in [
        (format!("grant_type=client_credentials&{good}x"), 401, "invalid_client"),
        (format!("grant_type=client_credentials&{other}"), 401, "invalid_client"),
        (format!("grant_type=client_credentials&{other_way}"), 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=nobody&client_secret=x".to_owned(), 401, "invalid_client"),
        ("grant_type=client_credentials".to_owned(), 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=bt-wholesale".to_owned(), 401, "invalid_client"),
        (format!("grant_type=password&{good}"), 400, "unsupported_grant_type"),
        (good.clone(), 400, "invalid_request"),
        (format!("grant_type=client_credentials&grant_type=client_credentials&{good}"), 400, "invalid_request"),
        (format!("grant_type=client_credentials&scope=read&{good}"), 400, "invalid_scope"),
        (format!("grant_type=client_credentials&scope=listener+operate&{good}"), 400, "invalid_scope"),
    ] {
        let answer = ask(&app, &form).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{form}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{form}");
        assert!(!answer.text().contains(secret));
    }
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("bt-wholesale:{secret}"));
    let both = [FORM, ("Authorization", &format!("Basic {basic}"))];
    let answer = app.send("POST", "/oauth/token", &both, format!("grant_type=client_credentials&{good}")).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")));
    for (form, status) in [
        (format!("client_secret={secret}"), 400),
        ("client_id=acme".to_owned(), 400),
        ("client_id=bt-wholesale".to_owned(), 200),
    ] {
        let answer = app.send("POST", "/oauth/token", &both, format!("grant_type=client_credentials&{form}")).await;
        assert_eq!(answer.status, status, "{form}: {}", answer.text());
        assert!(status == 200 || answer.json()["error"] == "invalid_request", "{form}: {}", answer.text());
    }
    let json = [("Content-Type", "application/json")];
    let answer = app.send("POST", "/oauth/token", &json, r#"{"grant_type":"client_credentials"}"#).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")));
    app.stop().await;
}

#[tokio::test]
async fn credentials_in_the_header_are_read_as_the_standard_writes_them_and_as_many_do() {
    use base64::Engine;
    let database = TestDatabase::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let secret = "1+1=2 %41 & 100% ü:x";
    std::fs::write(file.path(), secret).unwrap();
    let path = file.path().to_str().unwrap();
    out(&run(&database, &["senders", "add", "acme", "--oauth", "--secret-file", path]).await);
    let app = TestApp::on(database, |_| {});
    let encoded = "1%2B1%3D2+%2541+%26+100%25+%C3%BC%3Ax";
    for (user, password, status) in [
        ("acme", encoded, 200),
        ("%61cme", encoded, 200),
        ("acme", secret, 200),
        ("acme", "1+1=2 A & 100% ü:x", 401),
        ("acme", "", 401),
        ("acme%26", encoded, 401),
    ] {
        let basic = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
        let headers = [FORM, ("Authorization", &format!("Basic {basic}"))];
        let answer = app.send("POST", "/oauth/token", &headers, "grant_type=client_credentials").await;
        assert_eq!(answer.status, status, "{user}:{password}: {}", answer.text());
    }
    app.stop().await;
}

#[tokio::test]
async fn while_a_secret_rotates_two_are_good_and_an_ended_one_takes_its_tokens_along() {
    let (app, told) = TestApp::after(&["senders rotate bt-wholesale"], |_| {}).await;
    let first = token(&app, &told[0]).await;
    let second_secret = operate(&app.database, "senders rotate bt-wholesale").await;
    let form = |told: &Value| {
        format!(
            "grant_type=client_credentials&client_id=bt-wholesale&client_secret={}",
            told["secret"].as_str().unwrap()
        )
    };
    app.until(200, async || ask(&app, &form(&second_secret)).await).await;
    assert_eq!(ask(&app, &form(&told[0])).await.status, 200, "the former one holds for a while");
    assert_eq!(deliver(&app, &first).await.status, 200);
    let third_secret = operate(&app.database, "senders rotate bt-wholesale --overlap 0").await;
    app.until(200, async || ask(&app, &form(&third_secret)).await).await;
    for ended in [&told[0], &second_secret] {
        assert_eq!(ask(&app, &form(ended)).await.status, 401);
    }
    let answer = deliver(&app, &first).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("token-revoked")));
    assert_eq!(deliver(&app, &token(&app, &third_secret).await).await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_disabled_sender_is_out_within_seconds_token_or_not() {
    let (app, told) = TestApp::after(&["senders rotate bt-wholesale"], |_| {}).await;
    let held = token(&app, &told[0]).await;
    assert_eq!(deliver(&app, &held).await.status, 200);
    operate(&app.database, "senders disable bt-wholesale").await;
    let answer = app.until(403, async || deliver(&app, &held).await).await;
    assert_eq!(answer.json()["code"], "sender-disabled");
    let secret = told[0]["secret"].as_str().unwrap();
    let answer =
        ask(&app, &format!("grant_type=client_credentials&client_id=bt-wholesale&client_secret={secret}")).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("unauthorized_client")));
    operate(&app.database, "senders enable bt-wholesale").await;
    app.until(200, async || deliver(&app, &held).await).await;
    app.stop().await;
}

#[tokio::test]
async fn any_node_knows_a_token_and_a_forged_or_spent_one_is_known_by_all() {
    use base64::Engine;
    let (mut app, told) = TestApp::after(&["senders rotate bt-wholesale", "keys add reader"], |_| {}).await;
    let reader = told[1]["key"].as_str().unwrap().to_owned();
    let good = token(&app, &told[0]).await;
    // Another process on the same database.
    app.restart(|_| {}).await;
    assert_eq!(deliver(&app, &good).await.status, 200);

    let key = app.database.rows("select encode(key, 'hex') as key, key_id from signing_key").await;
    let key_text = key[0]["key"].as_str().unwrap();
    let key_bytes: Vec<u8> =
        (0..key_text.len()).step_by(2).map(|at| u8::from_str_radix(&key_text[at..at + 2], 16).unwrap()).collect();
    let base64 = base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let parts: Vec<&str> = good.split('.').collect();
    let claims: Value = serde_json::from_slice(&base64.decode(parts[1]).unwrap()).unwrap();
    let signed = |header: Value, changes: Value, key: &[u8]| {
        use hmac::{KeyInit, Mac};
        let mut claims = claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let text = format!("{}.{}", base64.encode(header.to_string()), base64.encode(claims.to_string()));
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        format!("{text}.{}", base64.encode(mac.finalize().into_bytes()))
    };
    let header = json!({ "alg": "HS256", "kid": key[0]["key_id"] });
    assert_eq!(deliver(&app, &signed(header.clone(), json!({}), &key_bytes)).await.status, 200, "the test can sign");
    let past = chrono::Utc::now().timestamp() - 3600;
    let with_alg = |alg: &str| json!({ "alg": alg, "kid": key[0]["key_id"] });
    let none = format!("{}.{}.", base64.encode(with_alg("none").to_string()), parts[1]);
    for (name, forged, status, code) in [
        ("expired", signed(header.clone(), json!({ "exp": past }), &key_bytes), 401, "token-expired"),
        ("endless", signed(header.clone(), json!({ "exp": null }), &key_bytes), 401, "token-expired"),
        ("of text", signed(header.clone(), json!({ "exp": "9999999999" }), &key_bytes), 401, "token-expired"),
        ("early", signed(header.clone(), json!({ "nbf": past + 7200 }), &key_bytes), 401, "token-not-yet-valid"),
        ("for others", signed(header.clone(), json!({ "aud": "billing" }), &key_bytes), 401, "token-audience"),
        ("to read", signed(header.clone(), json!({ "scope": "read" }), &key_bytes), 403, "token-scope"),
        ("nobody's", signed(header.clone(), json!({ "sub": "nobody" }), &key_bytes), 403, "other-sender"),
        ("another's", signed(header.clone(), json!({ "sub": "hybris-pr" }), &key_bytes), 401, "token-revoked"),
        ("wrongly signed", signed(header.clone(), json!({}), b"guess"), 401, "token-signature"),
        ("HS512", signed(with_alg("HS512"), json!({}), &key_bytes), 401, "token-algorithm"),
        ("RS256", signed(with_alg("RS256"), json!({}), &key_bytes), 401, "token-algorithm"),
        ("none", none, 401, "wrong-credentials"),
        ("none, signed", signed(with_alg("none"), json!({}), &key_bytes), 401, "wrong-credentials"),
        ("of another key", signed(json!({ "alg": "HS256", "kid": "7" }), json!({}), &key_bytes), 401, "token-key"),
        ("of no key", signed(json!({ "alg": "HS256" }), json!({}), &key_bytes), 401, "token-key"),
        ("cut", good[..good.len() - 2].to_owned(), 401, "token-signature"),
        ("nonsense", "a.b.c".to_owned(), 401, "wrong-credentials"),
    ] {
        let before = app.refused(&reader, code).await;
        let answer = deliver(&app, &forged).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{name}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{name}");
        assert_eq!(app.refused(&reader, code).await, before + 1, "{name}");
    }
    assert_eq!(app.database.rows("select from delivery").await.len(), 2, "what was refused was not kept");
    let answer = app.send("GET", "/api/v1/orders", &[("Authorization", &bearer(&good))], []).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("sender-at-other-door")));
    app.stop().await;
}
