//! The program's settings: the only reader of flags and environment. `--help` is the manual.

mod spool;
mod trial;

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, Days, Utc};
use clap::builder::TypedValueParser;
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use reqwest::Url;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::generate::Share;
use crate::hybris::{JmSystem, System};
use crate::record::OutcomeName;
use crate::wire::read_time;

pub use spool::SpoolConfig;
pub use trial::trial;

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
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL",
          value_parser = DatabaseUrlParser)]
    pub database_url: Option<DatabaseUrl>,
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
    /// Where an OpenTelemetry collector takes spans by HTTP: http://127.0.0.1:4318. Without it none are sent.
    #[cfg(feature = "otel")]
    #[arg(long, global = true, env = "ORDER_TIMELINE_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
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
    /// Look at and change what the suppliers' codes mean
    Vocabulary {
        #[command(subcommand)]
        command: VocabularyCommand,
    },
    /// Look at what was received
    Deliveries {
        #[command(subcommand)]
        command: DeliveriesCommand,
    },
    /// Look at what went on with the billing systems behind the Hybris front door
    Hybris {
        #[command(subcommand)]
        command: HybrisCommand,
    },
    /// Make all orders anew from the deliveries, read by this version of the program; the service may run on
    Rebuild(RebuildConfig),
    /// Write one of the analysts' views to a file; without a view, list them
    Export(ExportConfig),
    /// Make a feed of made-up orders up, one body a line, for `ingest`: to try things out and to measure
    Generate(GenerateConfig),
}

#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address to listen at. Only this machine's own (127.0.0.1 or ::1) for now: there is no sign-in yet.
    #[arg(long, env = "ORDER_TIMELINE_LISTEN", value_name = "ADDRESS", default_value_t = default_listen())]
    pub listen: SocketAddr,
    /// Status that acknowledges a delivery; some senders insist on one.
    #[arg(long, env = "ORDER_TIMELINE_ACK_STATUS", value_name = "STATUS", default_value_t = 200,
          value_parser = clap::value_parser!(u16).range(200..=299))]
    pub ack_status: u16,
    /// Largest body that is taken in whole, in bytes. Of a larger one length, hash and head are kept.
    #[arg(long, env = "ORDER_TIMELINE_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    pub max_body_bytes: usize,
    #[command(flatten)]
    pub spool: SpoolConfig,
    #[command(flatten)]
    pub hybris: HybrisConfig,
}

/// The Hybris front door. Where a market's billing system has no address, a simulator answers as the
/// document's examples do.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Hybris front door")]
pub struct HybrisConfig {
    /// Where the API begins: POST {base path}/{businessId}/productOrder.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BASE_PATH", value_name = "PATH", default_value = "/hybris",
          value_parser = base_path)]
    pub hybris_base_path: String,
    /// Puerto Rico's billing system: the full address of its productOrder resource, http or https. Without it
    /// the simulator answers.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_PR", hide_env_values = true, value_name = "URL", value_parser = address)]
    pub hybris_bss_pr: Option<Url>,
    /// Jamaica's billing system; of two that for Liberate.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_JM", hide_env_values = true, value_name = "URL", value_parser = address)]
    pub hybris_bss_jm: Option<Url>,
    /// Jamaica's billing system for Cerillion, where it has an address of its own.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_JM_CERILLION", hide_env_values = true, value_name = "URL",
          value_parser = address)]
    pub hybris_bss_jm_cerillion: Option<Url>,
    /// Panama's billing system.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_PA", hide_env_values = true, value_name = "URL", value_parser = address)]
    pub hybris_bss_pa: Option<Url>,
    /// Which of Jamaica's billing systems an order goes to.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_JM", value_name = "SYSTEM", default_value = "auto")]
    pub hybris_jm: HybrisJm,
    /// Seconds that a billing system may take to answer.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_TIME_OUT", value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub hybris_time_out: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HybrisJm {
    /// By the body: Cerillion's has a discountGroupCode.
    Auto,
    Liberate,
    Cerillion,
}

impl HybrisJm {
    pub fn system(self) -> Option<JmSystem> {
        match self {
            Self::Auto => None,
            Self::Liberate => Some(JmSystem::Liberate),
            Self::Cerillion => Some(JmSystem::Cerillion),
        }
    }
}

