//! How fast the analysts' views answer when there is much to ask: each whole, each for one order, and the worked
//! queries of docs/analytics.md.
//!
//! `cargo bench --bench views` prints a table and writes `target/bench/views.json`. The database is filled with a
//! made-up feed that goes through the intake, and is then multiplied: each order is copied, with all its rows, under
//! other keys. `BENCH_ORDERS` says how many orders there are to be (100,000), `BENCH_INGESTED` how many of them go
//! through the intake (2,000), `BENCH_DATA_DIR` where the database is kept, to be measured again without being filled
//! again.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up has failed; its figures are for people"
)]

mod fill;
mod questions;

use std::path::PathBuf;
use std::time::Instant;

use futures_util::TryStreamExt;
use order_timeline::store::Store;
use order_timeline::store::private_postgres::{Durability, PrivatePostgres, Settings};
use serde_json::json;
use sqlx::postgres::{PgConnection, PgPoolCopyExt};
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool};

/// No question may take longer, in milliseconds.
const BOUND: f64 = 1_000.0;

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(measure());
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

async fn measure() {
    let temporary = tempfile::Builder::new().prefix("order-timeline-bench-").tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(temporary.path(), open).unwrap();
    let data_dir = std::env::var_os("BENCH_DATA_DIR").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let postgres = PrivatePostgres::start(&Settings { data_dir, durability: Durability::ThrowAway }).await.unwrap();
    let options = postgres.connect_options();
    let store = Store::connect(options.clone(), 4);
    store.migrate().await.unwrap();
    let mut connection = options.connect().await.unwrap();
    let orders = number("BENCH_ORDERS", 100_000);
    fill::fill(&store, &mut connection, orders, number("BENCH_INGESTED", 2_000).min(orders)).await;
    store.close().await;

    let size = size(&mut connection).await;
    println!(
        "{} orders, {} events, {} timeline entries, {} MB",
        size.orders, size.events, size.entries, size.megabytes
    );
    println!("{:<68} {:>9} {:>9}", "", "rows", "ms");
    let pool = PgPool::connect_lazy_with(options);
    let mut measured = Vec::new();
    for question in questions::all(&mut connection).await {
        let (rows, milliseconds) = time(&pool, &question.sql).await;
        let mark = if milliseconds > BOUND { "  too long" } else { "" };
        println!("{:<68} {rows:>9} {milliseconds:>9.0}{mark}", question.name);
        measured.push(json!({ "question": question.name, "rows": rows, "milliseconds": milliseconds }));
    }
    let report = json!({
        "orders": size.orders, "events": size.events, "timelineEntries": size.entries,
        "megabytes": size.megabytes, "questions": measured,
    });
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("views.json"), serde_json::to_string_pretty(&report).unwrap()).unwrap();
    pool.close().await;
    postgres.stop().await.unwrap();
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

struct Size {
    orders: i64,
    events: i64,
    entries: i64,
    megabytes: i64,
}

async fn size(connection: &mut PgConnection) -> Size {
    let mut number = async |sql: &str| -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut *connection).await.unwrap()
    };
    Size {
        orders: number("select count(*) from product_order").await,
        events: number("select sum(events)::bigint from product_order").await,
        entries: number("select count(*) from timeline_entry").await,
        megabytes: number("select pg_database_size(current_database()) / 1048576").await,
    }
}
