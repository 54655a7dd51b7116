//! How many events a second are durable, projected and acknowledged, beside what PostgreSQL itself does
//! with the same body: `pgbench` inserting it, one row a transaction, in the same run on the same server.
//!
//! `cargo bench` prints a table and writes `target/bench/intake.json`. `BENCH_SECONDS` sets how long each
//! measurement lasts.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up has failed; its figures are for people"
)]

mod client;
mod pgbench;
mod service;

use std::time::Duration;

use order_timeline::store::private_postgres::{Durability, PrivatePostgres, Settings};
use serde_json::json;
use sqlx::{ConnectOptions, Connection, Executor};

use client::Load;
use service::Service;

const CONNECTIONS: usize = 16;

fn main() {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure(Duration::from_secs(seconds)));
}

async fn measure(duration: Duration) {
    let directory = tempfile::Builder::new().prefix("order-timeline-bench-").tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let settings = Settings { data_dir: directory.path().to_owned(), durability: Durability::Durable };
    let postgres = start_counting(&settings).await;
    let options = postgres.connect_options();

    let body = client::usual_body();
    let baseline = pgbench::inserts_per_second(&options, &body, CONNECTIONS, duration, directory.path()).await;
    let service = Service::start(&options).await;
    let before = service.work().await;
    let load = client::run(service.address, CONNECTIONS, duration).await;
    let after = service.work().await;
    let alone = client::run(service.address, 1, duration / 2).await;

    let events = load.events as f64;
    let ratio = load.per_second() / baseline.per_second;
    let statements = (after.statements - before.statements) as f64 / events;
    let wal_bytes = (after.wal_bytes - before.wal_bytes) as f64 / events;
    let body_bytes = body.len();
    let report = json!({
        "ratioToPgbench": ratio,
        "pgbench": { "clients": CONNECTIONS, "insertsPerSecond": baseline.per_second },
        "intake": figures(&load, CONNECTIONS),
        "loneRequest": figures(&alone, 1),
        "statementsPerEvent": statements,
        "walBytesPerEvent": wal_bytes,
        "bodyBytes": body_bytes,
    });
    println!("                         events/s   p50 ms   p99 ms");
    print_row("intake, 16 connections", &load);
    print_row("intake, 1 connection", &alone);
    println!("{:<24} {:>8.0}", "pgbench, 16 clients", baseline.per_second);
    println!(
        "ratio to pgbench {ratio:.2}; {:.2} statements and {:.0} bytes of WAL an event of {} bytes",
        statements, wal_bytes, body_bytes,
    );
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("intake.json"), serde_json::to_string_pretty(&report).unwrap()).unwrap();
    service.stop().await;
    postgres.stop().await.unwrap();
}

/// A server that counts its statements, where the machine has the extension for it.
async fn start_counting(settings: &Settings) -> PrivatePostgres {
    let postgres = PrivatePostgres::start(settings).await.unwrap();
    let mut connection = postgres.connect_options().connect().await.unwrap();
    let available = "select exists (select from pg_available_extensions where name = 'pg_stat_statements')";
    if !sqlx::query_scalar::<_, bool>(available).fetch_one(&mut connection).await.unwrap() {
        return postgres;
    }
    connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'").await.unwrap();
    connection.close().await.unwrap();
    postgres.stop().await.unwrap();
    let postgres = PrivatePostgres::start(settings).await.unwrap();
    let mut connection = postgres.connect_options().connect().await.unwrap();
    connection.execute("create extension if not exists pg_stat_statements").await.unwrap();
    postgres
}

fn figures(load: &Load, connections: usize) -> serde_json::Value {
    json!({
        "connections": connections,
        "eventsPerSecond": load.per_second(),
        "p50Milliseconds": load.percentile(0.5),
        "p99Milliseconds": load.percentile(0.99),
    })
}

fn print_row(name: &str, load: &Load) {
    println!("{name:<24} {:>8.0} {:>8.2} {:>8.2}", load.per_second(), load.percentile(0.5), load.percentile(0.99));
}
