//! Sign-in of people at an issuer. The issuer is one of the test's own.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use order_timeline::access::OidcSettings;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::{Answer, TestApp, operate};
use crate::issuer::IssuerKey;

/// An issuer where whoever comes is whom the test says.
#[derive(Clone)]
struct Provider {
    key: Arc<IssuerKey>,
    /// What the ID token says besides issuer, audience and times.
    claims: Arc<Mutex<Value>>,
    /// What was sent to the token endpoint last.
    form: Arc<Mutex<HashMap<String, String>>>,
}

impl Provider {
    fn start() -> (Self, SocketAddr) {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let provider = Self { key: Arc::new(IssuerKey::new("k")), claims: Arc::default(), form: Arc::default() };
        let served = provider.clone();
        std::thread::spawn(move || {
            let server = HttpServer::new(move || {
                let at = format!("http://{address}");
                let discovery = json!({
                    "issuer": at, "authorization_endpoint": format!("{at}/authorize"), "token_endpoint": format!("{at}/token"),
                    "jwks_uri": format!("{at}/keys"), "response_types_supported": ["code"],
                    "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
                });
                let keys = json!({ "keys": [served.key.jwk()] });
                let provider = served.clone();
                let token = move |form: web::Form<HashMap<String, String>>| {
                    let provider = provider.clone();
                    let at = at.clone();
                    async move {
                        *provider.form.lock().unwrap() = form.into_inner();
                        let now = chrono::Utc::now().timestamp();
                        let mut claims = json!({ "iss": at, "aud": "order-timeline", "exp": now + 60, "iat": now });
                        for (name, value) in provider.claims.lock().unwrap().as_object().unwrap() {
                            claims[name] = value.clone();
                        }
                        let id_token = provider.key.sign(&claims);
                        HttpResponse::Ok().json(json!({
                            "access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": id_token
                        }))
                    }
                };
                let answer = |value: Value| move || std::future::ready(HttpResponse::Ok().json(&value));
                App::new()
                    .route("/.well-known/openid-configuration", web::get().to(answer(discovery)))
                    .route("/keys", web::get().to(answer(keys)))
                    .route("/token", web::post().to(token))
            });
            actix_web::rt::System::new().block_on(server.workers(1).listen(socket).unwrap().run()).unwrap();
        });
        (provider, address)
    }
}

async fn app(issuer: SocketAddr) -> TestApp {
    TestApp::with(|app| {
        app.access.oidc = Some(OidcSettings {
            issuer: format!("http://{issuer}").parse().unwrap(),
            client_id: "order-timeline".to_owned(),
            client_secret: None,
            public_url: "http://127.0.0.1:1/".parse().unwrap(),
            scopes: vec!["profile".to_owned()],
            groups_claim: "groups".to_owned(),
            read_groups: vec!["support".to_owned()],
            operate_groups: vec!["leads".to_owned()],
        });
    })
    .await
}

/// A sign-in that has gone to the issuer.
struct Begun {
    query: HashMap<String, String>,
    cookie: String,
}

