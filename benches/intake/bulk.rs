//! What an operator has done at once: `ingest` of a file, and `rebuild` of what came of it, in a database of its own.

use std::io::{BufWriter, Write};
use std::path::Path;

use order_timeline::generate::Share;
use serde_json::{Value as JsonValue, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};

use super::feed::Bodies;
use super::service;

const EVENTS: u32 = 50_000;

/// Rates in events a second.
pub async fn measure(options: &PgConnectOptions, directory: &Path) -> JsonValue {
    let mut admin = options.connect().await.unwrap();
    admin.execute("create database bulk").await.unwrap();
    let database = service::url(&options.clone().database("bulk"));
    let file = directory.join("bodies.ndjson");
    {
        let bodies = Bodies::new(3, Share::NEVER, Share::NEVER);
        let mut lines = BufWriter::new(std::fs::File::create(&file).unwrap());
        for _ in 0..EVENTS {
            lines.write_all(&bodies.next()).unwrap();
            lines.write_all(b"\n").unwrap();
        }
    }
    service::run(&["migrate"], &database);
    let rate = |seconds: f64| f64::from(EVENTS) / seconds;
    let ingest = rate(service::run(&["ingest", file.to_str().unwrap()], &database));
    let rebuild = rate(service::run(&["rebuild"], &database));
    let check = rate(service::run(&["rebuild", "--check"], &database));
    // As after a release that folds otherwise: the state of every order is written anew.
    let mut connection = options.clone().database("bulk").connect().await.unwrap();
    connection.execute("update product_order set fold_version = 0").await.unwrap();
    let refolded = rate(service::run(&["rebuild"], &database));
    println!(
        "ingest {ingest:.0}, rebuild {rebuild:.0}, with each order's state written anew {refolded:.0}, rebuild --check \
         {check:.0} events/s"
    );
    json!({
        "ingestEventsPerSecond": ingest,
        "rebuildEventsPerSecond": rebuild,
        "rebuildWithNewStatesEventsPerSecond": refolded,
        "checkEventsPerSecond": check,
    })
}
