//! The log: who writes it, in what form. Log lines carry ids, never bodies or secrets.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogFormat;

/// Builds the subscriber that writes log lines in `format` to `sink`.
///
/// # Errors
/// Where `filter` is not a filter, with the part that is not.
pub fn subscriber<S>(
    filter: &str,
    format: LogFormat,
    sink: S,
) -> Result<Box<dyn Subscriber + Send + Sync>, tracing_subscriber::filter::ParseError>
where
    S: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(sink);
    Ok(match format {
        LogFormat::Text => Box::new(builder.with_target(false).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}
