//! Made-up feeds: the same for the same seed, readable, and what they say they are.

use std::collections::BTreeMap;

use chrono::SubsecRound;
use order_timeline::generate::{Feed, Is, Sent, Settings, Share};
use order_timeline::intake::{Body, Delivery, take};
use order_timeline::store::PROJECTION_TABLES;
use order_timeline::wire::{self, OddityKind};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::TestDatabase;
use crate::app::{out, run};

fn settings(orders: u64) -> Settings {
    Settings {
        orders,
        events_per_order: 20,
        seed: 7,
        duplicates: Share::new(0.1).unwrap(),
        late: Share::new(0.1).unwrap(),
        conflicts: Share::new(0.02).unwrap(),
        bare: Share::new(0.02).unwrap(),
        from: "2024-01-01T00:00:00Z".parse().unwrap(),
        to: "2025-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn hash(bodies: impl Iterator<Item = Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    for body in bodies {
        hash.update(&body);
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count(sent: &[Sent], is: Is) -> usize {
    sent.iter().filter(|sent| sent.is == is).count()
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    let of_seed = |seed| hash(Feed::new(Settings { seed, ..settings(40) }).map(|sent| sent.body));
    assert_eq!(of_seed(7), of_seed(7));
    assert_ne!(of_seed(7), of_seed(8));
    insta::assert_snapshot!("generated_feed_hash", of_seed(7));
}

#[test]
fn every_body_can_be_read_and_is_odd_only_where_the_supplier_is() {
    let mut oddities: Vec<OddityKind> = Vec::new();
    let mut lengths = Vec::new();
    for sent in Feed::new(settings(300)) {
        let reading = wire::read(&sent.body).unwrap();
        oddities.extend(reading.oddities.into_iter().map(|oddity| oddity.kind));
        lengths.push(sent.body.len());
    }
    oddities.dedup();
    assert_eq!(oddities, [OddityKind::ObjectForList]);
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!((2_000..3_500).contains(&median), "{median}");
}

#[test]
fn a_feed_has_the_shares_that_were_asked_for() {
    let settings = settings(1_000);
    let sent: Vec<Sent> = Feed::new(settings).collect();
    let events = count(&sent, Is::Event);
    let share = |count: usize| count * 1_000 / events;
    assert!((19_500..20_500).contains(&events), "{events}");
    assert!((90..110).contains(&share(count(&sent, Is::Duplicate))));
    assert!((15..25).contains(&share(count(&sent, Is::Conflict))));
    // Some may not be late: nothing comes after them, or another late one comes after them.
    assert!((65..105).contains(&share(sent.iter().filter(|sent| sent.is_late).count())));
    assert!(sent.is_sorted_by_key(|sent| sent.at), "bodies come in the order of their delivery");
    assert!(sent.iter().all(|sent| sent.at >= settings.from && sent.at < settings.to + chrono::TimeDelta::days(1)));
}

#[test]
fn what_is_told_to_be_late_is() {
    let mut latest: BTreeMap<String, chrono::DateTime<chrono::Utc>> = BTreeMap::new();
    for sent in Feed::new(Settings { bare: Share::NEVER, ..settings(200) }) {
        let event = wire::read(&sent.body).unwrap().event;
        let at = event.event_time.unwrap().at().unwrap();
        let latest = latest.entry(event.order_id).or_insert(at);
        if sent.is == Is::Event {
            assert_eq!(sent.is_late, at < *latest, "{at} after {latest}");
        }
        *latest = at.max(*latest);
    }
}

#[tokio::test]
async fn the_outcomes_are_what_was_made() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed.ndjson");
    let file = file.to_str().unwrap();
    let arguments = ["generate", "--orders", "30", "--conflicts", "0.02", "--bare", "0.02", "--output", file];
    let made = run(&database, &arguments).await;
    assert!(made.stdout.is_empty());
    let told = String::from_utf8(made.stderr).unwrap();
    let number = |told: &str, name: &str| -> u64 {
        let line = told.lines().find_map(|line| line.trim().strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or_else(|| panic!("no {name}: {told}"))
    };
    let ingested = out(&run(&database, &["ingest", file]).await);
    for (made, outcome) in [("events", "applied"), ("duplicates", "duplicate"), ("conflicts", "conflict")] {
        assert_eq!(number(&ingested, outcome), number(&told, made), "{told}\n{ingested}");
        assert!(number(&told, made) > 0, "{told}");
    }
    assert_eq!(number(&ingested, "quarantined"), 0, "{ingested}");
    let orders = database.rows("select count(*) as n from product_order").await;
    assert_eq!(orders, [serde_json::json!({ "n": 30 })]);
    let check = run(&database, &["rebuild", "--check"]).await;
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    database.close().await;
}

#[tokio::test]
async fn the_command_writes_what_the_library_gives() {
    let database = TestDatabase::new().await;
    let arguments = "generate --orders 40 --seed 7 --late 0.1 --conflicts 0.02 --bare 0.02 --from 2024-01-01T00:00:00Z \
                     --to 2025-01-01T00:00:00Z --out -";
    let made = run(&database, &arguments.split_whitespace().collect::<Vec<_>>()).await;
    let lines = made.stdout.split_inclusive(|byte| *byte == b'\n').map(|line| line.trim_ascii_end().to_vec());
    assert_eq!(hash(lines), hash(Feed::new(settings(40)).map(|sent| sent.body)));
    for (arguments, told) in
        [("generate --duplicates 1.5", "is no share"), ("generate --from 2026-01-01T00:00:00Z", "is not before --to")]
    {
        let output = run(&database, &arguments.split_whitespace().collect::<Vec<_>>()).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(told), "{error}");
    }
    database.close().await;
}

/// Contract, the one law.
#[tokio::test]
async fn the_order_of_processing_does_not_show() {
    let feed: Vec<Delivery> = Feed::new(settings(12)).enumerate().map(delivery).collect();
    let mut mixed = feed.clone();
    // Any order that is not the feed's own; the ids are random.
    mixed.sort_by_key(|delivery| Sha256::digest(delivery.id.as_bytes()).to_vec());
    let mut shown = Vec::new();
    for (deliveries, batch) in [(feed, 100), (mixed, 7)] {
        let database = TestDatabase::new().await;
        let vocabulary = order_timeline::vocabulary::shipped().unwrap();
        for batch in deliveries.chunks(batch) {
            take(&database.store, &vocabulary, batch.to_vec()).await.unwrap();
        }
        let mut all: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for table in PROJECTION_TABLES.iter().chain(&["delivery"]) {
            all.insert(table, database.rows(&format!("select * from {table}")).await);
        }
        database.close().await;
        shown.push(all);
    }
    for (table, rows) in &shown[0] {
        let other = &shown[1][table];
        let differs = rows.iter().zip(other).find(|(a, b)| a != b);
        assert!(rows.len() == other.len() && differs.is_none(), "{table}: {differs:#?}");
    }
}

fn delivery((number, sent): (usize, Sent)) -> Delivery {
    let id = Uuid::from_u128(u128::try_from(number).unwrap());
    let received_at = sent.at.trunc_subsecs(6);
    Delivery { id, received_at, ..Delivery::received_now("bt-wholesale", "feed", Vec::new(), Body::Whole(sent.body)) }
}
