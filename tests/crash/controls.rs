//! The trial with one thing wrong: it must be caught.

use crate::random;
use crate::trial::{Setup, Trial, Victim};

/// Rounds until it is caught, at most. Chance has a part in whether a wrong shows.
const ROUNDS: usize = 8;

async fn catch(setup: Setup, sign: &str) {
    let seed = crate::number("CRASH_SEED").unwrap_or_else(random::seed);
    let mut trial = Trial::begin(setup, seed).await;
    let mut told = Vec::new();
    for _ in 0..ROUNDS {
        trial.round(5, false).await;
        told = trial.verdict().await;
        if told.iter().any(|violation| violation.contains(sign)) {
            eprintln!("caught: {}", told[0]);
            trial.end().await;
            return;
        }
    }
    panic!("{setup:?} was not caught (CRASH_SEED={seed}); {} other violations: {:?}", told.len(), told.first());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_acknowledges_before_the_commit_is_caught() {
    let setup = Setup { faults: "fault:ack-before-commit", victim: Some(Victim::Service), ..Setup::default() };
    catch(setup, "which is lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_knows_no_duplicates_is_caught() {
    let setup = Setup { faults: "fault:no-dedupe", victim: Some(Victim::Service), ..Setup::default() };
    catch(setup, "counts 2 times").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_commits_asynchronously_is_caught() {
    // What the WAL writer has handed to the system is safe from a kill; so it is given time to be late.
    let postgres = &[("wal_writer_delay", "10s"), ("wal_writer_flush_after", "1GB"), ("wal_buffers", "64MB")];
    let setup = Setup { faults: "fault:asynchronous-commit", postgres, victim: Some(Victim::Postgres) };
    catch(setup, "which is lost").await;
}
