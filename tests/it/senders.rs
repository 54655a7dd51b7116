//! Who may post, by each way of showing it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, TestDatabase, bearer, body, operate};
use crate::app::{out, run};

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

fn secret(told: &Value) -> &str {
    told["secret"].as_str().unwrap()
}

#[tokio::test]
async fn basic_and_bearer_say_whose_a_delivery_is() {
    let commands = ["senders add acme --basic", "senders add bolt --bearer --ack-status 204", "keys add reader"];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let basic = |user: &str, password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    let post = async |authorization: &str, path: &str| {
        app.send("POST", path, &[("Authorization", authorization)], body("02")).await
    };
    assert_eq!(post(&basic("acme", secret(&told[0])), "/listener").await.status, 200);
    assert_eq!(post(&bearer(secret(&told[1])), "/listener").await.status, 204, "its own acknowledgement");
    assert_eq!(post(&bearer(secret(&told[1])), "/listener?sender=bolt").await.status, 204);
    let reader = told[2]["key"].as_str().unwrap();
    for (authorization, path, expected) in [
        (basic("acme", secret(&told[1])), "/listener", refused(401, "wrong-credentials")),
        (basic("bolt", secret(&told[0])), "/listener", refused(401, "wrong-credentials")),
        (bearer(secret(&told[0])), "/listener", refused(401, "wrong-credentials")),
        (bearer(secret(&told[1])), "/listener?sender=acme", refused(403, "other-sender")),
        (bearer(secret(&told[1])), "/listener?sender=nobody", refused(403, "other-sender")),
        (bearer(reader), "/listener", refused(403, "key-at-listener")),
        ("Digest x".to_owned(), "/listener", refused(401, "wrong-credentials")),
        ("Bearer".to_owned(), "/listener", refused(401, "wrong-credentials")),
        ("Basic !!!".to_owned(), "/listener", refused(401, "wrong-credentials")),
    ] {
        let before = app.refused(reader, &expected.1).await;
        assert_eq!(code(&post(&authorization, path).await), expected, "{authorization} {path}");
        assert_eq!(app.refused(reader, &expected.1).await, before + 1);
    }
    let answer = app.post("/listener", body("02")).await;
    assert_eq!(code(&answer), refused(401, "no-credentials"));
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm="));
    let kept = app.database.rows("select sender, count(*) as n from delivery group by sender").await;
    assert_eq!(kept, [json!({ "sender": "acme", "n": 1 }), json!({ "sender": "bolt", "n": 2 })]);
    app.stop().await;
}

#[tokio::test]
async fn a_password_that_a_supplier_chose_is_taken_and_kept_slow_to_guess() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    let file = file.to_str().unwrap();
    let told = out(&run(&database, &["senders", "add", "acme", "--basic", "--secret-file", file]).await);
    assert!(!told.contains("correct horse"), "{told}");
    let kept = database.rows("select left(secret, 10) as secret from sender_secret").await;
    assert_eq!(kept, [json!({ "secret": "$argon2id$" })]);
    std::fs::write(folder.path().join("password"), "short").unwrap();
    let output = run(&database, &["senders", "rotate", "acme", "--secret-file", file]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("shorter than 12"));
    // Another sender's secret is not tried against it.
    operate(&database, "senders add bolt --bearer").await;
    let app = TestApp::on(database, |_| {});
    for (password, status) in [("correct horse", 200), ("correct horse", 200), ("correct house", 401), ("", 401)] {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("acme:{password}")));
        let answer = app.send("POST", "/listener", &[("Authorization", &basic)], body("02")).await;
        assert_eq!(answer.status, status, "{password}");
    }
    app.stop().await;
}

/// A request signed as Standard Webhooks says.
pub fn signed(secret: &str, at: i64, body: &[u8]) -> [(&'static str, String); 3] {
    use hmac::{KeyInit, Mac};
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("msg_1.{at}.").as_bytes());
    mac.update(body);
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    [("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", at.to_string()), ("webhook-signature", signature)]
}

