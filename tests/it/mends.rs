//! What failed for a while goes on by itself once its cause was mended.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use order_timeline::access::{Copy, State};
use order_timeline::http::App;
use serde_json::Value;

use crate::app::{TestApp, TestDatabase, bearer, body, operate};
use crate::disturbed::{Disturbed, spool_in};
use crate::proxy::Proxy;

/// A disk that takes nothing: its directory is away, as after an unmount.
struct Unmounted<'a>(&'a Path);

impl<'a> Unmounted<'a> {
    fn now(directory: &'a Path) -> Self {
        std::fs::rename(directory, directory.with_extension("away")).unwrap();
        Self(directory)
    }

    fn mend(self) {
        std::fs::rename(self.0.with_extension("away"), self.0).unwrap();
    }
}

#[tokio::test]
async fn a_spool_that_could_not_be_written_takes_deliveries_again_when_its_disk_was_mended() {
    let it = Disturbed::start().await;
    it.proxy.go_down();
    a_disk_fails_and_is_mended(it).await;
}

#[tokio::test]
async fn so_does_one_whose_database_was_never_there() {
    let directory = tempfile::tempdir().unwrap();
    let database = TestDatabase::new().await;
    let known = Arc::new(State::read(database.store.access_rows().await.unwrap()));
    let proxy = Proxy::to(&database);
    proxy.go_down();
    let settings = spool_in(&directory.path().join("spool"));
    a_disk_fails_and_is_mended(Disturbed::on(database, proxy, &settings, |app| app.access.known = Some(known))).await;
}

async fn a_disk_fails_and_is_mended(it: Disturbed) {
    let disk = Unmounted::now(&it.directory);
    let answer = it.app.post("/listener", body("01")).await;
    let problem = answer.json();
    assert_eq!((answer.status, problem["code"].as_str()), (503, Some("spool-unavailable")), "{problem}");
    assert!(answer.header("retry-after").is_some());
    let ready = it.app.get("/health/ready").await;
    assert_eq!(ready.status, 503, "nothing could be kept");
    assert!(ready.text().contains("The spool cannot be written"), "{}", ready.text());
    disk.mend();
    // Nothing is delivered meanwhile: a balancer sends nothing to a node that is not ready.
    let ready = it.app.until(200, async || it.app.get("/health/ready").await).await.json();
    assert_eq!((&ready["status"], &ready["database"]), (&"degraded".into(), &"unavailable".into()), "{ready}");
    let again = it.app.post("/listener", body("01")).await;
    assert_eq!((again.status, again.json()["outcome"].as_str()), (200, Some("spooled")), "{}", again.text());
    it.proxy.heal();
    it.drained().await;
    let kept = it.deliveries().await;
    assert_eq!((kept.len(), &kept[0]["delivery_id"]), (1, &again.json()["deliveryId"]), "{kept:?}");
    it.app.stop().await;
}

#[tokio::test]
async fn the_copy_of_who_has_access_is_made_as_soon_as_it_can_be() {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    let set = |app: &mut App| {
        app.access.refresh = Duration::from_millis(50);
        app.access.copy = Some(Arc::new(Copy::in_directory(&spool)));
    };
    let (app, told) = TestApp::after(&["senders add acme --bearer"], set).await;
    let acme = bearer(told[0]["secret"].as_str().unwrap());
    let deliver = async || app.send("POST", "/listener", &[("Authorization", &acme)], body("01")).await;
    assert_eq!(deliver().await.status, 200);
    until_copied(&spool, true).await;

    // Who is disabled while the disk takes nothing must not stay in the copy when it does.
    let disk = Unmounted::now(&spool);
    operate(&app.database, "senders disable acme").await;
    app.until(403, deliver).await;
    disk.mend();
    until_copied(&spool, false).await;
    app.stop().await;
}

/// Of what was spooled before it went away, nothing is given up.
#[tokio::test]
async fn what_lies_on_a_disk_that_is_away_while_the_database_comes_back_is_taken_in_when_the_disk_does() {
    let it = Disturbed::start().await;
    it.proxy.go_down();
    let spooled = it.app.post("/listener", body("01")).await.json();
    assert_eq!(spooled["outcome"], "spooled");
    let disk = Unmounted::now(&it.directory);
    it.proxy.heal();
    let mut ready = it.app.get("/health/ready").await;
    while !ready.text().contains("cannot be read now") {
        tokio::time::sleep(Duration::from_millis(50)).await;
        ready = it.app.get("/health/ready").await;
    }
    disk.mend();
    it.drained().await;
    let kept = it.deliveries().await;
    assert_eq!((kept.len(), &kept[0]["delivery_id"]), (1, &spooled["deliveryId"]), "{kept:?}");
    it.app.stop().await;
}

/// Waits until the copy says so of the sender.
async fn until_copied(directory: &Path, is_enabled: bool) {
    let mut copy = Value::Null;
    for _ in 0..600 {
        let bytes = std::fs::read(directory.join("access.json")).unwrap_or_default();
        copy = serde_json::from_slice(&bytes).unwrap_or_default();
        let mut senders = copy["senders"].as_array().into_iter().flatten();
        if senders.any(|sender| sender["sender"] == "acme" && sender["enabled"] == is_enabled) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the copy never says it: {copy}");
}
