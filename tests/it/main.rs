//! One test binary: the service by its doors on a real PostgreSQL, and each stage of the pipeline by itself.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests may be blunt; clippy.toml reaches the test functions only, not what they call; skipped ones say so"
)]

mod analytics;
mod app;
mod deliveries;
mod desk;
mod export;
mod faults;
mod fixtures;
mod fold;
mod generate;
mod health;
mod hybris;
mod ingest;
mod law;
mod listener;
mod log;
mod methods;
mod metrics;
mod openapi;
mod orders;
mod parallel;
mod poison;
mod proxy;
mod rebuild;
mod retention;
mod signals;
mod spool;
mod stream;
mod vocabulary;
mod wire;
