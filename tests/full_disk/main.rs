//! Full disks: of the database, of the spool, and a spool that is as large as it may be.
//!
//! A small disk is a file system in memory, which takes root to mount. Without it the tests that need one are listed as
//! ignored, and it is said why. Where `ORDER_TIMELINE_DISK_TESTS=required` is set, that is a failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests may be blunt; clippy.toml reaches the test functions only, and these are listed by a harness"
)]

#[path = "../it/app.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest of it")]
mod app;
#[path = "../it/disturbed.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest of it")]
mod disturbed;
#[path = "../it/proxy.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest of it")]
mod proxy;

use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use order_timeline::spool::{Spool, SpoolSettings};
use serde_json::json;

use app::{TestApp, bodies, body};
use disturbed::{Disturbed, drained, spool_in};

const MEBIBYTE: u64 = 1024 * 1024;

macro_rules! test {
    ($name:ident) => {
        (stringify!($name), || run($name()))
    };
}

fn main() -> ExitCode {
    let missing = SmallDisk::of("1m").err();
    let is_required = std::env::var("ORDER_TIMELINE_DISK_TESTS").is_ok_and(|value| value == "required");
    if let Some(missing) = &missing {
        eprintln!("Some of these tests cannot run here: {missing}.");
    }
    let on_disks: [(&str, fn()); 2] = [
        test!(a_full_disk_of_the_database_is_a_database_that_is_away),
        test!(a_full_disk_of_the_spool_is_told_and_what_was_acknowledged_is_kept),
    ];
    let (name, spool) = test!(a_full_spool_refuses_and_has_room_again_when_it_was_drained);
    let mut trials = vec![Trial::test(name, move || {
        spool();
        Ok(())
    })];
    for (name, test) in on_disks {
        let missing = missing.clone();
        let is_ignored = missing.is_some() && !is_required;
        let trial = Trial::test(name, move || match missing {
            Some(missing) => Err(Failed::from(missing)),
            None => {
                test();
                Ok(())
            }
        });
        trials.push(trial.with_ignored_flag(is_ignored));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

async fn a_full_disk_of_the_database_is_a_database_that_is_away() {
    let disk = SmallDisk::of("8m").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::with(|app| app.spool = Some(Spool::open(&spool_in(directory.path())).unwrap())).await;
    let name = app.database.options.get_database().unwrap().to_owned();
    let owner =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(app.database.options.get_socket().unwrap()).unwrap());
    std::os::unix::fs::chown(disk.path(), Some(owner), Some(owner)).unwrap();
    let database = &app.database;
    database.execute(&format!("create tablespace {name} location '{}'", disk.path().display())).await;
    let bodies_of_now = format!("delivery_body_{}", chrono::Utc::now().format("%Y_%m"));
    database.execute(&format!("alter table {bodies_of_now} set tablespace {name}")).await;
    database.execute(&format!("create table filler (filling text) tablespace {name}")).await;
    let fill = "insert into filler select string_agg(gen_random_uuid()::text, '') from generate_series(1, 200)";
    while sqlx::query(fill).execute(&database.pool).await.is_ok() {}
    let mut outcomes = Vec::new();
    for (_, bytes) in bodies("bt-wholesale") {
        let answer = app.post("/listener", bytes).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        outcomes.push(answer.json()["outcome"].as_str().unwrap().to_owned());
    }
    assert!(outcomes.contains(&"spooled".to_owned()), "{outcomes:?}");
    app.database.execute("drop table filler").await;
    drained(directory.path()).await;
    let kept = app.database.rows("select delivery_id, outcome from delivery").await;
    assert_eq!(kept.len(), 27);
    assert!(kept.iter().all(|delivery| delivery["outcome"] == "applied"), "{kept:?}");
    app.database.execute(&format!("alter table {bodies_of_now} set tablespace pg_default")).await;
    app.database.execute(&format!("drop tablespace {name}")).await;
    app.stop().await;
}

async fn a_full_disk_of_the_spool_is_told_and_what_was_acknowledged_is_kept() {
    let disk = SmallDisk::of("2m").unwrap();
    let large = |spool: &mut SpoolSettings| {
        spool.directory = disk.path().join("spool");
        spool.max_bytes = 1024 * MEBIBYTE;
    };
    let it = Disturbed::with(large, |_| {}).await;
    it.proxy.go_down();
    let (spooled, refused) = fill(&it.app, 60).await;
    assert!(spooled > 10 && refused > 5, "{spooled} spooled, {refused} refused");
    assert_full(&it.app).await;
    it.proxy.heal();
    it.drained().await;
    assert_eq!(applied(&it.app).await, spooled);
    it.app.stop().await;
}

async fn a_full_spool_refuses_and_has_room_again_when_it_was_drained() {
    let it = Disturbed::with(|spool| spool.max_bytes = MEBIBYTE, |_| {}).await;
    it.proxy.go_down();
    let (kept, refused) = fill(&it.app, 40).await;
    assert!(kept > 5 && refused > 5, "{kept} spooled, {refused} refused");
    assert_full(&it.app).await;
    it.proxy.heal();
    it.drained().await;
    assert_eq!(applied(&it.app).await, kept);
    it.proxy.go_down();
    assert_eq!(it.app.post("/listener", body("03")).await.json()["outcome"], "spooled");
    it.proxy.heal();
    it.app.stop().await;
}

async fn applied(app: &TestApp) -> usize {
    app.database.rows("select 1 as n from delivery where outcome = 'applied'").await.len()
}

/// A service that can keep nothing is not ready, and says why.
async fn assert_full(app: &TestApp) {
    let ready = app.get("/health/ready").await;
    assert_eq!((ready.status, ready.json()["code"].as_str()), (503, Some("spool-full")), "{}", ready.text());
}

/// Posts so many events of 64 KiB; gives how many were spooled and how many refused for want of room.
async fn fill(app: &TestApp, events: usize) -> (usize, usize) {
    let (mut spooled, mut refused) = (0, 0);
    for number in 0..events {
        let padding = "x".repeat(64 * 1024);
        let event = json!({ "eventId": format!("e{number}"), "event": { "productOrder": { "id": format!("o{number}"), "x": padding } } });
        let answer = app.post("/listener", event.to_string()).await;
        match answer.status {
            200 => {
                assert_eq!(answer.json()["outcome"], "spooled");
                spooled += 1;
            }
            _ => {
                assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{}", answer.text());
                assert_eq!(answer.json()["code"], "spool-full");
                refused += 1;
            }
        }
    }
    (spooled, refused)
}

/// A disk that is soon full.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts one; says why not where it cannot.
    fn of(size: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let option = format!("size={size}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(directory.path()).output();
        let why = match mount {
            Ok(output) if output.status.success() => return Ok(Self(directory)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(cause) => cause.to_string(),
        };
        Err(format!("a small disk cannot be mounted, which takes root: {why}"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}
