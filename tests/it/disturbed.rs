//! The service with a spool, its database behind a proxy that can be disturbed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use order_timeline::http::App;
use order_timeline::spool::{Spool, SpoolSettings};
use serde_json::Value;

use crate::app::{TestApp, TestDatabase, spooled};
use crate::proxy::Proxy;

const MEBIBYTE: u64 = 1024 * 1024;
/// A database that is busy is not one that is away, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Disturbed {
    pub app: TestApp,
    pub proxy: Proxy,
    pub directory: PathBuf,
    _own: Option<tempfile::TempDir>,
}

/// What a spool in a directory is set to, where the test does not care.
pub fn spool_in(directory: &Path) -> SpoolSettings {
    SpoolSettings { directory: directory.to_owned(), max_bytes: 16 * MEBIBYTE, patience: PATIENCE }
}

impl Disturbed {
    /// With a spool in a directory of its own.
    pub async fn start() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// The same with settings of the test's own.
    pub async fn with(spool: impl FnOnce(&mut SpoolSettings), app: impl FnOnce(&mut App)) -> Self {
        let own = tempfile::tempdir().unwrap();
        let mut settings = spool_in(&own.path().join("spool"));
        spool(&mut settings);
        let database = TestDatabase::new().await;
        let proxy = Proxy::to(&database);
        Self { _own: Some(own), ..Self::on(database, proxy, &settings, app) }
    }

    /// The same on a database that is there, behind a proxy that may be disturbed already.
    pub fn on(database: TestDatabase, proxy: Proxy, settings: &SpoolSettings, set: impl FnOnce(&mut App)) -> Self {
        let store = proxy.store(&database);
        let app = TestApp::on(database, |app| {
            app.store = store;
            app.spool = Some(Spool::open(settings).unwrap());
            set(app);
        });
        Self { app, proxy, directory: settings.directory.clone(), _own: None }
    }

    /// Waits until the spool's directory holds nothing that waits.
    pub async fn drained(&self) {
        drained(&self.directory).await;
    }

    /// Waits until the service has noticed that the database is there.
    pub async fn ready(&self) {
        while !self.app.get("/health/ready").await.text().contains("\"ready\"") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn deliveries(&self) -> Vec<Value> {
        self.app.database.rows("select delivery_id, outcome, event_id from delivery").await
    }
}

/// Waits until a spool's directory holds nothing that waits.
pub async fn drained(directory: &Path) {
    while !spooled(directory).is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