#[tokio::test]
async fn a_signature_fits_one_body_one_sender_and_a_time() {
    let commands =
        ["senders add acme --webhook", "senders add bolt --webhook --webhook-tolerance 60", "keys add reader"];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let post = async |headers: &[(&'static str, String)], body: Vec<u8>| {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.send("POST", "/listener", &headers, body).await
    };
    let now = chrono::Utc::now().timestamp();
    for (secret, at) in [(secret(&told[0]), now), (secret(&told[0]), now - 200), (secret(&told[1]), now)] {
        let answer = post(&signed(secret, at, &body("02")), body("02")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let kept = app.database.rows("select sender, count(*) as n from delivery group by sender").await;
    assert_eq!(kept, [json!({ "sender": "bolt", "n": 1 }), json!({ "sender": "acme", "n": 2 })]);
    let acme = secret(&told[0]);
    let mut moved = signed(acme, now - 400, &body("02"));
    moved[1].1 = now.to_string();
    for (headers, sent, expected) in [
        (signed(acme, now - 400, &body("02")).to_vec(), "02", refused(401, "signature-time")),
        (signed(acme, now + 400, &body("02")).to_vec(), "02", refused(401, "signature-time")),
        (signed(secret(&told[1]), now - 200, &body("02")).to_vec(), "02", refused(401, "signature-time")),
        (moved.to_vec(), "02", refused(401, "wrong-signature")),
        (signed(acme, now, &body("02")).to_vec(), "03", refused(401, "wrong-signature")),
        (
            signed("whsec_Z3Vlc3NlZGd1ZXNzZWRndWVzc2Vk", now, &body("02")).to_vec(),
            "02",
            refused(401, "wrong-signature"),
        ),
        (signed(acme, now, &body("02"))[..2].to_vec(), "02", refused(401, "no-credentials")),
    ] {
        assert_eq!(code(&post(&headers, body(sent)).await), expected);
    }
    // While the secret changes, both are good.
    let rotated = operate(&app.database, "senders rotate acme").await;
    app.until(200, async || post(&signed(secret(&rotated), now, &body("02")), body("02")).await).await;
    assert_eq!(post(&signed(acme, now, &body("02")), body("02")).await.status, 200);
    let before = app.database.rows("select from delivery").await.len();
    assert_eq!(before, 5, "what was refused was not kept");
    app.stop().await;
}

#[tokio::test]
async fn all_that_is_demanded_must_be_shown() {
    let commands = [
        "senders add near --bearer --address 127.0.0.0/8",
        "senders add far --bearer --address 192.0.2.0/24,2001:db8::/32",
        "senders add both --bearer --webhook",
        "keys add reader",
    ];
    let (app, told) =
        TestApp::after(&commands, |app| app.access.proxies.trusted = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let post = async |headers: &[(&'static str, String)]| {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.send("POST", "/listener", &headers, body("02")).await
    };
    let authorized = |told: &Value| ("Authorization", bearer(secret(told)));
    let from = |chain: &str| ("X-Forwarded-For", chain.to_owned());
    assert_eq!(post(&[authorized(&told[0])]).await.status, 200);
    assert_eq!(post(&[authorized(&told[1]), from("192.0.2.7")]).await.status, 200);
    assert_eq!(post(&[authorized(&told[1]), from("2001:db8::7")]).await.status, 200);
    for headers in [
        vec![authorized(&told[1])],
        vec![authorized(&told[1]), from("192.0.2.7, 203.0.113.1")],
        vec![authorized(&told[1]), from("203.0.113.1")],
        vec![authorized(&told[1]), ("Forwarded", "for=192.0.2.7".to_owned())],
        vec![authorized(&told[0]), from("192.0.2.7")],
    ] {
        assert_eq!(code(&post(&headers).await), refused(403, "wrong-address"), "{headers:?}");
    }
    let now = chrono::Utc::now().timestamp();
    let webhook = out(&run(&app.database, &["senders", "list", "--json"]).await);
    assert!(!webhook.contains("whsec_"), "{webhook}");
    // Its two secrets came as two lines.
    let both = told[2].as_str().unwrap();
    let both: Vec<Value> = both.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut headers = signed(secret(&both[1]), now, &body("02")).to_vec();
    assert_eq!(code(&post(&headers).await), refused(401, "no-credentials"));
    headers.push(authorized(&both[0]));
    assert_eq!(post(&headers).await.status, 200);
    assert_eq!(code(&post(&[authorized(&both[0])]).await), refused(401, "no-signature"));
    app.stop().await;
}

#[tokio::test]
async fn a_strangers_forwarded_address_is_not_believed() {
    let (app, told) = TestApp::after(&["senders add far --bearer --address 192.0.2.0/24"], |_| {}).await;
    let authorization = bearer(secret(&told[0]));
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-Ip"] {
        let value = if header == "Forwarded" { "for=192.0.2.7" } else { "192.0.2.7" };
        let headers = [("Authorization", authorization.as_str()), (header, value)];
        let answer = app.send("POST", "/listener", &headers, body("02")).await;
        assert_eq!(code(&answer), refused(403, "wrong-address"), "{header}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_sender_by_address_alone_has_to_be_named_where_there_are_two() {
    let commands = ["senders add acme --address 127.0.0.1", "senders add bolt --address 127.0.0.0/8"];
    let (app, _) = TestApp::after(&commands, |_| {}).await;
    assert_eq!(code(&app.post("/listener", body("02")).await), refused(403, "several-senders"));
    assert_eq!(app.post("/listener?sender=bolt", body("02")).await.status, 200);
    assert_eq!(app.database.rows("select sender from delivery").await, [json!({ "sender": "bolt" })]);
    app.stop().await;
}

/// Whoever shows something is judged by it: an address that fits anybody makes nobody of them.
#[tokio::test]
async fn a_sender_by_address_alone_takes_nothing_of_its_neighbours() {
    let commands = [
        "senders add near --address 127.0.0.0/8",
        "senders add acme --basic",
        "senders add hook --webhook",
        "senders add bolt --bearer --address 127.0.0.1",
    ];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let basic = |password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("acme:{password}")));
    let post = async |headers: &[(&str, &str)], path: &str| app.send("POST", path, headers, body("02")).await;
    let right = basic(secret(&told[1]));
    assert_eq!(post(&[("Authorization", &right)], "/listener").await.status, 200);
    assert_eq!(app.database.rows("select sender from delivery").await, [json!({ "sender": "acme" })]);
    let wrong = basic("wrong");
    for (header, path) in [(&wrong, "/listener"), (&right, "/listener?sender=near"), (&wrong, "/listener?sender=near")]
    {
        let answer = post(&[("Authorization", header)], path).await;
        assert!([401, 403].contains(&answer.status), "{path}: {}", answer.text());
    }
    assert_eq!(code(&post(&[("Authorization", &wrong)], "/listener").await), refused(401, "wrong-credentials"));
    let now = chrono::Utc::now().timestamp().to_string();
    let signed = [("webhook-id", "1"), ("webhook-timestamp", now.as_str()), ("webhook-signature", "v1,AAAA")];
    assert_eq!(code(&post(&signed, "/listener").await), refused(401, "wrong-signature"));
    assert_eq!(post(&[("Authorization", &bearer(secret(&told[3])))], "/listener").await.status, 200);
    assert_eq!(post(&[], "/listener").await.status, 200, "who shows nothing is known by the address");
    let kept = app.database.rows("select sender from delivery").await;
    assert_eq!(kept, [json!({ "sender": "acme" }), json!({ "sender": "bolt" }), json!({ "sender": "near" })]);
    app.stop().await;
}

#[tokio::test]
async fn the_front_door_is_for_its_markets_sender_alone() {
    let commands = ["senders add hybris-pr --basic --replace", "senders add acme --basic", "keys add reader"];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let request =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hybris/pr-self-install.request.json")).unwrap();
    let basic =
        |user: &str, told: &Value| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", secret(told))));
    let headers = |authorization: String| {
        [
            ("Authorization", authorization),
            ("client-id", "demo".to_owned()),
            ("client-secret", "demo".to_owned()),
            ("lob", "FIXED".to_owned()),
            ("channelId", "ECOM".to_owned()),
            ("correlationId", "644e1dd7-1".to_owned()),
            ("X-Conversation-Id", "QAHA017633E52B68CF0000".to_owned()),
        ]
    };
    let place = async |path: &str, authorization: String| {
        let headers = headers(authorization);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.send("POST", path, &headers, request.clone()).await
    };
    let path = "/hybris/PR/productOrder";
    assert_eq!(place(path, basic("acme", &told[1])).await.status, 403);
    assert_eq!(place("/hybris/JM/productOrder", basic("hybris-pr", &told[0])).await.status, 403);
    assert_eq!(place(path, bearer(told[2]["key"].as_str().unwrap())).await.status, 403);
    assert_eq!(place(path, "Basic x".to_owned()).await.status, 401);
    assert_eq!(app.database.rows("select from hybris_exchange").await.len(), 0);
    let answer = place(path, basic("hybris-pr", &told[0])).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let shown = async |authorization: String| {
        app.send("GET", "/hybris/PR/productOrder/1200047552281013", &[("Authorization", &authorization)], [])
            .await
            .status
    };
    assert_eq!(shown(basic("hybris-pr", &told[0])).await, 200);
    assert_eq!(shown(basic("acme", &told[1])).await, 403);
    app.stop().await;
}

#[tokio::test]
async fn half_and_unknown_settings_are_refused_with_a_clear_text() {
    let database = TestDatabase::new().await;
    for (command, told) in [
        ("senders add acme", "required"),
        ("senders add Acme! --basic", "small letters"),
        ("senders add acme --token-lifetime 60", "required"),
        ("senders add acme --oauth --token-lifetime 5", "from 60 to 86400"),
        ("senders add acme --issuer https://id.example", "--audience"),
        ("senders add acme --issuer https://id.example --audience x", "--claim"),
        ("senders add acme --issuer http://id.example --audience x --claim sub=y", "not https"),
        ("senders add acme --issuer https://id.example --audience x --claim suby", "sub=abc"),
        ("senders add acme --issuer https://id.example --audience x --claim sub=y --algorithm HS256", "asymmetric"),
        ("senders add acme --issuer https://id.example --audience x --claim sub=y --algorithm none", "no algorithm"),
        ("senders add acme --webhook --webhook-tolerance 0", "1 to 3600"),
        ("senders add acme --certificate-fingerprint abc", "64 hexadecimal"),
        ("senders add acme --address 10.0.0.0/99", "no range"),
        ("senders add acme --bearer --webhook --secret-file /dev/null", "name one way"),
        ("senders add acme --bearer --secret-file /nothing", "cannot be read"),
        ("senders add acme --basic --ack-status 500", "200..=299"),
        ("senders add acme --oauth --token-audience=", "--token-audience"),
        ("senders rotate nobody", "there is no sender nobody"),
        ("senders rotate bt-wholesale --way basic", "does not use basic"),
        ("senders disable nobody", "there is no sender nobody"),
        ("keys add x --scope write", "none of metrics, read and operate"),
        ("keys add ", "a key needs a name"),
        ("keys revoke nobody", "no key “nobody”"),
    ] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let output = run(&database, &arguments).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(told), "{command}: {error}");
    }
    assert_eq!(database.rows("select from sender where set_up").await.len(), 0);
    operate(&database, "senders add acme --basic").await;
    let again = run(&database, &["senders", "add", "acme", "--bearer"]).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("was set up before"));
    operate(&database, "senders add acme --bearer --replace").await;
    let ways = database.rows("select way from sender_secret").await;
    assert_eq!(ways, [json!({ "way": "bearer" })], "secrets of other ways are gone");
    operate(&database, "keys add one").await;
    let again = run(&database, &["keys", "add", "one"]).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("there is, or was, a key with the name"));
    database.close().await;
}

