//! Tokens of an outside issuer at the listener. The issuer is one of the test's own, on this machine.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, bearer, body};

/// A key to sign with, and what an issuer tells of it.
pub struct IssuerKey {
    pub kid: String,
    pair: KeyPair,
}

impl IssuerKey {
    pub fn new(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: KeyPair::generate().unwrap() }
    }

    pub fn jwk(&self) -> Value {
        // A P-256 point: 4, x, y.
        let point = self.pair.der_bytes();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..65]));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y })
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.pair.serialize_der())).unwrap()
    }
}

/// What the issuer answers now, and how often it was asked for its keys.
#[derive(Clone, Default)]
pub struct Issuer {
    pub keys: Arc<Mutex<Option<Value>>>,
    pub asked: Arc<Mutex<usize>>,
    /// It takes requests and answers none.
    pub hangs: Arc<AtomicBool>,
}

impl Issuer {
    /// Starts it; gives its address.
    pub fn start(&self) -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let issuer = self.clone();
        std::thread::spawn(move || {
            let server = HttpServer::new(move || {
                let issuer = issuer.clone();
                let discovery = move || async move {
                    let at = format!("http://{address}");
                    HttpResponse::Ok().json(json!({ "issuer": at, "jwks_uri": format!("{at}/keys") }))
                };
                let keys = move || {
                    let issuer = issuer.clone();
                    async move {
                        *issuer.asked.lock().unwrap() += 1;
                        while issuer.hangs.load(Ordering::SeqCst) {
                            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
                        }
                        match &*issuer.keys.lock().unwrap() {
                            Some(keys) => HttpResponse::Ok().json(keys),
                            None => HttpResponse::InternalServerError().finish(),
                        }
                    }
                };
                App::new()
                    .route("/.well-known/openid-configuration", web::get().to(discovery))
                    .route("/keys", web::get().to(keys))
            });
            actix_web::rt::System::new().block_on(server.workers(1).listen(socket).unwrap().run()).unwrap();
        });
        address
    }

    pub fn tell(&self, keys: &[&IssuerKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        *self.keys.lock().unwrap() = Some(json!({ "keys": keys }));
    }
}

