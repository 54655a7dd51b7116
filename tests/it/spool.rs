//! The spool by itself: what it kept is there after whatever happened to its files, and whatever is not is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use order_timeline::intake::{Body, Delivery, take};
use order_timeline::spool::Spool;
use serde_json::json;

use crate::app::{TestApp, TestDatabase, bodies, body, spooled};
use crate::disturbed::{Disturbed, spool_in};

fn deliveries() -> Vec<Delivery> {
    let fixtures = bodies("bt-wholesale").into_iter();
    fixtures
        .map(|(name, bytes)| Delivery::received_now("bt-wholesale", &name, Vec::new(), Body::Whole(bytes)))
        .collect()
}

fn segment(directory: &Path) -> PathBuf {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "spool")).max().unwrap()
}

async fn keep(spool: &Spool, deliveries: &[Delivery]) {
    for delivery in deliveries {
        spool.append(delivery.clone()).await.unwrap();
    }
}

/// What is in the database once all that the directory holds was taken in.
async fn drained(directory: &Path) -> TestApp {
    let app = TestApp::with(|app| app.spool = Some(Spool::open(&spool_in(directory)).unwrap())).await;
    while !spooled(directory).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app
}

async fn concerns(app: &TestApp) -> String {
    app.json("/health/ready").await["concerns"].to_string()
}

async fn damaged_bytes(app: &TestApp) -> u64 {
    let figures = app.get("/metrics").await.text();
    let counted = figures.lines().find_map(|line| line.strip_prefix("order_timeline_spool_damaged_bytes_total "));
    counted.unwrap().parse().unwrap()
}

async fn kept(app: &TestApp) -> usize {
    app.database.rows("select delivery_id from delivery where outcome = 'applied'").await.len()
}

#[tokio::test]
async fn what_a_former_run_left_is_taken_in() {
    let directory = tempfile::tempdir().unwrap();
    let deliveries = deliveries();
    keep(&Spool::open(&spool_in(directory.path())).unwrap(), &deliveries).await;
    let spool = Spool::open(&spool_in(directory.path())).unwrap();
    let status = spool.status();
    assert_eq!(status.deliveries, deliveries.len());
    assert_eq!(status.oldest, Some(deliveries[0].received_at));
    drop(spool);
    let app = drained(directory.path()).await;
    for delivery in &deliveries {
        let answer = app.get(&format!("/api/v1/deliveries/{}/body", delivery.id)).await;
        assert_eq!(answer.body, delivery.body.kept());
    }
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 1, "only the lock is left");
    app.stop().await;
}

#[tokio::test]
async fn draining_twice_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let deliveries = deliveries();
    keep(&Spool::open(&spool_in(directory.path())).unwrap(), &deliveries).await;
    let copy = std::fs::read(segment(directory.path())).unwrap();
    let path = segment(directory.path());
    let mut app = drained(directory.path()).await;
    let before = app.database.rows("select * from timeline_entry").await;
    assert_eq!(kept(&app).await, deliveries.len());
    app.restart(|_| {}).await;
    std::fs::write(path, copy).unwrap();
    app.restart(|app| app.spool = Some(Spool::open(&spool_in(directory.path())).unwrap())).await;
    while app.json("/health/ready").await["status"] != "ready" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(app.database.rows("select delivery_id from delivery").await.len(), deliveries.len());
    assert_eq!(app.database.rows("select * from timeline_entry").await, before);
    app.stop().await;
}

#[tokio::test]
async fn a_torn_end_costs_what_is_torn_and_is_kept_to_be_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let deliveries = deliveries();
    keep(&Spool::open(&spool_in(directory.path())).unwrap(), &deliveries).await;
    let path = segment(directory.path());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 100]).unwrap();
    let app = drained(directory.path()).await;
    assert_eq!(kept(&app).await, deliveries.len() - 1);
    let damaged = path.with_extension("damaged");
    assert_eq!(std::fs::read(damaged).unwrap(), &whole[..whole.len() - 100]);
    app.stop().await;
}

#[tokio::test]
async fn a_damaged_place_costs_its_delivery_alone_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let deliveries = deliveries();
    keep(&Spool::open(&spool_in(directory.path())).unwrap(), &deliveries).await;
    let path = segment(directory.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let app = drained(directory.path()).await;
    assert_eq!(kept(&app).await, deliveries.len() - 1);
    assert!(path.with_extension("damaged").exists());
    assert!(damaged_bytes(&app).await > 0);
    assert!(concerns(&app).await.contains("docs/operations.md: 1."), "{}", concerns(&app).await);
    app.stop().await;
}

