//! PostgreSQL is away for a while under a steady load, with a spool: no sender notices, and afterwards all is in its
//! timeline.
//!
//! `OUTAGE_SECONDS` sets for how long (5; the long mode is 60, at 200 events a second).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{ConnectOptions, Row};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::ledger::body;
use crate::postgres::Postgres;
use crate::sender::{get, post};
use crate::service::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sender_notices_that_the_database_was_away() {
    let seconds = crate::number("OUTAGE_SECONDS").unwrap_or(5);
    let rate = crate::number("OUTAGE_RATE").unwrap_or(if seconds >= 60 { 200 } else { 50 });
    let mut postgres = Postgres::start(&[]).await;
    let directory = tempfile::tempdir().unwrap();
    let (spool, log) = (directory.path().join("spool"), directory.path().join("log"));
    let service = Service::start(&postgres.url(), Some(&spool), "", &log).await;
    let address = service.address;

    // An open loop: what is late does not hold back what comes after it.
    let before = Duration::from_secs(2);
    let total = (seconds + 4) * rate;
    let every = Duration::from_secs(1) / u32::try_from(rate).unwrap();
    let sending = tokio::spawn(async move {
        let mut sent = JoinSet::new();
        let mut ticks = tokio::time::interval(every);
        for number in 0..total {
            ticks.tick().await;
            sent.spawn(async move {
                let began = Instant::now();
                let mut stream = TcpStream::connect(address).await.unwrap();
                let answer = post(&mut stream, &body(number)).await;
                (number, answer, began.elapsed())
            });
        }
        sent.join_all().await
    });
    tokio::time::sleep(before).await;
    postgres.kill();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    postgres.launch();
    postgres.wait_until_ready().await;
    let back = Instant::now();
    let answers = sending.await.unwrap();
    let mut spooled = 0;
    let mut slowest = Duration::ZERO;
    for (number, answer, took) in answers {
        let (status, answer) = answer.unwrap_or_else(|| panic!("event {number} was not answered"));
        assert!((200..300).contains(&status), "event {number}: {status} {}", String::from_utf8_lossy(&answer));
        let receipt: Value = serde_json::from_slice(&answer).unwrap();
        spooled += u64::from(receipt["outcome"] == "spooled");
        slowest = slowest.max(took);
    }
    while !get(address, "/health/ready").await.unwrap_or_default().contains("\"ready\"") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let until_all = back.elapsed();
    eprintln!(
        "{seconds} s without PostgreSQL, {rate} events/s: {total} sent, {total} acknowledged, {spooled} through the \
         spool; the slowest answer took {slowest:.1?}; all in their timelines {until_all:.1?} after its return"
    );
    if seconds >= 60 {
        // The promise is made for a build with optimisation and the long mode.
        assert!(until_all < Duration::from_secs(30), "it took {until_all:?}");
    }
    assert!(spooled > seconds * rate / 2, "{spooled} through the spool");

    let mut connection = postgres.options().connect().await.unwrap();
    let told = sqlx::query("select distinct event_id from timeline_entry").fetch_all(&mut connection).await.unwrap();
    let told: HashSet<String> = told.iter().map(|row| row.get(0)).collect();
    assert_eq!(told.len(), usize::try_from(total).unwrap(), "each event tells something in its order's timeline");
    let misplaced = "select count(*) from (select order_key, event_position, at,
                       lag(at) over (partition by order_key order by event_position, ordinal) as before
                     from timeline_entry) e where before > at";
    let misplaced: i64 = sqlx::query(misplaced).fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(misplaced, 0, "each in the right place");
    let ledger = Arc::new(crate::ledger::Ledger::default());
    (0..total).for_each(|number| ledger.attempt(number));
    let violations = crate::verdict::violations(&postgres.options(), &ledger).await;
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
