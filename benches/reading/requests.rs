//! What staff and programs ask over HTTP, one request after the other on one connection.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value as JsonValue, json};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// So many other orders, or ids, are asked for by each kind of request.
const ASKED: usize = 1_000;
/// The kinds of ids that some orders have: nearly all kinds, of a small part of the orders.
const KINDS: &str =
    "select distinct kind from identifier where order_key < '04000000-0000-0000-0000-000000000000' order by 1";

/// Asks for all kinds, prints a row for each, and gives the figures.
pub async fn measure(address: SocketAddr, connection: &mut PgConnection) -> Vec<JsonValue> {
    println!("{:<68} {:>9} {:>9}", "", "p50 ms", "p99 ms");
    let mut client = Client::connect(address).await;
    let mut measured = Vec::new();
    for (name, paths) in kinds(connection).await {
        // What is asked first finds nothing in memory, after a start; that is not what a day is like.
        for path in paths.iter().take(ASKED / 10) {
            client.get(path).await;
        }
        let mut times = Vec::new();
        for path in &paths {
            times.push(client.get(path).await);
        }
        times.sort_by(f64::total_cmp);
        let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(f64::NAN);
        println!("{name:<68} {:>9.2} {:>9.2}", at(50), at(99));
        measured.push(json!({ "request": name, "p50Milliseconds": at(50), "p99Milliseconds": at(99) }));
    }
    measured
}

/// The kinds of requests, each with the paths to ask for.
async fn kinds(connection: &mut PgConnection) -> Vec<(String, Vec<String>)> {
    let mut some = async |sql: String| -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.unwrap()
    };
    // An order's key follows from its id, so a copy is found by its other ids only. Keys are hashes: the rows of the orders
    // that were not copied lie among all others in every index.
    let orders = some(format!(
        "select order_id from product_order where order_id not like '%-%' order by order_key limit {ASKED}"
    ))
    .await;
    let of_orders = |form: fn(&str) -> String| orders.iter().map(|id| form(id)).collect::<Vec<_>>();
    let mut kinds = vec![
        ("timeline".to_owned(), of_orders(|id| format!("/api/v1/orders/{id}/timeline"))),
        ("order".to_owned(), of_orders(|id| format!("/api/v1/orders/{id}"))),
        ("page of an order".to_owned(), of_orders(|id| format!("/orders/{id}"))),
    ];
    for kind in some(KINDS.to_owned()).await {
        let values = some(format!(
            "select value from identifier where order_key > md5('somewhere')::uuid and kind = '{kind}'
             order by order_key limit {ASKED}"
        ))
        .await;
        let paths = values.iter().map(|value| format!("/api/v1/orders?q={}", encoded(value))).collect();
        kinds.push((format!("search, {kind}"), paths));
    }
    let lists = [
        ("list", "/api/v1/orders"),
        ("list, by state", "/api/v1/orders?state=inProgress"),
        ("list, by attention", "/api/v1/orders?attention=any"),
        ("page of the list", "/orders"),
    ];
    let again = |path: &str| vec![path.to_owned(); ASKED / 10];
    kinds.extend(lists.map(|(name, path)| (name.to_owned(), again(path))));
    kinds
}

/// As it stands in an address.
fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

struct Client {
    address: SocketAddr,
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { address, stream, answer: Vec::new() }
    }

    /// How long the whole answer took, in milliseconds; anything but 200 ends the measurement.
    async fn get(&mut self, path: &str) -> f64 {
        let began = Instant::now();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.answer.clear();
        while !self.is_whole() {
            assert!(self.stream.read_buf(&mut self.answer).await.unwrap() > 0, "{path}: the answer ends early");
        }
        assert!(self.answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&self.answer));
        began.elapsed().as_secs_f64() * 1_000.0
    }

    fn is_whole(&self) -> bool {
        let Some(end) = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
        let head = String::from_utf8_lossy(self.answer.get(..end).unwrap()).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.unwrap().trim().parse().unwrap();
        self.answer.len() >= end + 4 + length
    }
}
