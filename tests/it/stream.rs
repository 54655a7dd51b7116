//! Orders that are watched.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::app::{TestApp, bearer, body, operate};

/// A stream of server-sent events. Reading blocks, so it is read where blocking is allowed.
struct Stream {
    lines: BufReader<TcpStream>,
    head: String,
}

impl Stream {
    fn open(address: SocketAddr, path: &str, last: Option<&str>) -> Self {
        let last = last.map_or_else(String::new, |last| format!("Last-Event-ID: {last}\r\n"));
        Self::open_as(address, path, &last)
    }

    /// With a header of its own.
    fn open_as(address: SocketAddr, path: &str, header: &str) -> Self {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{header}\r\n").unwrap();
        let mut lines = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(lines.read_line(&mut head).unwrap() > 0, "no answer");
        }
        Self { lines, head }
    }

    /// The next event's name, id and data; `None` at the end of the stream.
    fn next(&mut self) -> Option<(String, Option<String>, Value)> {
        let (mut name, mut id) = (String::new(), None);
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The lengths of chunks stand between, the last of them is nought.
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("event: ") {
                name = rest.to_owned();
            } else if let Some(rest) = line.strip_prefix("id: ") {
                id = Some(rest.to_owned());
            } else if let Some(rest) = line.strip_prefix("data: ") {
                return Some((name, id, serde_json::from_str(rest).unwrap()));
            } else if line == "0" {
                return None;
            }
        }
    }
}

async fn blocking<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(read).await.unwrap()
}

const PATH: &str = "/api/v1/orders/00102884/stream";

#[tokio::test]
async fn an_entry_is_told_as_it_happens_whichever_node_took_it_in() {
    let app = TestApp::start().await;
    let other = app.node();
    app.post("/listener", body("16")).await;
    let address = app.address;
    let mut stream = blocking(move || Stream::open(address, PATH, None)).await;
    assert!(stream.head.starts_with("HTTP/1.1 200") && stream.head.contains("text/event-stream"), "{}", stream.head);
    let (hello, mut stream) = blocking(move || (stream.next(), stream)).await;
    let (name, _, data) = hello.unwrap();
    assert_eq!((name.as_str(), data["version"].is_number()), ("hello", true));

    assert_eq!(other.post("/listener", body("13")).await.status, 200);
    let (first, _stream) = blocking(move || (stream.next(), stream)).await;
    let (name, id, entry) = first.unwrap();
    assert_eq!((name.as_str(), entry["kind"].as_str()), ("entry", Some("message")), "{entry}");
    let timeline = app.json("/api/v1/orders/00102884/timeline").await;
    let told = timeline["entries"].as_array().unwrap().iter().find(|one| one["text"] == entry["text"]);
    assert_eq!(told, Some(&entry), "it is the timeline's entry");

    // Whoever comes again says what it had, and is told what came since.
    let again = blocking(move || {
        let mut stream = Stream::open(address, PATH, id.as_deref());
        stream.next();
        stream.next().unwrap()
    });
    assert_eq!(again.await.2, entry);
    other.stop_node().await;
    app.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_those_who_watch() {
    let mut app = TestApp::start().await;
    app.post("/listener", body("16")).await;
    let address = app.address;
    let mut stream = blocking(move || Stream::open(address, PATH, None)).await;
    let since = Instant::now();
    app.stop_gracefully().await;
    let (end, _) = blocking(move || {
        stream.next();
        (stream.next(), stream)
    })
    .await;
    assert!(end.is_none(), "the stream ends: {end:?}");
    assert!(since.elapsed() < Duration::from_secs(20), "nobody waited for the half minute that requests are given");
    app.restart(|_| {}).await;
    app.stop().await;
}

#[tokio::test]
async fn only_orders_that_are_there_are_watched() {
    let app = TestApp::start().await;
    let answer = app.get("/api/v1/orders/nobody/stream").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("no-such-order")));
    let answer = app.get("/api/v1/orders/nobody/stream?sender=nobody").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("no-such-order")));
    app.stop().await;
}

#[tokio::test]
async fn those_who_watch_are_bounded_and_all_else_is_served() {
    let app = TestApp::start().await;
    app.post("/listener", body("16")).await;
    let address = app.address;
    let watching: Vec<Stream> = blocking(move || (0..256).map(|_| Stream::open(address, PATH, None)).collect()).await;
    assert!(watching.iter().all(|stream| stream.head.starts_with("HTTP/1.1 200")));
    let answer = app.get(PATH).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("too-many-streams")));
    assert_eq!(app.get("/orders/00102884").await.status, 200);
    assert_eq!(app.post("/listener", body("13")).await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_opened_it() {
    let (app, told) =
        TestApp::after(&["keys add watcher", "keys add other", "senders add acme --bearer"], |_| {}).await;
    let [key, other, acme] =
        [&told[0]["key"], &told[1]["key"], &told[2]["secret"]].map(|key| bearer(key.as_str().unwrap()));
    let acme = [("Authorization", acme.as_str())];
    assert_eq!(app.send("POST", "/listener", &acme, body("16")).await.status, 200);
    let (address, shown) = (app.address, key.clone());
    let open = move || Stream::open_as(address, PATH, &format!("Authorization: {shown}\r\n"));
    let (hello, mut stream) = blocking(move || {
        let mut stream = open();
        (stream.next(), stream)
    })
    .await;
    assert_eq!(hello.unwrap().0, "hello");
    operate(&app.database, "keys revoke watcher").await;
    app.until(401, async || app.send("GET", "/api/v1/orders", &[("Authorization", &key)], []).await).await;
    assert_eq!(app.send("GET", "/api/v1/orders", &[("Authorization", &other)], []).await.status, 200);
    assert_eq!(app.send("POST", "/listener", &acme, body("13")).await.status, 200);
    assert_eq!(blocking(move || stream.next()).await, None, "nothing is told any more");
    app.stop().await;
}