impl HybrisConfig {
    /// The address of a billing system; without one it is simulated.
    pub fn address(&self, system: System) -> Option<&Url> {
        match system {
            System::Pr => self.hybris_bss_pr.as_ref(),
            System::JmLiberate => self.hybris_bss_jm.as_ref(),
            System::JmCerillion => self.hybris_bss_jm_cerillion.as_ref().or(self.hybris_bss_jm.as_ref()),
            System::Pa => self.hybris_bss_pa.as_ref(),
        }
    }
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

#[derive(Args, Clone, Debug)]
pub struct GenerateConfig {
    /// How many orders.
    #[arg(long, env = "ORDER_TIMELINE_ORDERS", value_name = "N", default_value_t = 100)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated values with a header, as PostgreSQL writes them.
    Csv,
    /// Apache Parquet, compressed with Snappy; arrays and JSON as JSON text.
    Parquet,
}

#[derive(Clone, Debug, Subcommand)]
pub enum VocabularyCommand {
    /// What is known
    List {
        /// Only of one subject: offering, sub-status, appointment-status, message, characteristic, shape.
        #[arg(long, env = "ORDER_TIMELINE_SUBJECT")]
        subject: Option<String>,
        /// Instead, the values that the feed uses and that are not known, the most frequent first.
        #[arg(long, env = "ORDER_TIMELINE_UNKNOWN")]
        unknown: bool,
        /// As JSON, one object a line.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// Say what a value means; kept over upgrades. It holds for events that come from now on (a running service
    /// takes it up within seconds); `rebuild` applies it to those that came before.
    Set(WordConfig),
}

#[derive(Args, Clone, Debug)]
pub struct WordConfig {
    /// offering, sub-status, appointment-status, message (by its code), characteristic, or shape: a deviation of the
    /// JSON as `list --unknown` shows it.
    pub subject: String,
    /// The value as the supplier sends it; case, spaces and punctuation make no difference.
    pub value: String,
    /// What it means, in words for the middle of a sentence: "committed by the supplier".
    #[arg(long, env = "ORDER_TIMELINE_WORDS")]
    pub words: String,
    /// information, progress, amend, delay, action-needed, access-failed, missed, flagged, rescheduled,
    /// complete, cancelled; several with commas.
    #[arg(long, env = "ORDER_TIMELINE_CLASSES", value_delimiter = ',')]
    pub classes: Vec<String>,
    /// customer or supplier.
    #[arg(long, env = "ORDER_TIMELINE_FAULT")]
    pub fault: Option<String>,
    /// The milestone that is reached where it is said, such as KCI2.
    #[arg(long, env = "ORDER_TIMELINE_MILESTONE")]
    pub milestone: Option<String>,
    /// How you know.
    #[arg(long, env = "ORDER_TIMELINE_SOURCE", default_value = "operator")]
    pub source: String,
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

#[derive(Clone, Debug, Subcommand)]
pub enum HybrisCommand {
    /// The orders that a billing system may or may not have placed: sent, and without an answer that tells.
    /// Somebody has to look there; this service will not send them again.
    Unsettled {
        /// How many at most.
        #[arg(long, env = "ORDER_TIMELINE_LIMIT", default_value_t = 50)]
        limit: u16,
    },
}

/// The address of a database, password and all: it is never printed.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

impl DatabaseUrl {
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// # Errors
    /// What is wrong, without the address: it may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err("it does not begin with postgres://".to_owned());
        }
        match text.parse() {
            Ok(options) => Ok(Self(options)),
            Err(sqlx::Error::Configuration(cause)) => Err(cause.to_string()),
            Err(_) => Err("it cannot be read".to_owned()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl([redacted])")
    }
}

/// Reads the address. Clap's own parsers show a value that they refuse.
#[derive(Clone, Debug)]
struct DatabaseUrlParser;

impl TypedValueParser for DatabaseUrlParser {
    type Value = DatabaseUrl;

    fn parse_ref(&self, command: &clap::Command, _: Option<&Arg>, value: &OsStr) -> Result<DatabaseUrl, clap::Error> {
        let text = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned());
        text.and_then(str::parse).map_err(|wrong| {
            let told = format!(
                "--database-url (or DATABASE_URL) is no address of a PostgreSQL database: {wrong}; write it like \
                 postgres://user:password@host/database, special characters of the password as %40 for @\n"
            );
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, told).with_cmd(command)
        })
    }
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

    /// Where the demo keeps its database: apart from the service's. It is made anew each time, so that a
    /// user without a home can have it among the temporary files.
    pub fn demo_dir(&self) -> PathBuf {
        let has_place = self.data_dir.is_some()
            || nix::unistd::geteuid().is_root()
            || env::var_os("XDG_DATA_HOME").is_some_and(|dir| !dir.is_empty())
            || env::home_dir().is_some_and(|home| is_own_folder(&home));
        if has_place {
            return self.data_dir().join("demo");
        }
        env::temp_dir().join(format!("order-timeline-demo-{}", nix::unistd::geteuid()))
    }
}

fn is_own_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw())
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

fn share(text: &str) -> Result<Share, String> {
    text.parse().ok().and_then(Share::new).ok_or_else(|| "is no share; write a number from 0 to 1".to_owned())
}

fn base_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.~".contains(c));
    if !path.starts_with('/') || !is_plain || path.contains("//") {
        return Err("is no base path; write it like /hybris".to_owned());
    }
    Ok(path.to_owned())
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| cause.to_string())?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err("is no address of a billing system; write it like https://bss.example/productOrder".to_owned());
    }
    Ok(url)
}

fn outcome(text: &str) -> Result<OutcomeName, String> {
    let names = OutcomeName::ALL.map(OutcomeName::name).join(", ");
    OutcomeName::from_name(text).ok_or_else(|| format!("is none of {names}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Config;

    #[test]
    fn a_database_address_is_never_shown() {
        let parsed = |url: &str| Config::try_parse_from(["order-timeline", "--database-url", url, "migrate"]);
        let config = parsed("postgres://user:hush@host/database").unwrap();
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
        for (url, wrong) in [
            ("postgres://user:hush@host:port/database", "invalid port number"),
            ("postgres://user:hu/sh@host/database", "invalid port number"),
            ("postgres://user:hush@host/database?port=hush", "invalid digit"),
            ("user:hush@host/database", "does not begin with postgres://"),
            ("mysql://user:hush@host/database", "does not begin with postgres://"),
        ] {
            let error = parsed(url).unwrap_err();
            for told in [error.to_string(), format!("{error:?}")] {
                assert!(told.contains(wrong) && !told.contains("hush") && !told.contains("hu/sh"), "{url}: {told}");
            }
        }
    }
}
