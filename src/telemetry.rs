//! The log: who writes it, in what form. Log lines and spans carry ids, never bodies or secrets.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{LogConfig, LogFormat};

#[cfg(feature = "otel")]
mod export;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(transparent)]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("spans cannot be sent to --otlp-endpoint {endpoint}: {cause}")]
    Export { endpoint: String, cause: String },
}

/// Left out unless the filter names the crate: an error for each request that is no HTTP. Strangers could fill the log
/// with it, and nobody here can do anything about it.
const OF_STRANGERS: (&str, &str) = ("actix_http", "actix_http::h1::dispatcher=off");

/// Builds the subscriber that writes log lines of `filter` to `sink`, in the form that is configured.
///
/// # Errors
/// Where `filter` is not a filter, with the part that is not, or the spans' receiver is no address.
pub fn subscriber<S>(
    filter: &str,
    config: &LogConfig,
    sink: S,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    S: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (noisy, off) = OF_STRANGERS;
    let is_named = filter.contains(noisy);
    let filter = EnvFilter::builder().parse(filter)?;
    let filter = if is_named { filter } else { filter.add_directive(off.parse()?) };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(sink);
    match config.log_format {
        LogFormat::Text => whole(builder.with_target(false).finish(), config),
        LogFormat::Json => whole(builder.json().flatten_event(true).finish(), config),
    }
}

/// With the export of spans, where that is built in and asked for.
#[cfg(feature = "otel")]
fn whole<S>(log: S, config: &LogConfig) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync + 'static,
{
    match &config.otlp_endpoint {
        Some(endpoint) => export::exporting(log, endpoint),
        None => Ok(Box::new(log)),
    }
}

#[cfg(not(feature = "otel"))]
#[expect(clippy::unnecessary_wraps, reason = "with the export of spans it can fail")]
fn whole<S>(log: S, _: &LogConfig) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync + 'static,
{
    Ok(Box::new(log))
}

/// Sends what is left of the spans, at the end of the program.
pub fn end() {
    #[cfg(feature = "otel")]
    export::end();
}