async fn deliver(app: &TestApp, token: &str) -> (u16, String) {
    let answer: Answer = app.send("POST", "/listener", &[("Authorization", &bearer(token))], body("02")).await;
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_outside_issuers_token_is_checked_in_every_part() {
    let issuer = Issuer::default();
    let address = issuer.start();
    let at = format!("http://{address}");
    let add = format!("senders add acme --issuer {at} --audience orders --claim azp=acme-client --claim roles=deliver");
    let (app, _) = TestApp::after(&[&add, "senders rotate bt-wholesale"], |_| {}).await;
    let (key, other) = (IssuerKey::new("one"), IssuerKey::new("one"));
    let now = chrono::Utc::now().timestamp();
    let good =
        json!({ "iss": at, "aud": ["x", "orders"], "azp": "acme-client", "roles": ["deliver"], "exp": now + 300 });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    assert_eq!(deliver(&app, &key.sign(&good)).await, (503, "issuer-away".to_owned()), "its keys were never heard of");
    // After the pause between two questions.
    issuer.tell(&[&key]);
    let answer = app
        .until(200, async || {
            app.send("POST", "/listener", &[("Authorization", &bearer(&key.sign(&good)))], body("02")).await
        })
        .await;
    assert_eq!(answer.json()["outcome"], "applied");
    let asked = *issuer.asked.lock().unwrap();
    // The public key as a secret: a reader that lets the token choose would be satisfied.
    let confused = |secret: &[u8]| {
        let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let none = {
        let header = BASE64.encode(r#"{"alg":"none","kid":"one"}"#);
        format!("{header}.{}.", BASE64.encode(good.to_string()))
    };
    let jwk = key.jwk();
    for (name, token, status, code) in [
        ("of time with a fraction", key.sign(&with("exp", format!("{}.5", now + 300).parse().unwrap())), 200, ""),
        ("just expired, within the leeway", key.sign(&with("exp", json!(now - 10))), 200, ""),
        ("expired", key.sign(&with("exp", json!(now - 60))), 401, "token-expired"),
        ("without an end", key.sign(&with("exp", Value::Null)), 401, "token-expired"),
        ("early", key.sign(&with("nbf", json!(now + 100))), 401, "token-not-yet-valid"),
        ("of nonsense times", key.sign(&with("nbf", json!("soon"))), 401, "token-not-yet-valid"),
        ("for others", key.sign(&with("aud", json!("billing"))), 401, "token-audience"),
        ("another client's", key.sign(&with("azp", json!("other-client"))), 403, "other-sender"),
        ("without the role", key.sign(&with("roles", json!(["read"]))), 403, "other-sender"),
        ("of another issuer", key.sign(&with("iss", json!("https://evil.example"))), 401, "token-issuer"),
        ("that says to be ours", key.sign(&with("iss", json!("order-timeline"))), 401, "token-key"),
        ("wrongly signed", other.sign(&good), 401, "token-signature"),
        ("HS256 by x", confused(jwk["x"].as_str().unwrap().as_bytes()), 401, "token-algorithm"),
        ("HS256 by the point", confused(key.pair.der_bytes()), 401, "token-algorithm"),
        ("none", none, 401, "wrong-credentials"),
    ] {
        let answer = deliver(&app, &token).await;
        assert_eq!((answer.0, answer.1.as_str()), (status, code), "{name}");
    }
    // Made-up key ids do not make us ask again and again.
    for kid in 0..20 {
        let stray = IssuerKey::new(&format!("stray-{kid}"));
        assert_eq!(deliver(&app, &stray.sign(&good)).await, (401, "token-key".to_owned()));
    }
    assert!(*issuer.asked.lock().unwrap() <= asked + 5, "{} after {asked}", issuer.asked.lock().unwrap());
    // A new key is found; and while the issuer is away, what is known holds.
    let new = IssuerKey::new("two");
    issuer.tell(&[&key, &new]);
    app.until(200, async || {
        app.send("POST", "/listener", &[("Authorization", &bearer(&new.sign(&good)))], body("02")).await
    })
    .await;
    *issuer.keys.lock().unwrap() = None;
    assert_eq!(deliver(&app, &new.sign(&good)).await.0, 200);
    app.stop().await;
}

#[tokio::test]
async fn while_an_issuer_hangs_tokens_of_known_keys_are_let_in() {
    let issuer = Issuer::default();
    let key = IssuerKey::new("one");
    issuer.tell(&[&key]);
    let at = format!("http://{}", issuer.start());
    let add = format!("senders add acme --issuer {at} --audience orders --claim azp=acme-client");
    let (app, _) = TestApp::after(&[&add], |_| {}).await;
    let claims =
        json!({ "iss": at, "aud": "orders", "azp": "acme-client", "exp": chrono::Utc::now().timestamp() + 600 });
    assert_eq!(deliver(&app, &key.sign(&claims)).await.0, 200);
    issuer.hangs.store(true, Ordering::SeqCst);
    let asked = *issuer.asked.lock().unwrap();
    let good = key.sign(&claims);
    let stray = IssuerKey::new("stray").sign(&claims);
    // After the pause between two questions it is asked for the stray key, and does not answer.
    let asking = async {
        while *issuer.asked.lock().unwrap() == asked {
            assert_eq!(deliver(&app, &stray).await, (401, "token-key".to_owned()));
        }
    };
    let mut asking = Box::pin(asking);
    let heard = async {
        while *issuer.asked.lock().unwrap() == asked {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        biased;
        () = heard => {}
        () = &mut asking => panic!("it was not waited for"),
    }
    tokio::select! {
        biased;
        () = &mut asking => panic!("the token of a known key waited for the issuer"),
        told = deliver(&app, &good) => assert_eq!(told.0, 200),
    }
    issuer.hangs.store(false, Ordering::SeqCst);
    asking.as_mut().await;
    drop(asking);
    app.stop().await;
}