/// The commit of a delivery was lost on the way, and it waits in the spool as well.
#[tokio::test]
async fn what_the_database_has_already_is_not_taken_again() {
    let directory = tempfile::tempdir().unwrap();
    let deliveries = deliveries();
    let database = TestDatabase::new().await;
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    take(&database.store, &vocabulary, deliveries[..20].to_vec()).await.unwrap();
    keep(&Spool::open(&spool_in(directory.path())).unwrap(), &deliveries).await;
    let app = TestApp::on(database, |app| app.spool = Some(Spool::open(&spool_in(directory.path())).unwrap()));
    while app.json("/health/ready").await["status"] != "ready" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let outcomes = app.database.rows("select outcome, count(*) as n from delivery group by outcome").await;
    assert_eq!(outcomes, [json!({ "outcome": "applied", "n": deliveries.len() })]);
    app.stop().await;
}

#[tokio::test]
async fn a_directory_is_one_services_alone_and_has_to_be_writable() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let told = Spool::open(&spool_in(&file)).unwrap_err().to_string();
    assert!(told.contains("cannot be used") && told.contains("--spool"), "{told}");
    let first = Spool::open(&spool_in(directory.path())).unwrap();
    let path = directory.path().to_owned();
    let told =
        tokio::task::spawn_blocking(move || Spool::open(&spool_in(&path)).unwrap_err().to_string()).await.unwrap();
    assert!(told.contains("another service"), "{told}");
    drop(first);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(directory.path().join("lock")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o077, 0, "bodies are nobody else's");
}

/// What does not fit a segment, and what is too large to be kept whole.
#[tokio::test]
async fn bodies_of_any_size_are_spooled() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(&spool_in(directory.path())).unwrap();
    let large = format!(r#"{{"event":{{"productOrder":{{"id":"large"}}}},"x":"{}"}}"#, "x".repeat(12 * 1024 * 1024));
    let whole = Delivery::received_now("bt-wholesale", "test", Vec::new(), Body::Whole(large.into_bytes()));
    let cut = Body::TooLarge { head: body("00"), length: 1 << 30, hash: [7; 32] };
    let cut = Delivery::received_now("bt-wholesale", "test", Vec::new(), cut);
    keep(&spool, &[whole.clone(), cut.clone(), deliveries()[0].clone()]).await;
    drop(spool);
    let app = drained(directory.path()).await;
    assert_eq!(app.get(&format!("/api/v1/deliveries/{}/body", whole.id)).await.body, whole.body.kept());
    let record = app.json(&format!("/api/v1/deliveries/{}", cut.id)).await;
    assert_eq!((record["bodyLength"].as_u64(), record["reasonCode"].as_str()), (Some(1 << 30), Some("too-large")));
    assert_eq!(kept(&app).await, 2);
    app.stop().await;
}

/// A file that cannot be opened for a moment, as where too many others are open, tells nothing of what is in it.
#[tokio::test]
async fn what_cannot_be_read_for_a_while_is_taken_in_when_it_can_be() {
    let it = Disturbed::start().await;
    it.proxy.go_down();
    let mut receipts = Vec::new();
    for number in ["01", "02", "04"] {
        receipts.push(it.app.post("/listener", body(number)).await.json());
    }
    let path = segment(&it.directory);
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    it.proxy.heal();
    while !concerns(&it.app).await.contains("cannot be read now") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Whoever delivers meanwhile is told what became of it.
    assert_eq!(it.app.post("/listener", body("08")).await.json()["outcome"], "applied");
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&away, &path).unwrap();
    it.drained().await;
    for receipt in receipts {
        assert_eq!(receipt["outcome"], "spooled");
        let id = receipt["deliveryId"].as_str().unwrap();
        assert_eq!(it.app.json(&format!("/api/v1/deliveries/{id}")).await["outcome"], "applied");
    }
    assert!(!segment_aside(&path).exists());
    it.app.stop().await;
}

fn segment_aside(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

#[tokio::test]
async fn what_was_set_aside_is_told_keeps_its_name_and_can_be_put_back() {
    let directory = tempfile::tempdir().unwrap();
    let deliveries = deliveries();
    keep(&Spool::open(&spool_in(directory.path())).unwrap(), &deliveries[..2]).await;
    let path = segment(directory.path());
    let whole = std::fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let mut app = drained(directory.path()).await;
    app.restart(|_| {}).await;
    assert!(segment_aside(&path).exists());

    let spool = Spool::open(&spool_in(directory.path())).unwrap();
    keep(&spool, &deliveries[2..4]).await;
    assert_ne!(segment(directory.path()), path, "its number is not given again");
    drop(spool);
    // As an operator does who has mended it.
    std::fs::write(&path, whole).unwrap();
    std::fs::remove_file(segment_aside(&path)).unwrap();
    app.restart(|app| app.spool = Some(Spool::open(&spool_in(directory.path())).unwrap())).await;
    while !spooled(directory.path()).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(kept(&app).await, 4);
    assert_eq!(concerns(&app).await, "[]");
    app.stop().await;
}
