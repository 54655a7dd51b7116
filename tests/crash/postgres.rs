//! A PostgreSQL that is killed and started again, as fast as that goes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use order_timeline::store::Store;
use order_timeline::store::private_postgres::{Durability, PrivatePostgres, Settings};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

/// A server that takes longer to recover will not.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Postgres {
    directory: TempDir,
    program: PathBuf,
    cluster: PathBuf,
    settings: Vec<String>,
    server: Option<Child>,
}

impl Postgres {
    /// A cluster with the schema, its server running with these settings besides.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new().prefix("order-timeline-crash-").tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        // The product's own way makes the cluster, with the programs that it finds.
        let private = Settings { data_dir: directory.path().to_owned(), durability: Durability::ThrowAway };
        let server = PrivatePostgres::start(&private).await.unwrap();
        let store = Store::connect(server.connect_options(), 2);
        store.migrate().await.unwrap();
        store.close().await;
        let cluster = directory.path().join("postgresql/data");
        let pid = fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
        let program = fs::read_link(format!("/proc/{}/exe", pid.lines().next().unwrap())).unwrap();
        server.stop().await.unwrap();
        let owner = fs::metadata(&cluster).unwrap();
        let socket = directory.path().join("s");
        fs::create_dir(&socket).unwrap();
        std::os::unix::fs::chown(&socket, Some(owner.uid()), Some(owner.gid())).unwrap();
        let settings = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut postgres = Self { directory, program, cluster, settings, server: None };
        postgres.launch();
        postgres.wait_until_ready().await;
        postgres
    }

    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.directory.path().join("s"))
            .port(5432)
            .username("order_timeline")
            .database("order_timeline")
    }

    pub fn url(&self) -> String {
        format!(
            "postgres:///order_timeline?host={}&port=5432&user=order_timeline",
            self.directory.path().join("s").display()
        )
    }

    /// Starts the server; who needs it waits.
    pub fn launch(&mut self) {
        let owner = fs::metadata(&self.cluster).unwrap();
        let socket = self.directory.path().join("s");
        let mut command = Command::new(&self.program);
        command.arg("-D").arg(&self.cluster).arg("-k").arg(&socket).current_dir("/").env("LC_ALL", "C");
        let usual = ["listen_addresses=", "fsync=off", "max_connections=60", "shared_buffers=32MB", "autovacuum=off"];
        for setting in usual.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.arg("-c").arg(setting);
        }
        if nix::unistd::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.directory.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.server = Some(command.spawn().unwrap());
    }

    /// Waits until it answers. One that found the memory of a killed one in use is started again.
    pub async fn wait_until_ready(&mut self) {
        let began = Instant::now();
        loop {
            match self.options().connect().await {
                Ok(connection) => {
                    let _ = connection.close().await;
                    return;
                }
                Err(cause) => assert!(began.elapsed() < LIMIT, "PostgreSQL does not come back: {cause}"),
            }
            if let Ok(Some(_)) = self.server.as_mut().unwrap().try_wait() {
                self.launch();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills the server and all its processes, so that what only its memory held is gone.
    pub fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let pid = server.id();
        let children = children_of(pid);
        let _ = server.kill();
        for child in children.into_iter().chain(children_of(pid)) {
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        server.wait().unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn children_of(parent: u32) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // After the name in brackets: state, parent.
        let after =
            stat.rsplit_once(')').map(|(_, after)| after.split_whitespace().nth(1) == Some(&parent.to_string()));
        after.unwrap_or(false)
    };
    numbers.filter(is_child).collect()
}
