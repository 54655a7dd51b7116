//! What the service logs: ids, and nothing of what senders send.

use std::io::{Read, Write};

use serde_json::Value;

use crate::app::{TestDatabase, bearer, body, operate, send};
use crate::program::Program;

/// A word of a body's, a header's and an address's that no log line may hold.
const SECRET: &str = "hushhush";

/// The log of a service, at this level, that was sent all kinds of deliveries.
async fn log(level: &'static str) -> Vec<Value> {
    let database = TestDatabase::new().await;
    let url = format!("{}&password={SECRET}", database.url());
    let environment = [("DATABASE_URL", url.as_str()), ("ORDER_TIMELINE_TRIAL", "fault:asynchronous-commit")];
    let program = Program::serve(&["--log-format", "json", "--log", level], &environment);
    let address = program.address;
    let headers = [("Authorization", "Bearer hushhush"), ("X-Signature", SECRET), ("Cookie", "a=hushhush")];
    let event = String::from_utf8(body("09")).unwrap().replace("BBONE0005347", SECRET).replace("CUG", SECRET);
    let bodies = [
        event.clone(),
        event.clone(),
        event.replace("\"completed\"", "\"failed\""),
        format!(r#"{{"event": {{"productOrder": {{"name": "{SECRET}"}}}}}}"#),
        format!("{SECRET} is no JSON"),
        format!(r#"{{"event": {{"productOrder": {{"id": "long", "x": "{}"}}}}"#, SECRET.repeat(3_000_000)),
        format!(r#"{{"event": {{"productOrder": {{"id": "nul\u0000", "state": "{SECRET}\u0000"}}}}"#),
    ];
    for body in bodies {
        send(address, "POST", "/listener", &headers, body.into_bytes()).await;
    }
    for path in ["/api/v1/orders?q=hushhush", "/api/v1/orders?party=%FF", "/api/v1/orders/00228874", "/orders/00228874"]
    {
        send(address, "GET", path, &[], Vec::new()).await;
    }
    let (_, log) = program.stop();
    database.close().await;
    assert!(!log.contains(SECRET), "{}", log.lines().find(|line| line.contains(SECRET)).unwrap());
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[tokio::test]
async fn the_log_has_ids_and_neither_bodies_nor_secrets() {
    let log = log("debug").await;
    let kept = |outcome: &str| log.iter().filter(|line| line["outcome"] == outcome).collect::<Vec<_>>();
    let applied = kept("applied");
    assert_eq!((applied[0]["order_id"].as_str(), applied[0]["level"].as_str()), (Some("00228874"), Some("DEBUG")));
    assert!(applied[0]["delivery_id"].is_string() && applied[0]["event_id"].is_string(), "{}", applied[0]);
    assert_eq!(applied[0]["span"]["name"], "delivery");
    assert_eq!(kept("duplicate").len(), 1);
    assert_eq!(kept("conflict")[0]["level"], "INFO");
    // The tests' server is careless, and so is this service; at the start that is said.
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let told = format!("the database is not safe: {setting} is off");
        let is_told =
            |line: &Value| line["level"] == "WARN" && line["message"].as_str().unwrap_or_default().starts_with(&told);
        assert!(log.iter().any(is_told), "{setting}");
    }
    let quarantined = kept("quarantined");
    assert_eq!(
        (&quarantined[0]["reason"], &quarantined[0]["path"]),
        (&"no-order".into(), &"event.productOrder.id".into())
    );
}

#[tokio::test]
async fn not_even_a_trace_holds_them() {
    assert!(log("trace").await.len() > 50);
}

#[tokio::test]
async fn whoever_has_a_delivery_read_again_stands_in_the_log() {
    let database = TestDatabase::new().await;
    let key = operate(&database, "keys add nightly --scope operate").await["key"].as_str().unwrap().to_owned();
    let sender = operate(&database, "senders add acme --bearer").await["secret"].as_str().unwrap().to_owned();
    let program = Program::serve(&["--log-format", "json"], &[("DATABASE_URL", &database.url())]);
    let post = async |path: &str, secret: &str, body: Vec<u8>| {
        let headers = [("Authorization", bearer(secret)), ("Sec-Fetch-Site", "same-origin".to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(program.address, "POST", path, &headers, body).await
    };
    let receipt = post("/listener", &sender, body("01")).await.json();
    let id = receipt["deliveryId"].as_str().unwrap().to_owned();
    let ways = [(format!("/api/v1/deliveries/{id}/retry"), 200), (format!("/deliveries/{id}/retry"), 303)];
    for (path, status) in &ways {
        assert_eq!(post(path, &key, Vec::new()).await.status, *status, "{path}");
    }
    let (_, log) = program.stop();
    assert!(!log.contains(&key) && !log.contains(&sender), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = lines.iter().filter(|line| line["message"] == "a delivery was read again");
    let told: Vec<_> = told.map(|line| (line["delivery_id"].as_str(), line["by"].as_str())).collect();
    assert_eq!(told, vec![(Some(id.as_str()), Some("key:nightly")); 2], "{log}");
    database.close().await;
}

#[tokio::test]
async fn strangers_who_talk_rubbish_do_not_fill_it() {
    let database = TestDatabase::new().await;
    for level in [&[][..], &["--log", "info"], &["--log", "debug"]] {
        let log = after_rubbish(&database, level).await;
        assert!(log.contains("the service has stopped") && !log.contains("ERROR"), "{level:?}: {log}");
    }
    let named = after_rubbish(&database, &["--log", "info,actix_http=info"]).await;
    assert!(named.contains("ERROR"), "{named}");
    database.close().await;
}

/// The log of a service with these arguments that strangers talked rubbish to.
async fn after_rubbish(database: &TestDatabase, arguments: &[&str]) -> String {
    let program = Program::serve(arguments, &[("DATABASE_URL", &database.url())]);
    let address = program.address;
    let talk = move || {
        for rubbish in [&b"\x16\x03\x01\x02\x00\x01\r\n\r\n"[..], b"POST /listener HTTP/1.1\r\n:\r\n\r\n"] {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(rubbish).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
    };
    tokio::task::spawn_blocking(talk).await.unwrap();
    program.stop().1
}
