//! The HTTP client to a real billing system.

use std::time::Duration;

use futures_util::future::BoxFuture;
use recloser::{AsyncRecloser, Recloser};
use reqwest::{Url, redirect};
use tracing::warn;

use super::bss::{Answer, Bss, Failure, Order};
use crate::cryptography;

/// A billing system behind an address.
#[derive(Debug)]
pub struct Client {
    address: Url,
    http: reqwest::Client,
    /// Open after calls that had no answer: then the BSS is left alone for a while, and requests are refused at
    /// once, as not sent.
    circuit: AsyncRecloser,
    largest_answer: usize,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made: {0}")]
pub struct NoClient(#[from] reqwest::Error);

/// A connection that is not there by then will not be.
const CONNECT: Duration = Duration::from_secs(5);
/// Tries to connect. Only these are repeated: nothing was sent yet.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
/// The circuit opens where so many calls on end had no answer…
const FAILURES: usize = 5;
/// … and lets one through again after this time.
const OPEN: Duration = Duration::from_secs(20);

impl Client {
    /// A client to a BSS whose `productOrder` resource is at this address.
    ///
    /// # Errors
    /// Where the machine's certificates cannot be used.
    pub fn new(address: Url, time_out: Duration, largest_answer: usize) -> Result<Self, NoClient> {
        cryptography::choose();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT.min(time_out))
            .timeout(time_out)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("order-timeline/", env!("CARGO_PKG_VERSION")))
            .build()?;
        // The calls that only fill its memory come before the one that decides.
        let circuit =
            Recloser::custom().error_rate(1.0).closed_len(FAILURES - 1).half_open_len(1).open_wait(OPEN).build();
        Ok(Self { address, http, circuit: AsyncRecloser::from(circuit), largest_answer })
    }

    /// Connects, sends, reads. What fails before anything was sent is tried again.
    async fn send(&self, order: &Order) -> Result<Answer, Failure> {
        let mut tries = 1;
        loop {
            match self.send_once(order).await {
                Err(Failure::NotSent(cause)) if tries < TRIES => {
                    warn!(market = order.market.business_id(), %cause, tries, "the BSS was not reached; trying again");
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    async fn send_once(&self, order: &Order) -> Result<Answer, Failure> {
        let mut request = self.http.post(self.address.clone()).header("Content-Type", "application/json");
        for (name, value) in order.headers.named() {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let mut response = request.body(order.body.clone()).send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // Once the answer has begun, the order was sent whatever happens now.
        let lost = |error: reqwest::Error| match failure(&error) {
            Failure::NotSent(cause) | Failure::NoAnswer(cause) => Failure::NoAnswer(cause),
        };
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            body.extend_from_slice(&chunk);
            if body.len() > self.largest_answer {
                return Err(Failure::NoAnswer(format!("its answer is longer than {} bytes", self.largest_answer)));
            }
        }
        Ok(Answer { status, body })
    }
}

impl Bss for Client {
    fn place<'c>(&'c self, order: &'c Order) -> BoxFuture<'c, Result<Answer, Failure>> {
        Box::pin(async move {
            self.circuit.call(self.send(order)).await.map_err(|error| match error {
                recloser::Error::Inner(failure) => failure,
                recloser::Error::Rejected => {
                    let seconds = OPEN.as_secs();
                    Failure::NotSent(format!("it did not answer lately and is left alone for {seconds} seconds"))
                }
            })
        })
    }
}

/// Only an error while connecting proves that nothing was sent. Addresses stay out of the words: they may
/// hold a password.
fn failure(error: &reqwest::Error) -> Failure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = if error.is_timeout() { "time-out".to_owned() } else { cause.to_string() };
    if error.is_connect() { Failure::NotSent(cause) } else { Failure::NoAnswer(cause) }
}