#[tokio::test]
async fn secrets_are_shown_once_and_stand_nowhere_else() {
    let database = TestDatabase::new().await;
    let commands =
        ["senders rotate bt-wholesale", "senders add acme --basic", "senders add bolt --bearer", "keys add reader"];
    let mut secrets = Vec::new();
    for command in commands {
        let told = operate(&database, command).await;
        secrets.push(told.get("secret").or(told.get("key")).unwrap().as_str().unwrap().to_owned());
    }
    let dump = database
        .rows("select to_jsonb(s) as row from sender s union all select to_jsonb(s) from sender_secret s union all select to_jsonb(k) from api_key k")
        .await;
    let mut said = serde_json::to_string(&dump).unwrap();
    for arguments in
        [&["senders", "list"][..], &["senders", "list", "--json"], &["keys", "list"], &["keys", "list", "--json"]]
    {
        said += &out(&run(&database, arguments).await);
    }
    // What the service logs of them, right and wrong.
    let url = database.url();
    let (log, asked) = tokio::task::spawn_blocking({
        let secrets = secrets.clone();
        move || serve_and_knock(&url, &secrets)
    })
    .await
    .unwrap();
    assert_eq!(asked, 8);
    assert!(log.contains("wrong-credentials"), "{log}");
    said += &log;
    for secret in &secrets {
        assert!(!said.contains(secret.as_str()), "{said}");
        assert!(!said.contains(&secret[10..]), "{said}");
    }
    database.close().await;
}

