//! How many events a second are durable, projected and acknowledged, beside what PostgreSQL itself does
//! with the same body: `pgbench` inserting it, one row a transaction, in the same run on the same server.
//!
//! `cargo bench --bench intake` prints a table and writes `target/bench/intake.json`. `BENCH_SECONDS` sets how
//! long each measurement lasts, `BENCH_CONNECTIONS` (1,16,64,256) how many connections post.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up has failed; its figures are for people"
)]

mod bulk;
mod client;
mod cost;
mod feed;
mod pgbench;
mod service;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use order_timeline::generate::Share;
use order_timeline::store::private_postgres::{Durability, PrivatePostgres, Settings};
use serde_json::{Value as JsonValue, json};
use sqlx::postgres::PgPool;
use sqlx::{ConnectOptions, Connection, Executor, Row};

use client::{Load, Pace};
use cost::Cost;
use feed::Bodies;
use service::Service;

const PGBENCH_CLIENTS: usize = 16;

fn main() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let duration = Duration::from_secs(number("BENCH_SECONDS").unwrap_or(10));
    let connections = std::env::var("BENCH_CONNECTIONS").unwrap_or_else(|_| "1,16,64,256".to_owned());
    let connections = connections.split(',').map(|text| text.trim().parse().unwrap()).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure(duration, connections));
}

async fn measure(duration: Duration, connections: Vec<usize>) {
    let directory = tempfile::Builder::new().prefix("order-timeline-bench-").tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let settings = Settings { data_dir: directory.path().to_owned(), durability: Durability::Durable };
    let postgres = start_counting(&settings).await;
    let options = postgres.connect_options();
    let body = feed::usual_body();
    let body_bytes = body.len();
    let baseline = pgbench::inserts_per_second(&options, &body, PGBENCH_CLIENTS, duration, directory.path()).await;
    let pool = PgPool::connect_lazy_with(options.clone());
    let bench = Bench {
        service: Service::start(&options),
        postmaster: cost::postmaster(&pool).await,
        pool,
        duration,
        baseline: baseline.per_second,
    };
    println!("pgbench, {PGBENCH_CLIENTS} clients: {:.0} inserts/s of {body_bytes} bytes", baseline.per_second);
    println!(
        "{:<22} {:>8} {:>6} {:>7} {:>7} {:>8} {:>7} {:>8} {:>23} {:>7}",
        "", "events/s", "ratio", "p50 ms", "p99 ms", "p99.9 ms", "stmts", "WAL B", "CPU us srv/pg/client", "MiB"
    );
    let plain = bench.bodies(1, Share::NEVER, Share::NEVER).await;
    let most = connections.last().copied().unwrap_or(256);
    let mut closed = Vec::new();
    for connections in connections {
        closed.push(bench.run("closed", connections, Pace::Answered, &plain).await);
    }
    let mixed = bench.bodies(2, Share::of_million(100_000), Share::of_million(50_000)).await;
    let mixed = bench.run("10 % twice, 5 % late", most, Pace::Answered, &mixed).await;
    let best = closed.iter().filter_map(|one| one["eventsPerSecond"].as_f64()).fold(0.0, f64::max);
    let half = bench.run("open, half the load", 64, Pace::PerSecond(best / 2.0), &plain).await;
    let bulk = bulk::measure(&options, directory.path()).await;
    let report = json!({
        "ratioToPgbench": best / baseline.per_second,
        "pgbench": { "clients": PGBENCH_CLIENTS, "insertsPerSecond": baseline.per_second },
        "bodyBytes": body_bytes,
        "closedLoop": closed,
        "duplicatesAndLate": mixed,
        "openLoopAtHalf": half,
        "bulk": bulk,
        "outcomes": bench.outcomes().await,
    });
    println!("best ratio to pgbench {:.2}", best / baseline.per_second);
    if std::env::var_os("BENCH_STATEMENTS").is_some() {
        bench.print_statements().await;
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("intake.json"), serde_json::to_string_pretty(&report).unwrap()).unwrap();
    bench.service.stop();
    bench.pool.close().await;
    postgres.stop().await.unwrap();
}

struct Bench {
    service: Service,
    pool: PgPool,
    postmaster: u32,
    duration: Duration,
    baseline: f64,
}

impl Bench {
    /// A feed whose orders are under way.
    async fn bodies(&self, seed: u64, duplicates: Share, late: Share) -> Arc<Bodies> {
        let bodies = Arc::new(Bodies::new(seed, duplicates, late));
        self.service.ingest(bodies.until_steady());
        bodies
    }

    /// Runs one load and prints its row.
    async fn run(&self, name: &str, connections: usize, pace: Pace, bodies: &Arc<Bodies>) -> JsonValue {
        let before = self.cost().await;
        let load = client::run(self.service.address, connections, pace, self.duration, bodies).await;
        let cost = self.cost().await.since(before);
        let events = load.events as f64;
        let micros = |seconds: f64| seconds * 1e6 / events;
        println!(
            "{:<22} {:>8.0} {:>6.2} {:>7.2} {:>7.2} {:>8.2} {:>7.2} {:>8.0} {:>23} {:>7.0}",
            format!("{name}, {connections}"),
            load.per_second(),
            load.per_second() / self.baseline,
            load.percentile(0.5),
            load.percentile(0.99),
            load.percentile(0.999),
            cost.statements / events,
            cost.wal_bytes / events,
            format!("{:.0}/{:.0}/{:.0}", micros(cost.service), micros(cost.postgres), micros(cost.client)),
            cost.peak_memory,
        );
        self.figures(connections, &load, cost)
    }

    fn figures(&self, connections: usize, load: &Load, cost: Cost) -> JsonValue {
        let events = load.events as f64;
        json!({
            "connections": connections,
            "eventsPerSecond": load.per_second(),
            "ratioToPgbench": load.per_second() / self.baseline,
            "p50Milliseconds": load.percentile(0.5),
            "p99Milliseconds": load.percentile(0.99),
            "p999Milliseconds": load.percentile(0.999),
            "statementsPerEvent": cost.statements / events,
            "walBytesPerEvent": cost.wal_bytes / events,
            "cpuMicrosecondsPerEvent": {
                "service": cost.service * 1e6 / events,
                "postgres": cost.postgres * 1e6 / events,
                "client": cost.client * 1e6 / events,
            },
            "servicePeakMemoryMiB": cost.peak_memory,
        })
    }

    async fn cost(&self) -> Cost {
        Cost::now(&self.pool, self.service.pid(), self.postmaster).await
    }

    async fn outcomes(&self) -> BTreeMap<String, i64> {
        let rows = sqlx::query("select outcome, count(*) from delivery group by outcome").fetch_all(&self.pool).await;
        rows.unwrap().into_iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Where the server's time went, statement by statement.
    async fn print_statements(&self) {
        let rows = sqlx::query(
            "select calls, total_exec_time, total_exec_time / calls, rows, wal_bytes::bigint, left(regexp_replace(query, '\\s+', ' ', 'g'), 90)
             from pg_stat_statements order by total_exec_time desc limit 20",
        );
        for row in rows.fetch_all(&self.pool).await.unwrap() {
            println!(
                "{:>8} calls {:>9.0} ms {:>8.3} ms each {:>9} rows {:>11} WAL  {}",
                row.get::<i64, _>(0),
                row.get::<f64, _>(1),
                row.get::<f64, _>(2),
                row.get::<i64, _>(3),
                row.get::<i64, _>(4),
                row.get::<String, _>(5)
            );
        }
    }
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
