//! What PostgreSQL itself does: one row with the body a transaction.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};

pub struct Baseline {
    pub per_second: f64,
}

pub async fn inserts_per_second(
    options: &PgConnectOptions,
    body: &[u8],
    clients: usize,
    duration: Duration,
    directory: &Path,
) -> Baseline {
    let mut connection = options.connect().await.unwrap();
    let table = "create table if not exists baseline (
        id bigint generated always as identity primary key, received_at timestamptz not null, body bytea not null)";
    connection.execute(table).await.unwrap();
    let hexadecimal = body.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let script = directory.join("insert.sql");
    let insert = format!("insert into baseline (received_at, body) values (now(), '\\x{hexadecimal}');\n");
    std::fs::write(&script, insert).unwrap();
    let output = Command::new(program())
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={clients}"))
        .arg(format!("--time={}", duration.as_secs()))
        .arg(format!("--file={}", script.display()))
        .arg(format!("--host={}", options.get_socket().unwrap().display()))
        .arg(format!("--port={}", options.get_port()))
        .arg(format!("--username={}", options.get_username()))
        .arg(options.get_database().unwrap())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    connection.execute("drop table baseline").await.unwrap();
    Baseline { per_second: rate.unwrap_or_else(|| unreachable!("{told}{}", String::from_utf8_lossy(&output.stderr))) }
}

/// Debian keeps pgbench beside the server's other programs, off the path.
fn program() -> std::path::PathBuf {
    let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = folders.map(|version| version.path().join("bin/pgbench")).filter(|path| path.exists()).max();
    installed.unwrap_or_else(|| "pgbench".into())
}