/// Runs the program, shows it these secrets in the right and the wrong places, and gives all that it wrote.
fn serve_and_knock(url: &str, secrets: &[String]) -> (String, usize) {
    use std::io::{Read, Write};
    let program = crate::program::Program::serve(&["--log", "debug"], &[("DATABASE_URL", url)]);
    let address = program.address;
    let mut asked = 0;
    for secret in secrets {
        for path in ["/listener", "/api/v1/orders"] {
            let mut connection = std::net::TcpStream::connect(address).unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\nContent-Length: 0\r\n\r\n"
            );
            connection.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            assert!(!answer.contains(secret.as_str()), "{answer}");
            asked += 1;
        }
    }
    let (said, log) = program.stop();
    (said + &log, asked)
}

#[tokio::test]
async fn who_has_access_is_known_while_the_database_is_away() {
    let (app, told) = TestApp::after(&["senders rotate bt-wholesale"], |_| {}).await;
    let form = format!("grant_type=client_credentials&client_id=bt-wholesale&client_secret={}", secret(&told[0]));
    let ask = async || {
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        app.send("POST", "/oauth/token", &kind, form.as_bytes()).await
    };
    let token = app.until(200, ask).await.json()["access_token"].as_str().unwrap().to_owned();
    app.database.execute("alter table sender rename to sender_away").await;
    let wrong = app.send("POST", "/listener", &[("Authorization", "Bearer x")], body("02")).await;
    assert_eq!(code(&wrong), refused(401, "wrong-credentials"));
    assert_eq!(ask().await.status, 200);
    let answer = app.send("POST", "/listener", &[("Authorization", &bearer(&token))], body("02")).await;
    assert_eq!(answer.status, 200);
    app.stop().await;
    // One that never could read it lets nobody in, and says to come again.
    let database = TestDatabase::new().await;
    database.execute("alter table sender rename to sender_away").await;
    let app = TestApp::on(database, |_| {});
    for (method, path) in [("POST", "/listener"), ("GET", "/api/v1/orders"), ("GET", "/")] {
        let answer = app.send(method, path, &[], []).await;
        assert_eq!(code(&answer), refused(503, "database-unavailable"), "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn whoever_names_a_sender_does_not_learn_whether_there_is_one() {
    let (app, told) = TestApp::after(&["senders add acme --bearer", "senders add bolt --basic"], |_| {}).await;
    let basic = |user: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:wrong")));
    let good = bearer(secret(&told[0]));
    for (authorization, expected) in [
        (None, refused(401, "no-credentials")),
        (Some("Bearer wrong".to_owned()), refused(401, "wrong-credentials")),
        (Some("Bearer a.b.c".to_owned()), refused(401, "wrong-credentials")),
        (Some("Digest x".to_owned()), refused(401, "wrong-credentials")),
        (Some(basic("bolt")), refused(401, "wrong-credentials")),
        (Some(basic("nobody")), refused(401, "wrong-credentials")),
        (Some(good), refused(403, "other-sender")),
    ] {
        for named in ["bolt", "nobody"] {
            let headers: Vec<(&str, &str)> =
                authorization.iter().map(|value| ("Authorization", value.as_str())).collect();
            let answer = app.send("POST", &format!("/listener?sender={named}"), &headers, body("02")).await;
            assert_eq!(code(&answer), expected, "{named}, {authorization:?}");
        }
    }
    app.stop().await;
}

/// Before a signature holds, whoever signed is nobody: what else a sender must show is not for them to learn.
#[tokio::test]
async fn only_who_signed_a_body_learns_what_else_it_lacks() {
    let commands =
        ["senders add acme --webhook --address 192.0.2.0/24", "senders add gone --webhook", "keys add reader"];
    let (app, told) = TestApp::after(&commands, |_| {}).await;
    let now = chrono::Utc::now().timestamp();
    let post = async |secret: &str, at: i64, path: &str| {
        let headers = signed(secret, at, &body("02"));
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        code(&app.send("POST", path, &headers, body("02")).await)
    };
    let stranger = "whsec_Z3Vlc3NlZGd1ZXNzZWRndWVzc2Vk";
    for path in ["/listener", "/listener?sender=acme"] {
        assert_eq!(post(stranger, now, path).await, refused(401, "wrong-signature"), "{path}");
        assert_eq!(post(stranger, now - 4000, path).await, refused(401, "wrong-signature"), "{path}");
        assert_eq!(post(secret(&told[0]), now, path).await, refused(403, "wrong-address"), "{path}");
    }
    assert_eq!(post(secret(&told[1]), now - 4000, "/listener").await, refused(401, "signature-time"));
    assert_eq!(post(secret(&told[1]), now, "/listener").await.0, 200);
    operate(&app.database, "senders disable gone").await;
    app.until(403, async || {
        let headers = signed(secret(&told[1]), now, &body("02"));
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.send("POST", "/listener", &headers, body("02")).await
    })
    .await;
    assert_eq!(post(stranger, now, "/listener?sender=gone").await, refused(401, "wrong-signature"));
    assert_eq!(app.database.rows("select distinct sender from delivery").await, [json!({ "sender": "gone" })]);
    app.stop().await;
}

/// Whoever comes through a proxy that nobody has told of is at the proxy's address, whoever they are.
#[tokio::test]
async fn an_address_is_not_known_behind_a_proxy_that_the_service_was_not_told_of() {
    let commands = ["senders add near --address 127.0.0.1", "senders add both --bearer --address 127.0.0.1"];
    let (mut app, told) = TestApp::after(&commands, |_| {}).await;
    let post = async |app: &TestApp, forwarded: Option<(&'static str, &'static str)>, named: &str| {
        let authorization = bearer(secret(&told[1]));
        let shown = (named == "both").then_some(("Authorization", authorization.as_str()));
        let headers: Vec<(&str, &str)> = shown.into_iter().chain(forwarded).collect();
        let answer = app.send("POST", "/listener", &headers, body("02")).await;
        if answer.status == 200 { refused(200, "") } else { code(&answer) }
    };
    for named in ["near", "both"] {
        for forwarded in
            [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"), ("X-Real-Ip", "203.0.113.9")]
        {
            let told = post(&app, Some(forwarded), named).await;
            assert_eq!(told, refused(403, "undeclared-proxy"), "{named} {forwarded:?}");
        }
        assert_eq!(post(&app, None, named).await, refused(200, ""), "{named}");
    }
    app.restart(|app| app.access.proxies.trusted = vec!["127.0.0.1".parse::<std::net::IpAddr>().unwrap().into()]).await;
    assert_eq!(post(&app, Some(("X-Forwarded-For", "127.0.0.1")), "both").await, refused(200, ""));
    assert_eq!(post(&app, Some(("X-Forwarded-For", "203.0.113.9")), "both").await, refused(403, "wrong-address"));
    app.stop().await;
}

#[tokio::test]
async fn a_disabled_sender_that_is_set_up_anew_stays_out() {
    let database = TestDatabase::new().await;
    operate(&database, "senders add acme --basic").await;
    operate(&database, "senders disable acme").await;
    let told = out(&run(&database, &["senders", "add", "acme", "--basic", "--replace"]).await);
    assert!(told.contains("still disabled") && told.contains("senders enable acme"), "{told}");
    assert_eq!(database.rows("select enabled from sender where sender = 'acme'").await, [json!({ "enabled": false })]);
    operate(&database, "senders enable acme").await;
    let told = out(&run(&database, &["senders", "add", "acme", "--basic", "--replace"]).await);
    assert!(!told.contains("disabled"), "{told}");
    assert_eq!(database.rows("select enabled from sender where sender = 'acme'").await, [json!({ "enabled": true })]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "correct horse battery").unwrap();
    let arguments = ["senders", "add", "acme", "--basic", "--replace", "--secret-file", file.path().to_str().unwrap()];
    let output = run(&database, &arguments).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{error}");
    assert!(error.contains("keeps the secret that it has") && error.contains("senders rotate acme"), "{error}");
    database.close().await;
}