async fn begin(app: &TestApp, to: &str) -> Begun {
    let answer = app.get(&format!("/sign-in/start?to={to}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = reqwest::Url::parse(answer.header("location").unwrap()).unwrap();
    assert_eq!(location.path(), "/authorize");
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    let cookie = set.split(';').next().unwrap().to_owned();
    Begun { query: location.query_pairs().into_owned().collect(), cookie }
}

async fn come_back(app: &TestApp, begun: &Begun, state: &str) -> Answer {
    app.send("GET", &format!("/sign-in/callback?code=c&state={state}"), &[("Cookie", &begun.cookie)], []).await
}

/// All cookies of an answer; there is one a line.
fn session(answer: &Answer) -> Option<String> {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value);
    set.map(|set| set.split(';').next().unwrap().to_owned()).find(|cookie| cookie.starts_with("order-timeline="))
}

#[tokio::test]
async fn somebody_signs_in_at_the_issuer_and_may_do_what_their_groups_may() {
    let (provider, issuer) = Provider::start();
    let app = app(issuer).await;
    assert_eq!(app.get("/api/v1/orders").await.status, 401, "where people can sign in, it is not open");
    assert!(app.get("/sign-in?to=/orders/1").await.text().contains("/sign-in/start?to=%2Forders%2F1"));
    for (groups, name, may) in [
        (json!(["support", "x"]), "Ann", Some(200)),
        (json!("leads"), "Bea", Some(200)),
        (json!(["other"]), "Cyd", None),
        (Value::Null, "Dan", None),
    ] {
        let begun = begin(&app, "/orders/1%3Fsender=x").await;
        assert_eq!(begun.query["redirect_uri"], "http://127.0.0.1:1/sign-in/callback");
        assert_eq!(
            (begun.query["code_challenge_method"].as_str(), begun.query["response_type"].as_str()),
            ("S256", "code")
        );
        *provider.claims.lock().unwrap() =
            json!({ "sub": "7", "name": name, "groups": groups, "nonce": begun.query["nonce"], "level": 1 });
        let answer = come_back(&app, &begun, &begun.query["state"]).await;
        let form = provider.form.lock().unwrap().clone();
        let challenge = BASE64.encode(Sha256::digest(&form["code_verifier"]));
        assert_eq!(challenge, begun.query["code_challenge"], "PKCE");
        match may {
            Some(status) => {
                assert_eq!(
                    (answer.status, answer.header("location")),
                    (303, Some("/orders/1?sender=x")),
                    "{}",
                    answer.text()
                );
                let cookie = session(&answer).unwrap();
                assert_eq!(app.send("GET", "/api/v1/orders", &[("Cookie", &cookie)], []).await.status, status);
                let page = app.send("GET", "/sign-in", &[("Cookie", &cookie)], []).await.text();
                assert!(page.contains(&format!("<strong>{name}</strong>")), "{page}");
                let scopes = app.database.rows(&format!("select scopes from session where name = '{name}'")).await;
                assert_eq!(scopes[0]["scopes"], if name == "Bea" { json!(["operate"]) } else { json!(["read"]) });
            }
            None => {
                assert_eq!(answer.status, 403, "{}", answer.text());
                assert!(answer.text().contains("in none of the groups") && session(&answer).is_none());
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_sign_in_that_does_not_fit_together_is_none() {
    let (provider, issuer) = Provider::start();
    let app = app(issuer).await;
    let good = |begun: &Begun| json!({ "sub": "7", "groups": ["support"], "nonce": begun.query["nonce"] });
    let now = chrono::Utc::now().timestamp();
    for (name, wrong) in [
        ("another sign-in's token", json!({ "nonce": "x" })),
        ("no nonce", json!({ "nonce": null })),
        ("somebody else's token", json!({ "aud": "other" })),
        ("another issuer's token", json!({ "iss": "https://evil.example" })),
        ("an old token", json!({ "exp": now - 3600 })),
    ] {
        let begun = begin(&app, "/").await;
        let mut claims = good(&begun);
        for (name, value) in wrong.as_object().unwrap() {
            claims[name] = value.clone();
        }
        *provider.claims.lock().unwrap() = claims;
        let answer = come_back(&app, &begun, &begun.query["state"]).await;
        assert_eq!((answer.status, session(&answer)), (403, None), "{name}");
    }
    let begun = begin(&app, "/").await;
    *provider.claims.lock().unwrap() = good(&begun);
    let stranger = Begun { query: HashMap::new(), cookie: "order-timeline-sign-in=x".to_owned() };
    assert_eq!(come_back(&app, &stranger, &begun.query["state"]).await.status, 403, "another browser's");
    assert_eq!(come_back(&app, &begun, "x").await.status, 403, "a made-up state");
    let answer = come_back(&app, &begun, &begun.query["state"]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(come_back(&app, &begun, &begun.query["state"]).await.status, 403, "a second time");
    let late = begin(&app, "/").await;
    *provider.claims.lock().unwrap() = good(&late);
    app.database.execute("update sign_in set expires_at = now() - interval '1 second'").await;
    assert_eq!(come_back(&app, &late, &late.query["state"]).await.status, 403, "too late");
    for elsewhere in ["//evil.example", "https://evil.example", "/%5Cevil.example"] {
        let begun = begin(&app, elsewhere).await;
        *provider.claims.lock().unwrap() = good(&begun);
        assert_eq!(come_back(&app, &begun, &begun.query["state"]).await.header("location"), Some("/"), "{elsewhere}");
    }
    assert_eq!(app.database.rows("select from session").await.len(), 4);
    app.stop().await;
}

#[tokio::test]
async fn an_issuer_that_is_away_stops_nobody_who_is_signed_in_and_no_delivery() {
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = app(nowhere).await;
    let answer = app.get("/sign-in/start").await;
    assert_eq!(answer.status, 502);
    assert!(
        answer.text().contains("does not answer") && !answer.text().contains(&nowhere.to_string()),
        "{}",
        answer.text()
    );
    assert_eq!(app.get("/sign-in").await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn whoever_signed_in_at_an_issuer_is_out_when_there_is_none_any_more() {
    let (provider, issuer) = Provider::start();
    let mut app = app(issuer).await;
    operate(&app.database, "keys add reader").await;
    let begun = begin(&app, "/").await;
    *provider.claims.lock().unwrap() = json!({ "sub": "7", "groups": ["support"], "nonce": begun.query["nonce"] });
    let cookie = session(&come_back(&app, &begun, &begun.query["state"]).await).unwrap();
    let read = async |app: &TestApp| app.send("GET", "/api/v1/orders", &[("Cookie", &cookie)], []).await.status;
    assert_eq!(read(&app).await, 200);
    app.restart(|app| app.access.oidc = None).await;
    assert_eq!(read(&app).await, 401);
    app.stop().await;
}
