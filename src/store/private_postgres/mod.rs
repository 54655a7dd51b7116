//! A PostgreSQL of our own under the data directory, so that nobody has to set up a database first.
//!
//! # Layout
//! * `layout` – what lies where under the data directory, and which directories are ours
//! * `lock` – one order-timeline a data directory
//! * `user` – as whom the server runs (PostgreSQL refuses to run as root), and what that user can
//!   reach
//! * `programs`, `download` – the machine's own PostgreSQL, else a downloaded one
//! * `cluster` – initdb, and the database inside
//! * `socket` – the one private directory the server listens in
//! * `former` – what a former run left behind: lock files, a server that is still stopping
//! * `server` – the child process and its watchdog, starting and stopping
//! * `watch` – what a server is started with, and again when it ends by itself
//! * `ready`, `log` – until it accepts connections, and why it does not
//! * `wipe` – removing it all
//!
//! What never appears here: a TCP port, a password, a table of ours (those are for the migrations),
//! and a server that outlives the process which started it.

mod cluster;
mod download;
mod error;
mod former;
mod layout;
mod lock;
mod log;
mod programs;
mod ready;
mod server;
mod socket;
mod user;
mod watch;
mod wipe;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use sqlx::postgres::PgConnectOptions;

pub use error::PrivatePostgresError;
pub use wipe::wipe;

use layout::Layout;

/// What a committed transaction is worth after the machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A commit is on the disk.
    Durable,
    /// A commit may be lost and the whole cluster with it. Several times faster; for tests and
    /// throw-away databases only.
    ThrowAway,
}

/// Where the private PostgreSQL lives and how careful it is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Created when missing. The cluster goes into `postgresql` below it.
    pub data_dir: PathBuf,
    pub durability: Durability,
}

/// A running private PostgreSQL. Dropping it, or being killed while holding it, stops the server
/// too, only without waiting for it; [`PrivatePostgres::stop`] waits.
#[derive(Debug)]
pub struct PrivatePostgres {
    watch: Option<watch::Watch>,
    cluster: Arc<watch::Cluster>,
    connect_options: PgConnectOptions,
    server: Arc<Mutex<server::Server>>,
    // The last field, so that the server is told to stop before somebody else may start one.
    _lock: lock::Lock,
}

impl PrivatePostgres {
    /// Starts the cluster under the data directory and makes what is missing: programs, cluster,
    /// database. Returns when the database accepts connections.
    ///
    /// # Errors
    /// Each says what was wrong, where, and what to do. [`PrivatePostgresError::AlreadyRunning`]
    /// when another process uses the data directory; [`running`] tells whether its database can be
    /// used along with it.
    pub async fn start(settings: &Settings) -> Result<Self, PrivatePostgresError> {
        let layout = layout::prepare_data_dir(&settings.data_dir)?;
        let user = user::choose(&layout)?;
        let lock = lock::take(&layout)?;
        layout::prepare_home(&layout)?;
        user::check_reach(&user, &layout.home, &layout)?;
        let programs = programs::find(&layout).await?;
        user::check_reach(&user, &programs.bin_dir, &layout)?;
        if !layout.is_initialised() {
            cluster::initialise(&layout, &programs, &user, settings.durability).await?;
        }
        let socket_dir = socket::prepare(&layout, &user)?;
        let connect_options = socket::connect_options(&socket_dir, socket::PORT, cluster::DATABASE);
        let durability = settings.durability;
        let cluster = watch::Cluster { layout, user, programs, socket_dir, durability };
        let (server, mut connection) = cluster.start().await?;
        cluster::create_database(&mut connection).await?;
        tracing::info!(
            data_dir = %cluster.layout.data_dir.display(), major = cluster.programs.major, user = %cluster.user.name,
            "private PostgreSQL started"
        );
        let (cluster, server) = (Arc::new(cluster), Arc::new(Mutex::new(server)));
        Ok(Self { watch: None, cluster, connect_options, server, _lock: lock })
    }

    /// From now on, as long as this runtime does, the server is started again when it ends by itself. That is logged
    /// as the error it is: its connections were cut, and what was under way was not answered.
    pub fn keep_running(&mut self) {
        self.watch = Some(watch::watch(&self.cluster, &self.server));
    }

    /// The way in: the superuser, the database `order_timeline`, over the unix socket.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.connect_options.clone()
    }

    /// Stops the server and waits until it has ended. Open connections are cut, their transactions
    /// rolled back.
    ///
    /// # Errors
    /// When the server has not ended after a minute.
    pub async fn stop(self) -> Result<(), PrivatePostgresError> {
        drop(self.watch);
        // The watch may be starting it; it lets go of it now.
        let mut server = self.server.lock().await;
        server::stop(&self.cluster.layout, &self.cluster.programs, &self.cluster.user).await?;
        server::end_watchdog(&mut server).await;
        tracing::info!(data_dir = %self.cluster.layout.data_dir.display(), "private PostgreSQL stopped");
        Ok(())
    }
}

/// Connect options of a PostgreSQL that another process of ours runs under this data directory and
/// which accepts connections now; `None` when none runs.
pub async fn running(data_dir: &Path) -> Option<PgConnectOptions> {
    let layout = Layout::of_existing(data_dir)?;
    let socket = former::recorded_socket(&layout)?;
    let options = socket::connect_options(&socket.directory, socket.port, cluster::DATABASE);
    socket::answers(&options, Duration::from_secs(2)).await.then_some(options)
}

/// Has a cluster been initialised here?
#[must_use]
pub fn exists(data_dir: &Path) -> bool {
    Layout::of_existing(data_dir).is_some_and(|layout| layout.is_initialised())
}
