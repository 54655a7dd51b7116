//! What a load costs: processor time of each party, statements, write-ahead log, memory.

use std::fs;

use sqlx::postgres::PgPool;

/// Totals up to now, or, as a difference, of one load.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    /// Seconds on a processor.
    pub service: f64,
    pub postgres: f64,
    pub client: f64,
    pub statements: f64,
    pub wal_bytes: f64,
    /// The most memory that the service held so far, in MiB.
    pub peak_memory: f64,
}

impl Cost {
    /// `postmaster` is the server's first process, the parent of all its others. Without the extension that
    /// counts them, statements are told as none.
    pub async fn now(pool: &PgPool, service: u32, postmaster: u32) -> Self {
        // A backend tells the others of its part of the log when it is idle for a moment, or ends.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let wal: i64 = sqlx::query_scalar("select wal_bytes::bigint from pg_stat_wal").fetch_one(pool).await.unwrap();
        let counted = "select sum(calls)::bigint from pg_stat_statements";
        let statements: i64 = sqlx::query_scalar(counted).fetch_one(pool).await.unwrap_or(0);
        Self {
            service: seconds(service),
            postgres: seconds(postmaster) + children(postmaster).into_iter().map(seconds).sum::<f64>(),
            client: seconds(std::process::id()),
            statements: statements as f64,
            wal_bytes: wal as f64,
            peak_memory: peak_memory(service),
        }
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            service: self.service - before.service,
            postgres: self.postgres - before.postgres,
            client: self.client - before.client,
            statements: self.statements - before.statements,
            wal_bytes: self.wal_bytes - before.wal_bytes,
            peak_memory: self.peak_memory,
        }
    }
}

/// Time on a processor of a process, and of its children that have ended.
fn seconds(pid: u32) -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is the program's name in brackets, and may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: f64 = fields.skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS_A_SECOND
}

fn children(pid: u32) -> Vec<u32> {
    let told = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    told.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

fn peak_memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}

/// The server's first process.
pub async fn postmaster(pool: &PgPool) -> u32 {
    let pid = "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::bigint";
    sqlx::query_scalar::<_, i64>(pid).fetch_one(pool).await.unwrap().try_into().unwrap()
}
