//! The commands on orders: taking bodies in, showing, making anew, writing out.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::DEFAULT_SENDER;
use crate::wire::read_time;

#[derive(Args, Clone, Debug)]
pub struct IngestConfig {
    /// Files, folders (their .json, .ndjson and .jsonl files), or - for standard input. A file is one JSON
    /// body, or one body a line.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The sender that the bodies are from.
    #[arg(long, env = "ORDER_TIMELINE_SENDER", default_value = DEFAULT_SENDER)]
    pub sender: String,
}

#[derive(Args, Clone, Debug)]
pub struct TimelineConfig {
    /// The order's id.
    pub order: String,
    /// The order's sender; needed where several senders have an order of this id.
    #[arg(long, env = "ORDER_TIMELINE_SENDER")]
    pub sender: Option<String>,
    /// Only what concerns this item.
    #[arg(long, env = "ORDER_TIMELINE_ITEM", value_name = "ITEM")]
    pub item: Option<String>,
    /// The order as it was then: 2023-02-13T10:00:00Z (UTC where no offset is given).
    #[arg(long, env = "ORDER_TIMELINE_AT", value_name = "TIME", value_parser = time)]
    pub at: Option<DateTime<Utc>>,
    /// The order as we knew it then: only what had been received.
    #[arg(long, env = "ORDER_TIMELINE_KNOWN_AT", value_name = "TIME", value_parser = time)]
    pub known_at: Option<DateTime<Utc>>,
    /// As JSON, as the API answers.
    #[arg(long, env = "ORDER_TIMELINE_JSON")]
    pub json: bool,
}

/// A time as people type it.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let read = read_time(text).ok_or_else(|| "is no time; write it like 2023-02-13T10:00:00Z".to_owned())?;
    Ok(read.at)
}

#[derive(Args, Clone, Debug)]
pub struct RebuildConfig {
    /// Change nothing: make all orders anew beside the live rows and print each value that differs. The exit
    /// code is 1 if there is one.
    #[arg(long, env = "ORDER_TIMELINE_CHECK")]
    pub check: bool,
    /// The differences as JSON, one object a line.
    #[arg(long, env = "ORDER_TIMELINE_JSON", requires = "check")]
    pub json: bool,
    /// Begin at the start, even if a rebuild was interrupted and could go on from there.
    #[arg(long, env = "ORDER_TIMELINE_FROM_START", conflicts_with = "check")]
    pub from_start: bool,
    /// Transactions under way at once [default: the number of processors]
    #[arg(long, env = "ORDER_TIMELINE_JOBS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

#[derive(Args, Clone, Debug)]
pub struct ExportConfig {
    /// A view of the schema analytics: orders, order_items, timeline …
    #[arg(env = "ORDER_TIMELINE_VIEW")]
    pub view: Option<String>,
    #[arg(long, env = "ORDER_TIMELINE_FORMAT", value_name = "FORMAT", default_value = "csv")]
    pub format: ExportFormat,
    /// The file to write, or - for standard output. It is there when it is complete.
    #[arg(long, env = "ORDER_TIMELINE_OUTPUT", value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated values with a header, as PostgreSQL writes them.
    Csv,
    /// Apache Parquet, compressed with Snappy; arrays and JSON as JSON text, intervals as PostgreSQL writes them.
    Parquet,
}
