//! One test binary: the service by its doors on a real PostgreSQL, and each stage of the pipeline by itself.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt; clippy.toml reaches the test functions only, not what they call"
)]

mod analysts;
mod analytics;
mod app;
mod deliveries;
mod doors;
mod export;
mod fixtures;
mod fold;
mod health;
mod hybris;
mod ingest;
mod issuer;
mod law;
mod limits;
mod listener;
mod methods;
mod openapi;
mod orders;
mod parallel;
mod poison;
mod rebuild;
mod senders;
mod sign_in;
mod signals;
mod staff;
mod tls;
mod token;
mod vocabulary;
mod wire;
