//! Senders as suppliers have them: each sends an event until it is acknowledged, and now and then once more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ledger::{Acknowledged, Ledger, body};

/// What the senders share.
pub struct Load {
    pub ledger: Ledger,
    /// Where the service is; `None` while it is not.
    pub address: watch::Receiver<Option<SocketAddr>>,
    pub next: AtomicU64,
}

/// Sends for ever.
pub async fn send_on(load: Arc<Load>) {
    let mut connection = None;
    loop {
        let number = load.next.fetch_add(1, Ordering::Relaxed);
        while !send(&load, number, &mut connection).await {}
        // The trial is about what is kept, not about how much: a debug build has to keep up with it.
        tokio::time::sleep(Duration::from_millis(4)).await;
        // At least once is what senders promise.
        if number.is_multiple_of(7) {
            send(&load, number.saturating_sub(number % 30), &mut connection).await;
        }
    }
}

/// Sends once; whether it was acknowledged.
async fn send(load: &Load, number: u64, connection: &mut Option<TcpStream>) -> bool {
    if connection.is_none() {
        let address = *load.address.borrow();
        *connection = match address {
            Some(address) => TcpStream::connect(address).await.ok(),
            None => None,
        };
    }
    let Some(stream) = connection else {
        tokio::time::sleep(Duration::from_millis(5)).await;
        return false;
    };
    load.ledger.attempt(number);
    match timeout(Duration::from_secs(15), post(stream, &body(number))).await {
        Ok(Some((200..=299, answer))) => {
            let receipt: Value = serde_json::from_slice(&answer).unwrap();
            load.ledger.acknowledge(Acknowledged {
                number,
                delivery: receipt["deliveryId"].as_str().unwrap().parse().unwrap(),
                outcome: receipt["outcome"].as_str().unwrap().to_owned(),
            });
            true
        }
        Ok(Some(_)) => {
            load.ledger.refuse();
            tokio::time::sleep(Duration::from_millis(20)).await;
            false
        }
        Ok(None) | Err(_) => {
            load.ledger.lose();
            *connection = None;
            false
        }
    }
}

/// Posts a body; status and body of the answer, if a whole one came.
pub async fn post(stream: &mut TcpStream, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let head = format!("POST /listener HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
    let (mut answer, mut piece) = (Vec::new(), vec![0; 8192]);
    loop {
        let read = stream.read(&mut piece).await.ok()?;
        if read == 0 {
            return None;
        }
        answer.extend_from_slice(&piece[..read]);
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
        if answer.len() >= end + 4 + length {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            return Some((status, answer[end + 4..end + 4 + length].to_vec()));
        }
    }
}

/// The answer to a GET, head and all.
pub async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}
