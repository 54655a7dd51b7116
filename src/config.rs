//! The program's settings: the only reader of flags and environment. `--help` is the manual.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::record::OutcomeName;
use crate::wire::read_time;

/// The sender that comes configured.
pub const DEFAULT_SENDER: &str = "bt-wholesale";

/// Keeps every order event that a supplier pushes and shows what happened to each order, when, and
/// when it was known.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Config {
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub log: LogConfig,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseConfig {
    /// PostgreSQL 15 or later to use: postgres://user:password@host/database. Without it a private
    /// PostgreSQL is run under the data directory.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<PgConnectOptions>,
    /// Where the private PostgreSQL lives [default: /var/lib/order-timeline for root, else
    /// ~/.local/share/order-timeline]
    #[arg(long, global = true, env = "ORDER_TIMELINE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Connections to the database at most. More than a few only wait for each other there.
    #[arg(long, global = true, env = "ORDER_TIMELINE_DATABASE_CONNECTIONS", value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub database_connections: u32,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogConfig {
    /// What is logged, on standard error: error, warn, info, debug, or a filter such as
    /// info,order_timeline=debug [default: info for serve and demo, else warn]
    #[arg(long, global = true, env = "ORDER_TIMELINE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    #[arg(long, global = true, env = "ORDER_TIMELINE_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service: listener, API and pages
    Serve(ServeConfig),
    /// Run the service on a fresh private database, with sample orders and a slow stream of made-up ones
    Demo(DemoConfig),
    /// Bring the database up to date
    Migrate,
    /// Take bodies from files in, the way the listener does; again is harmless
    Ingest(IngestConfig),
    /// Show what happened to an order
    Timeline(TimelineConfig),
    /// Look at what was received
    Deliveries {
        #[command(subcommand)]
        command: DeliveriesCommand,
    },
    /// Make all orders anew from the deliveries, read by this version of the program; the service may run on
    Rebuild(RebuildConfig),
    /// Write one of the analysts' views to a file; without a view, list them
    Export(ExportConfig),
}

#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address to listen at. Only this machine's own (127.0.0.1, [::1]) for now: there is no sign-in yet.
    #[arg(long, env = "ORDER_TIMELINE_LISTEN", value_name = "ADDRESS", default_value_t = default_listen())]
    pub listen: SocketAddr,
    /// Status that acknowledges a delivery; some senders insist on one.
    #[arg(long, env = "ORDER_TIMELINE_ACK_STATUS", value_name = "STATUS", default_value_t = 200,
          value_parser = clap::value_parser!(u16).range(200..=299))]
    pub ack_status: u16,
    /// Largest body that is taken in whole, in bytes. Of a larger one length, hash and head are kept.
    #[arg(long, env = "ORDER_TIMELINE_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    pub max_body_bytes: usize,
}

#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    #[command(flatten)]
    pub http: HttpConfig,
}

#[derive(Args, Clone, Debug)]
pub struct DemoConfig {
    #[command(flatten)]
    pub http: HttpConfig,
    /// Seconds between the made-up events; 0 for none.
    #[arg(long, env = "ORDER_TIMELINE_EVERY", value_name = "SECONDS", default_value_t = 5)]
    pub every: u64,
}

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
    /// Apache Parquet, compressed with Snappy; arrays and JSON as JSON text.
    Parquet,
}

#[derive(Clone, Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// The deliveries received last
    List {
        /// Only those of this outcome: applied, duplicate, conflict, quarantined.
        #[arg(long, env = "ORDER_TIMELINE_OUTCOME", value_parser = outcome)]
        outcome: Option<OutcomeName>,
        #[arg(long, env = "ORDER_TIMELINE_SENDER")]
        sender: Option<String>,
        /// How many at most.
        #[arg(long, env = "ORDER_TIMELINE_LIMIT", default_value_t = 50)]
        limit: u16,
        /// As JSON, one object a line.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// One delivery: what is known of it, and its body
    Show {
        id: Uuid,
        /// Nothing but the exact bytes of the body.
        #[arg(long, env = "ORDER_TIMELINE_BODY")]
        body: bool,
    },
    /// Read deliveries again, and make the orders that they are about anew
    Retry {
        /// Their ids.
        #[arg(required_unless_present = "outcome", value_name = "ID")]
        ids: Vec<Uuid>,
        /// All of this outcome: applied, duplicate, conflict, quarantined.
        #[arg(long, env = "ORDER_TIMELINE_OUTCOME", value_parser = outcome, conflicts_with = "ids")]
        outcome: Option<OutcomeName>,
    },
}

impl DatabaseConfig {
    /// The data directory that was asked for, else the one that fits whoever runs the program.
    pub fn data_dir(&self) -> PathBuf {
        let chosen = || {
            if nix::unistd::geteuid().is_root() {
                // Root's home is closed to the user that PostgreSQL has to run as.
                return PathBuf::from("/var/lib/order-timeline");
            }
            let home = || env::home_dir().map(|home| home.join(".local").join("share"));
            let shared = env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from).or_else(home);
            shared.map_or_else(|| PathBuf::from(".order-timeline"), |dir| dir.join("order-timeline"))
        };
        self.data_dir.clone().unwrap_or_else(chosen)
    }
}

/// Where the service listens unless told otherwise.
pub fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8622))
}

/// A time as people type it.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let read = read_time(text).ok_or_else(|| "is no time; write it like 2023-02-13T10:00:00Z".to_owned())?;
    Ok(read.at)
}

fn outcome(text: &str) -> Result<OutcomeName, String> {
    let names = OutcomeName::ALL.map(OutcomeName::name).join(", ");
    OutcomeName::from_name(text).ok_or_else(|| format!("is none of {names}"))
}
