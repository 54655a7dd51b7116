//! Spans to an OpenTelemetry collector.

use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::TelemetryError;

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The log, and each span that it lets through sent to the collector in batches, by a thread of its own: a collector
/// that is away costs spans, nothing else.
pub fn exporting<S>(log: S, endpoint: &str) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync + 'static,
{
    // The exporter's HTTP client asks for it when it is made, encrypted or not. Nobody else was there before the log.
    crate::cryptography::choose();
    let address = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_endpoint(address).build();
    let exporter =
        exporter.map_err(|cause| TelemetryError::Export { endpoint: endpoint.to_owned(), cause: cause.to_string() })?;
    let resource = Resource::builder().with_service_name("order-timeline").build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("order-timeline"));
    let _ = PROVIDER.set(provider);
    Ok(Box::new(log.with(layer)))
}

pub fn end() {
    if let Some(provider) = PROVIDER.get() {
        // The log has ended; nobody is left to be told.
        let _ = provider.shutdown();
    }
}
