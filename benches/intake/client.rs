//! The load: connections that post events, as fast as they are answered or at a fixed rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::feed::Bodies;

/// When the next event is sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As soon as the one before it was answered (a closed loop).
    Answered,
    /// So many a second whether answered or not (an open loop): what waits because others are late counts as late.
    PerSecond(f64),
}

/// What a load saw.
pub struct Load {
    pub events: u64,
    pub elapsed: Duration,
    /// In milliseconds, ascending; in an open loop from when the event was due.
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

/// Posts from several connections at once for a while.
pub async fn run(
    address: SocketAddr,
    connections: usize,
    pace: Pace,
    duration: Duration,
    bodies: &Arc<Bodies>,
) -> Load {
    let sent = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let post =
        |_| tokio::spawn(one_connection(address, pace, started, duration, Arc::clone(&sent), Arc::clone(bodies)));
    let tasks: Vec<_> = (0..connections).map(post).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    let elapsed = started.elapsed();
    latencies.sort_by(f64::total_cmp);
    Load { events: latencies.len() as u64, elapsed, latencies }
}

async fn one_connection(
    address: SocketAddr,
    pace: Pace,
    started: Instant,
    duration: Duration,
    sent: Arc<AtomicU64>,
    bodies: Arc<Bodies>,
) -> Vec<f64> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut latencies, mut answer) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let due = match pace {
            Pace::Answered => Instant::now(),
            Pace::PerSecond(rate) => {
                started + Duration::from_secs_f64(sent.fetch_add(1, Ordering::Relaxed) as f64 / rate)
            }
        };
        if due >= started + duration {
            return latencies;
        }
        tokio::time::sleep_until(due.into()).await;
        let body = bodies.next();
        let mut request = Vec::with_capacity(body.len() + 160);
        let head = format!(
            "POST /listener HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(&body);
        let due = if matches!(pace, Pace::Answered) { Instant::now() } else { due };
        stream.write_all(&request).await.unwrap();
        read_answer(&mut stream, &mut answer).await;
        latencies.push(due.elapsed().as_secs_f64() * 1000.0);
    }
}

/// Reads one answer to its end; anything but 200 ends the measurement.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    const LENGTH: &[u8] = b"content-length: ";
    let mut filled = 0;
    loop {
        filled += stream.read(buffer.get_mut(filled..).unwrap()).await.unwrap();
        let answer = buffer.get(..filled).unwrap();
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let (head, body) = answer.split_at(end);
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
        let at = head.windows(LENGTH.len()).position(|bytes| bytes.eq_ignore_ascii_case(LENGTH)).unwrap();
        let digits = head.iter().skip(at + LENGTH.len()).take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
        if body.len() >= length + 4 {
            return;
        }
    }
}
