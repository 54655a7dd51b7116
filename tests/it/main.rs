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
mod desk;
mod desk_visits;
mod disturbed;
mod doors;
mod export;
mod faults;
mod fixtures;
mod fold;
mod generate;
mod health;
mod hybris;
mod ingest;
mod issuer;
mod law;
mod limits;
mod listener;
mod log;
mod mends;
mod methods;
mod metrics;
mod openapi;
mod orders;
mod outage;
mod parallel;
mod poison;
mod problems;
mod program;
mod proxy;
mod queues;
mod rebuild;
mod retention;
mod senders;
mod sign_in;
mod signals;
mod spool;
mod staff;
mod standing;
mod stream;
mod tls;
mod token;
mod vocabulary;
mod wire;
