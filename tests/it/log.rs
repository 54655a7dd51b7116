//! What the service logs: ids, and nothing of what senders send.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::app::{TestDatabase, body, send};

/// A word of a body's, a header's and an address's that no log line may hold.
const SECRET: &str = "hushhush";

/// The log of a service, at this level, that was sent all kinds of deliveries.
async fn log(level: &'static str) -> Vec<Value> {
    let database = TestDatabase::new().await;
    let mut service = Command::new(env!("CARGO_BIN_EXE_order-timeline"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", level])
        .env("DATABASE_URL", format!("{}&password={SECRET}", database.url()))
        .env("ORDER_TIMELINE_TRIAL", "fault:asynchronous-commit")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(service.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let address = first.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let mut stderr = service.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        log
    });
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
    Command::new("kill").args(["-s", "TERM", &service.id().to_string()]).status().unwrap();
    service.wait().unwrap();
    database.close().await;
    let log = reading.join().unwrap();
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
