//! The program's settings: the only reader of flags and environment. `--help` is the manual.

mod access;
mod database;
mod deliveries;
mod environment;
mod generate;
mod http;
mod hybris;
mod log;
mod orders;
mod senders;
mod spool;
mod trial;
mod vocabulary;

use clap::{Parser, Subcommand};

pub use access::{
    AccessConfig, AnalystsCommand, ForwardedHeaderName, KeysCommand, LimitsConfig, SignInConfig, TlsConfig,
};
pub use database::{DatabaseConfig, DatabaseUrl};
pub use deliveries::DeliveriesCommand;
pub use environment::check_environment;
pub use generate::GenerateConfig;
pub use http::{DemoConfig, HttpConfig, ServeConfig, default_listen};
pub use hybris::{HybrisCommand, HybrisConfig, HybrisJm};
pub use log::{LogConfig, LogFormat};
pub use orders::{ExportConfig, ExportFormat, IngestConfig, RebuildConfig, TimelineConfig};
pub use senders::{RotateConfig, SenderConfig, SendersCommand};
pub use spool::SpoolConfig;
pub use trial::trial;
pub use vocabulary::{VocabularyCommand, WordConfig};

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

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service: listener, API and pages
    Serve(ServeConfig),
    /// Run the service on a fresh private database, with sample orders and a slow stream of made-up ones
    Demo(DemoConfig),
    /// Bring the database up to date
    Migrate,
    /// Say who may post, and what they must show
    Senders {
        #[command(subcommand)]
        command: SendersCommand,
    },
    /// Keys for staff and programs
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Database roles for analysts who may see certain parties' orders only
    Analysts {
        #[command(subcommand)]
        command: AnalystsCommand,
    },
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
