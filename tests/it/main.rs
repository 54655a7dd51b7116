//! The service by its doors: HTTP, commands, and the fold's law, on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod app;
mod deliveries;
mod health;
mod hybris;
mod ingest;
mod listener;
mod openapi;
mod orders;
mod poison;
