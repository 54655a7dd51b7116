//! What a made-up feed is made of.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use super::orders::time;
use crate::generate::Share;

#[derive(Args, Clone, Debug)]
pub struct GenerateConfig {
    /// How many orders.
    #[arg(long, env = "ORDER_TIMELINE_ORDERS", value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    pub orders: u64,
    /// Events of an order, on average.
    #[arg(long, env = "ORDER_TIMELINE_EVENTS_PER_ORDER", value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub events_per_order: u64,
    /// The same seed, with the same settings, gives the same bytes.
    #[arg(long, env = "ORDER_TIMELINE_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Share of the events that are delivered twice.
    #[arg(long, env = "ORDER_TIMELINE_DUPLICATES", value_name = "SHARE", default_value = "0.1", value_parser = share)]
    pub duplicates: Share,
    /// Share of the events that come after later ones of their order.
    #[arg(long, env = "ORDER_TIMELINE_LATE", value_name = "SHARE", default_value = "0.05", value_parser = share)]
    pub late: Share,
    /// Share of the events whose id comes again with other content.
    #[arg(long, env = "ORDER_TIMELINE_CONFLICTS", value_name = "SHARE", default_value = "0.001",
          value_parser = share)]
    pub conflicts: Share,
    /// Share of the events that lack their id, or their time, or both.
    #[arg(long, env = "ORDER_TIMELINE_BARE", value_name = "SHARE", default_value = "0.001", value_parser = share)]
    pub bare: Share,
    /// When the first order begins [default: a year before --to, more for more than a thousand orders a day]
    #[arg(long, env = "ORDER_TIMELINE_FROM", value_name = "TIME", value_parser = time)]
    pub from: Option<DateTime<Utc>>,
    /// When the last events are.
    #[arg(long, env = "ORDER_TIMELINE_TO", value_name = "TIME", default_value = "2026-01-01T00:00:00Z",
          value_parser = time)]
    pub to: DateTime<Utc>,
    /// The file to write, or - for standard output. It is there when it is complete.
    #[arg(long, visible_alias = "out", env = "ORDER_TIMELINE_OUTPUT", value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

fn share(text: &str) -> Result<Share, String> {
    text.parse().ok().and_then(Share::new).ok_or_else(|| "is no share; write a number from 0 to 1".to_owned())
}
