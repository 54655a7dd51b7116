//! What is logged, and in what form.

use clap::{Args, ValueEnum};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogConfig {
    /// What is logged, on standard error: error, warn, info, debug, or a filter such as
    /// info,order_timeline=debug [default: info for serve and demo, else warn]. Requests that are no HTTP are logged
    /// only by a filter that names actix_http
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
