//! The service's doors: where it listens, what it takes and how it answers.

use std::net::{Ipv4Addr, SocketAddr};

use chrono::Days;
use clap::Args;

use super::access::{AccessConfig, LimitsConfig, SignInConfig, TlsConfig};
use super::hybris::HybrisConfig;
use super::spool::SpoolConfig;

#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address to listen at. Where others can reach it, somebody has to be set up first: see “senders” and “keys”.
    #[arg(long, env = "ORDER_TIMELINE_LISTEN", value_name = "ADDRESS", default_value_t = default_listen())]
    pub listen: SocketAddr,
    /// Status that acknowledges a delivery; some senders insist on one.
    #[arg(long, env = "ORDER_TIMELINE_ACK_STATUS", value_name = "STATUS", default_value_t = 200,
          value_parser = clap::value_parser!(u16).range(200..=299))]
    pub ack_status: u16,
    /// Largest body that is taken in whole, in bytes. Of a larger one length, hash and head are kept.
    #[arg(long, env = "ORDER_TIMELINE_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 16 * 1024 * 1024,
          value_parser = body_size)]
    pub max_body_bytes: usize,
    #[command(flatten)]
    pub access: AccessConfig,
    #[command(flatten)]
    pub sign_in: SignInConfig,
    #[command(flatten)]
    pub tls: TlsConfig,
    #[command(flatten)]
    pub limits: LimitsConfig,
    #[command(flatten)]
    pub spool: SpoolConfig,
    #[command(flatten)]
    pub hybris: HybrisConfig,
}

/// Where the service listens unless told otherwise.
pub fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8622))
}

#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    #[command(flatten)]
    pub http: HttpConfig,
    /// Let exact bodies go after so many days, such as 400d, by the month; what was made of them stays [default:
    /// keep them for ever]. An event that comes late for an order without its bodies can no longer take its place.
    #[arg(long, env = "ORDER_TIMELINE_KEEP_BODIES", value_name = "DAYS", value_parser = days)]
    pub keep_bodies: Option<Days>,
}

/// Bytes; the smallest event is larger than a kilobyte.
fn body_size(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "is no number of bytes".to_owned())?;
    if bytes < 1024 { Err("is less than 1024: no event would be taken in whole".to_owned()) } else { Ok(bytes) }
}

/// Days as `400d` says them.
fn days(text: &str) -> Result<Days, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| *days > 0);
    days.map(Days::new).ok_or_else(|| "say it in days, one at least, such as 400d".to_owned())
}

#[derive(Args, Clone, Debug)]
pub struct DemoConfig {
    #[command(flatten)]
    pub http: HttpConfig,
    /// Seconds between the made-up events; 0 for none.
    #[arg(long, env = "ORDER_TIMELINE_EVERY", value_name = "SECONDS", default_value_t = 5)]
    pub every: u64,
}
