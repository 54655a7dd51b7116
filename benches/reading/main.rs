//! How fast it answers when there is much to read: orders, timelines, searches and lists over HTTP, by the real
//! service, at growing numbers of orders; and, where there are not more than a hundred thousand, the analysts' views
//! with the worked queries of docs/analytics.md.
//!
//! `cargo bench --bench reading` prints tables and writes `target/bench/reading.json`. A database is filled with a
//! made-up feed that goes through the intake, and is then multiplied: each order is copied, with all its rows but the
//! bodies, under other keys. `BENCH_ORDERS` says how many orders there are to be, in ascending order (10000,100000),
//! `BENCH_EVENTS` how many events an order has (20), `BENCH_INGESTED` how many orders go through the intake (2,000).
//! With `BENCH_KEEP`, a folder, databases stay there, and the next run of the same figures finds its own filled.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up has failed; its figures are for people"
)]

mod fill;
mod requests;
#[path = "../intake/service.rs"]
#[expect(dead_code, reason = "the other bench uses the rest of it")]
mod service;
mod views;

use std::path::PathBuf;
use std::time::Instant;

use futures_util::TryStreamExt;
use order_timeline::store::Store;
use order_timeline::store::private_postgres::{self, Durability, PrivatePostgres, Settings};
use serde_json::{Value as JsonValue, json};
use sqlx::postgres::{PgConnection, PgPoolCopyExt};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool};

/// No question of an analyst may take longer, in milliseconds.
const BOUND: f64 = 1_000.0;
/// So many orders are as much as analysts ask about at once.
const ANALYSED: u64 = 100_000;

fn main() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let sizes = std::env::var("BENCH_ORDERS").unwrap_or_else(|_| "10000,100000".to_owned());
    let sizes = sizes.split(',').map(|text| text.trim().parse().unwrap()).map(|orders| fill::Size {
        orders,
        events_per_order: number("BENCH_EVENTS", 20),
        ingested: number("BENCH_INGESTED", 2_000).min(orders),
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let measured: Vec<JsonValue> = sizes.map(|size| runtime.block_on(measure(size))).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("reading.json"), serde_json::to_string_pretty(&measured).unwrap()).unwrap();
}

async fn measure(size: fill::Size) -> JsonValue {
    let temporary = tempfile::Builder::new().prefix("order-timeline-bench-").tempdir().unwrap();
    let kept = std::env::var_os("BENCH_KEEP").map(PathBuf::from);
    let fill::Size { orders, events_per_order, ingested } = size;
    let name = format!("{orders}-orders-of-{events_per_order}-events-{ingested}-ingested");
    let directory = kept.unwrap_or_else(|| temporary.path().to_owned()).join(name);
    // Written at the end of filling: one that was broken off is begun anew.
    let marker = directory.with_extension("filled");
    let is_filled = marker.exists();
    if !is_filled {
        private_postgres::wipe(&directory).await.unwrap();
    }
    std::fs::create_dir_all(&directory).unwrap();
    for folder in [temporary.path(), &directory] {
        // The server may run as another user, who has to pass.
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let settings = Settings { data_dir: directory, durability: Durability::ThrowAway };
    let postgres = PrivatePostgres::start(&settings).await.unwrap();
    let options = postgres.connect_options();
    let store = Store::connect(options.clone(), 4);
    store.migrate().await.unwrap();
    let mut connection = options.connect().await.unwrap();
    if !is_filled {
        fill::fill(&store, &mut connection, size).await;
        std::fs::write(&marker, "").unwrap();
    }
    fill::settle(&store, &mut connection).await;
    store.close().await;

    let filled = Filled::of(&mut connection).await;
    let Filled { orders, events, entries, megabytes } = filled;
    println!("\n{orders} orders, {events} events, {entries} timeline entries, {megabytes} MB");
    let service = service::Service::start(&options);
    let requests = requests::measure(service.address, &mut connection).await;
    service.stop();
    let pool = PgPool::connect_lazy_with(options);
    let views = if size.orders <= ANALYSED { views(&pool, &mut connection).await } else { Vec::new() };
    pool.close().await;
    connection.close().await.unwrap();
    postgres.stop().await.unwrap();
    json!({
        "orders": orders, "events": events, "timelineEntries": entries, "megabytes": megabytes,
        "requests": requests, "views": views,
    })
}

async fn views(pool: &PgPool, connection: &mut PgConnection) -> Vec<JsonValue> {
    println!("{:<68} {:>9} {:>9}", "", "rows", "ms");
    let mut measured = Vec::new();
    for question in views::all(connection).await {
        let (rows, milliseconds) = time(pool, &question.sql).await;
        let mark = if milliseconds > BOUND { "  too long" } else { "" };
        println!("{:<68} {rows:>9} {milliseconds:>9.0}{mark}", question.name);
        measured.push(json!({ "question": question.name, "rows": rows, "milliseconds": milliseconds }));
    }
    measured
}

/// The rows of a question, and how long their last byte takes: the middle one of three tries, after one that is not
/// counted.
async fn time(pool: &PgPool, sql: &str) -> (u64, f64) {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..4 {
        let started = Instant::now();
        let mut answer = pool.copy_out_raw(&format!("copy ({sql}) to stdout")).await.unwrap();
        rows = 0;
        while let Some(piece) = answer.try_next().await.unwrap() {
            rows += u64::from(!piece.is_empty());
        }
        drop(answer);
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    let mut counted = times.split_off(1);
    counted.sort_by(f64::total_cmp);
    (rows, counted.swap_remove(1))
}

struct Filled {
    orders: i64,
    events: i64,
    entries: i64,
    megabytes: i64,
}

impl Filled {
    async fn of(connection: &mut PgConnection) -> Self {
        let mut number = async |sql: &str| -> i64 {
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut *connection).await.unwrap()
        };
        Self {
            orders: number("select count(*) from product_order").await,
            events: number("select sum(events)::bigint from product_order").await,
            entries: number("select count(*) from timeline_entry").await,
            megabytes: number("select pg_database_size(current_database()) / 1048576").await,
        }
    }
}
