use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tracing::{error, info};

use super::Durability;
use super::error::PrivatePostgresError;
use super::former;
use super::layout::Layout;
use super::log;
use super::programs::Programs;
use super::server::{self, Launch, Server};
use super::user::ServerUser;

/// What a server is started with, and started again.
#[derive(Debug)]
pub(super) struct Cluster {
    pub layout: Layout,
    pub user: ServerUser,
    pub programs: Programs,
    pub socket_dir: PathBuf,
    pub durability: Durability,
}

impl Cluster {
    fn launch(&self) -> Launch<'_> {
        Launch {
            layout: &self.layout,
            programs: &self.programs,
            user: &self.user,
            socket_dir: &self.socket_dir,
            durability: self.durability,
        }
    }

    /// Starts the server; nothing of a former one is in its way then.
    pub async fn start(&self) -> Result<(Server, sqlx::PgConnection), PrivatePostgresError> {
        former::wait_for_server_to_end(&self.layout).await?;
        former::clear_lock_files(&self.layout, &self.socket_dir, &self.user)?;
        server::start(&self.launch()).await
    }
}

/// The task that looks after a server; dropped, it looks no more.
#[derive(Debug)]
pub(super) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// So soon an end is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two attempts to start it, each time twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Starts the server again whenever it ends by itself: killed, by the system for want of memory, say.
pub(super) fn watch(cluster: &Arc<Cluster>, server: &Arc<Mutex<Server>>) -> Watch {
    let (cluster, server) = (Arc::clone(cluster), Arc::downgrade(server));
    Watch(tokio::spawn(async move {
        while look(&cluster, &server).await.is_some() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }))
}

/// None when nobody holds the server any more.
async fn look(cluster: &Cluster, server: &Weak<Mutex<Server>>) -> Option<()> {
    let server = server.upgrade()?;
    let mut server = server.lock().await;
    let Ok(Some(status)) = server.watchdog.try_wait() else { return Some(()) };
    tell(cluster, status);
    // Where only the watchdog is gone, this stops what it watched.
    server.let_go();
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
        match cluster.start().await {
            Ok((started, _)) => {
                *server = started;
                info!(data_dir = %cluster.layout.data_dir.display(), "the private PostgreSQL runs again");
                return Some(());
            }
            Err(cause) => error!(%cause, "the private PostgreSQL could not be started again; it is tried again"),
        }
    }
}

fn tell(cluster: &Cluster, status: ExitStatus) {
    let (data_dir, log) = (cluster.layout.data_dir.display(), cluster.layout.log.display());
    let tail = log::tail(&cluster.layout.log, 0);
    error!(%data_dir, %status, %log, tail, "THE PRIVATE POSTGRESQL HAS ENDED BY ITSELF; it is started again");
}
