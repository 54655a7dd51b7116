//! What was acknowledged is there: the service and PostgreSQL are killed, at named points and at any time, under
//! load, again and again, and afterwards every acknowledgement is compared with what is stored.
//!
//! acknowledged ⊆ stored ⊆ attempted, byte for byte, and no event counts twice. A request whose answer was lost is
//! indeterminate: it may be stored or not, and its sender sends it again. The negative controls are the same trial
//! with one thing wrong; each must be caught, else the trial would prove nothing.
//!
//! `CRASH_POINTS` sets how often something is killed (200; the long mode is 2000). After every 200 another trial with a
//! database of its own begins, so that the long mode does not look at more and more deliveries again and again; each
//! says its seed, by which `CRASH_SEED` repeats it alone.
//! PostgreSQL runs with `fsync=off` here: it is killed, but the machine is not, so what it has handed to the system
//! is not lost; whether the disk has it cannot be shown by killing processes, only checked as a setting.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed; seeds and figures are for people"
)]

mod controls;
mod ledger;
mod outage;
mod postgres;
mod random;
mod sender;
mod service;
mod trial;
mod verdict;

use trial::{Setup, Trial};

/// Crash points of one trial.
const TRIAL: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_and_whenever_what_was_acknowledged_is_there_once() {
    let mut left = number("CRASH_POINTS").unwrap_or(TRIAL);
    let mut seed = number("CRASH_SEED").unwrap_or_else(random::seed);
    while left > 0 {
        let points = left.min(TRIAL);
        endure(points, seed).await;
        (left, seed) = (left - points, seed + 1);
    }
}

/// One trial of so many crash points.
async fn endure(points: u64, seed: u64) {
    const ROUND: u64 = 25;
    eprintln!("{points} crash points; to repeat them: CRASH_POINTS={points} CRASH_SEED={seed}");
    let mut trial = Trial::begin(Setup::default(), seed).await;
    let mut done = 0;
    while done < points {
        let round = ROUND.min(points - done);
        // With the spool and without it, in turns.
        let has_spool = (done / ROUND).is_multiple_of(2);
        trial.round(usize::try_from(round).unwrap(), has_spool).await;
        done += round;
        let violations = trial.verdict().await;
        assert!(violations.is_empty(), "CRASH_SEED={seed}, after {done} crash points:\n{}", violations.join("\n"));
    }
    eprintln!("{}", trial.summary());
    trial.end().await;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
