//! The load: connections that post one event after the other.

use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use order_timeline::generate::{Feed, Settings, Share};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a load saw.
pub struct Load {
    pub events: u64,
    elapsed: Duration,
    /// In milliseconds, ascending.
    latencies: Vec<f64>,
}

impl Load {
    pub fn per_second(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64()
    }

    pub fn percentile(&self, share: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a list")]
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// Posts from several connections at once, each waiting for its answer (a closed loop).
pub async fn run(address: SocketAddr, connections: usize, duration: Duration) -> Load {
    let started = Instant::now();
    let until = started + duration;
    let tasks: Vec<_> = (0..connections).map(|_| tokio::spawn(one_connection(address, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    let elapsed = started.elapsed();
    latencies.sort_by(f64::total_cmp);
    Load { events: latencies.len() as u64, elapsed, latencies }
}

async fn one_connection(address: SocketAddr, until: Instant) -> Vec<f64> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut latencies = Vec::new();
    let mut answer = vec![0; 16 * 1024];
    while Instant::now() < until {
        let body = body();
        let head = format!(
            "POST /listener HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut request = head.into_bytes();
        request.extend_from_slice(&body);
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        read_answer(&mut stream, &mut answer).await;
        latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
    }
    latencies
}

/// Reads one answer to its end; anything but 200 ends the measurement.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        filled += stream.read(buffer.get_mut(filled..).unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(buffer.get(..filled).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return;
        }
    }
}

/// A made-up feed in the order of its delivery: 20 events an order on average, some of them twice or late.
fn feed() -> Feed {
    Feed::new(Settings {
        orders: 1_000_000,
        events_per_order: 20,
        seed: 1,
        duplicates: Share::of_million(100_000),
        late: Share::of_million(50_000),
        conflicts: Share::NEVER,
        bare: Share::NEVER,
        from: "2023-01-01T00:00:00Z".parse().unwrap(),
        to: "2026-01-01T00:00:00Z".parse().unwrap(),
    })
}

static FEED: LazyLock<Mutex<Feed>> = LazyLock::new(|| Mutex::new(feed()));

/// The feed's next body.
fn body() -> Vec<u8> {
    FEED.lock().unwrap().next().unwrap().body
}

/// A body of the feed that half of the others are longer than.
pub fn usual_body() -> Vec<u8> {
    let mut bodies: Vec<Vec<u8>> = feed().map(|sent| sent.body).take(10_001).collect();
    bodies.sort_unstable_by_key(Vec::len);
    bodies.swap_remove(5_000)
}
