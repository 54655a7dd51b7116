//! The private PostgreSQL against real servers. As root they run as `postgres` or `nobody`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use order_timeline::store::private_postgres::{
    Durability, PrivatePostgres, PrivatePostgresError, Settings, exists, running, wipe,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, Row};
use tempfile::TempDir;

/// Names the data directory to the process that holds a cluster until it is killed.
const HOLD: &str = "ORDER_TIMELINE_TEST_HOLD";

/// A directory that the server's user can reach, whatever the umask.
fn reachable_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    directory
}

fn settings(data_dir: &Path) -> Settings {
    Settings { data_dir: data_dir.to_owned(), durability: Durability::ThrowAway }
}

async fn start(data_dir: &Path) -> PrivatePostgres {
    PrivatePostgres::start(&settings(data_dir)).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn start_error(data_dir: &Path) -> PrivatePostgresError {
    PrivatePostgres::start(&settings(data_dir)).await.err().unwrap()
}

async fn ask(options: &PgConnectOptions, query: &'static str) -> String {
    let mut connection: PgConnection = options.connect().await.unwrap();
    sqlx::query(query).fetch_one(&mut connection).await.unwrap().get(0)
}

fn postmaster_pid_file(data_dir: &Path) -> PathBuf {
    data_dir.join("postgresql/data/postmaster.pid")
}

fn server_pid(data_dir: &Path) -> u32 {
    let text = fs::read_to_string(postmaster_pid_file(data_dir)).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

fn is_alive(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|text| !text.is_empty())
}

async fn wait_for_end(pid: u32) {
    let began = Instant::now();
    while is_alive(pid) {
        assert!(began.elapsed() < Duration::from_secs(20), "process {pid} is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn kill(signal: &str, pid: u32) {
    let status = Command::new("/bin/sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
    assert!(status.unwrap().success());
}

/// Another process that has started the cluster, to be killed.
fn hold_in_another_process(data_dir: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_cluster_until_it_is_killed", "--nocapture"])
        .env(HOLD, data_dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("holding")), "it did not start");
    child
}

/// Not a test of its own, but what the tests run as another process: without the variable it does nothing.
#[tokio::test]
async fn holds_a_cluster_until_it_is_killed() {
    let Some(data_dir) = std::env::var_os(HOLD) else {
        return;
    };
    let postgres = start(Path::new(&data_dir)).await;
    println!("holding");
    tokio::time::sleep(Duration::from_mins(5)).await;
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_a_start() {
    let directory = reachable_directory();
    let data_dir = directory.path().join("data directory/it's here");
    assert!(!exists(&data_dir));
    let settings = Settings { data_dir: data_dir.clone(), durability: Durability::Durable };

    let postgres = PrivatePostgres::start(&settings).await.unwrap();
    let options = postgres.connect_options();
    ask(&options, "with made as (select 1) select 'x' from made").await;
    let mut connection = options.connect().await.unwrap();
    sqlx::query("create table kept as select 'still here' as note").execute(&mut connection).await.unwrap();
    let pid = server_pid(&data_dir);
    // The connection is still open: a fast stop does not wait for it.
    postgres.stop().await.unwrap();
    assert!(!is_alive(pid));
    assert!(exists(&data_dir));
    assert!(running(&data_dir).await.is_none());

    let postgres = PrivatePostgres::start(&settings).await.unwrap();
    assert_eq!(ask(&postgres.connect_options(), "select note from kept").await, "still here");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn the_cluster_is_set_up_as_promised() {
    let directory = reachable_directory();
    for (durability, fsync) in [(Durability::ThrowAway, "off"), (Durability::Durable, "on")] {
        let settings = Settings { data_dir: directory.path().to_owned(), durability };
        let postgres = PrivatePostgres::start(&settings).await.unwrap();
        let options = postgres.connect_options();
        for (query, expected) in [
            ("select current_database()::text", "order_timeline"),
            ("select usesuper::text from pg_user where usename = current_user", "true"),
            ("show server_encoding", "UTF8"),
            ("show lc_collate", "C"),
            ("show data_checksums", "on"),
            ("show listen_addresses", ""),
            ("show shared_buffers", "256MB"),
            ("show max_wal_size", "4GB"),
            ("show max_connections", "100"),
            ("show wal_compression", "pglz"),
            ("show fsync", fsync),
            ("show full_page_writes", fsync),
            ("show synchronous_commit", fsync),
        ] {
            assert_eq!(ask(&options, query).await, expected, "{query}");
        }
        postgres.stop().await.unwrap();
    }
    for private in ["postgresql/data", "postgresql/socket"] {
        let mode = fs::metadata(directory.path().join(private)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{private}");
    }
}

#[tokio::test]
async fn a_killed_parent_takes_postgres_with_it() {
    let directory = reachable_directory();
    let mut parent = hold_in_another_process(directory.path());
    let pid = server_pid(directory.path());
    assert!(is_alive(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    // At once, while the server may still be stopping.
    let postgres = start(directory.path()).await;
    assert!(!is_alive(pid));
    postgres.stop().await.unwrap();

    let mut parent = hold_in_another_process(directory.path());
    let pid = server_pid(directory.path());
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_for_end(pid).await;
    assert!(!postmaster_pid_file(directory.path()).exists(), "the server was shut down in order");
}

#[tokio::test]
async fn a_dropped_cluster_stops_by_itself() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let pid = server_pid(directory.path());
    drop(postgres);
    wait_for_end(pid).await;
}

#[tokio::test]
async fn signals_for_the_whole_process_group_of_the_parent_do_not_reach_postgres() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let pid = server_pid(directory.path());
    let group = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap().to_owned()
    };
    assert_ne!(group(pid), group(std::process::id()));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_watchdog_does_not_leave_a_server_behind() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let pid = server_pid(directory.path());
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let watchdog = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    kill("KILL", watchdog.trim().parse().unwrap());
    drop(postgres);
    wait_for_end(pid).await;
}

#[tokio::test]
async fn a_killed_postgres_is_recovered_from() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let pid = server_pid(directory.path());
    kill("KILL", pid);
    wait_for_end(pid).await;
    postgres.stop().await.unwrap();
    assert!(postmaster_pid_file(directory.path()).exists());
    assert!(running(directory.path()).await.is_none());
    start(directory.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_start_waits_for_the_children_of_a_killed_postgres() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let mut connection = postgres.connect_options().connect().await.unwrap();
    let pid = server_pid(directory.path());
    // Computes without ever looking whether its parent lives.
    let busy = "select count(*)::text from generate_series(1, 30000000)";
    let busy = tokio::spawn(async move { sqlx::query(busy).fetch_one(&mut connection).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    kill("KILL", pid);
    drop(postgres);
    let started = start(directory.path()).await;
    let log = fs::read_to_string(directory.path().join("postgresql/server.log")).unwrap();
    assert!(log.contains("is still in use"), "it did not have to wait: {log}");
    started.stop().await.unwrap();
    let _ = busy.await;
}

#[tokio::test]
async fn a_lock_file_whose_number_another_process_has_got_is_corrected() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let pid = server_pid(directory.path());
    let owner = fs::metadata(postmaster_pid_file(directory.path())).unwrap();
    kill("KILL", pid);
    wait_for_end(pid).await;
    drop(postgres);

    // Of the same user, since PostgreSQL itself sees through any other.
    let mut sleep = Command::new("sleep");
    sleep.arg("300");
    if fs::metadata("/proc/self").unwrap().uid() != owner.uid() {
        sleep.uid(owner.uid()).gid(owner.gid());
    }
    let mut sleep = sleep.spawn().unwrap();
    for path in [postmaster_pid_file(directory.path()), directory.path().join("postgresql/socket/.s.PGSQL.5432.lock")] {
        let text = fs::read_to_string(&path).unwrap();
        let (_, rest) = text.split_once('\n').unwrap();
        fs::write(&path, format!("{}\n{rest}", sleep.id())).unwrap();
    }
    let started = PrivatePostgres::start(&settings(directory.path())).await;
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    started.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_lock_file_is_removed() {
    let directory = reachable_directory();
    start(directory.path()).await.stop().await.unwrap();
    fs::write(postmaster_pid_file(directory.path()), "").unwrap();
    start(directory.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_directory_with_a_long_name_has_its_socket_elsewhere() {
    let directory = reachable_directory();
    let data_dir = directory.path().join("long-".repeat(40));
    let postgres = start(&data_dir).await;
    let options = postgres.connect_options();
    let socket_dir = options.get_socket().unwrap().clone();
    assert!(!socket_dir.starts_with(&data_dir));
    assert_eq!(fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(ask(&running(&data_dir).await.unwrap(), "select 'yes'").await, "yes");
    postgres.stop().await.unwrap();

    // Whoever makes the directory could listen in our stead.
    fs::set_permissions(&socket_dir, Permissions::from_mode(0o777)).unwrap();
    let error = start_error(&data_dir).await;
    assert!(matches!(error, PrivatePostgresError::SocketNotPrivate { .. }), "{error}");
    fs::set_permissions(&socket_dir, Permissions::from_mode(0o700)).unwrap();

    wipe(&data_dir).await.unwrap();
    assert!(!socket_dir.exists());
}

#[tokio::test]
async fn a_second_start_is_refused_and_can_use_the_first() {
    let directory = reachable_directory();
    assert!(running(directory.path()).await.is_none());
    let mut first = hold_in_another_process(directory.path());
    let error = start_error(directory.path()).await;
    let pid = match &error {
        PrivatePostgresError::AlreadyRunning { pid, .. } => *pid,
        other => panic!("{other}"),
    };
    assert_eq!(pid, Some(first.id()));
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    let options = running(directory.path()).await.unwrap();
    assert_eq!(ask(&options, "select current_database()::text").await, "order_timeline");
    let error = wipe(directory.path()).await.unwrap_err();
    assert!(matches!(error, PrivatePostgresError::AlreadyRunning { pid: Some(_), .. }), "{error}");
    let pid = server_pid(directory.path());
    first.kill().unwrap();
    first.wait().unwrap();
    wait_for_end(pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_start_at_once_one_wins() {
    let directory = reachable_directory();
    let starting: Vec<_> = (0..4)
        .map(|_| settings(directory.path()))
        .map(|settings| tokio::spawn(async move { PrivatePostgres::start(&settings).await }))
        .collect();
    let (mut started, mut refused) = (Vec::new(), Vec::new());
    for one in starting {
        match one.await.unwrap() {
            Ok(postgres) => started.push(postgres),
            Err(error) => refused.push(error),
        }
    }
    assert_eq!(started.len(), 1);
    for error in refused {
        assert!(matches!(error, PrivatePostgresError::AlreadyRunning { .. }), "{error}");
    }
    for started in started {
        started.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_somebody_started_by_hand_is_left_alone_and_a_wipe_stops_it() {
    let directory = reachable_directory();
    let postgres = start(directory.path()).await;
    let cluster = directory.path().join("postgresql/data");
    let owner = fs::metadata(&cluster).unwrap();
    let command_line = fs::read(format!("/proc/{}/cmdline", server_pid(directory.path()))).unwrap();
    let program = String::from_utf8(command_line).unwrap().split('\0').next().unwrap().to_owned();
    postgres.stop().await.unwrap();

    let mut by_hand = Command::new(program);
    by_hand.arg("-D").arg(&cluster).args(["-c", "listen_addresses=", "-k"]);
    by_hand.arg(directory.path().join("postgresql/socket")).current_dir("/").stderr(Stdio::null());
    if fs::metadata("/proc/self").unwrap().uid() != owner.uid() {
        by_hand.uid(owner.uid()).gid(owner.gid());
    }
    let mut by_hand = by_hand.spawn().unwrap();
    while running(directory.path()).await.is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let error = start_error(directory.path()).await;
    assert!(matches!(error, PrivatePostgresError::AlreadyRunning { pid, .. } if pid == Some(by_hand.id())), "{error}");
    wipe(directory.path()).await.unwrap();
    assert!(by_hand.wait().unwrap().success());
    assert!(!exists(directory.path()));
}

#[tokio::test]
async fn a_wipe_makes_a_start_from_nothing() {
    let directory = reachable_directory();
    let data_dir = directory.path().join("data");
    wipe(&data_dir).await.unwrap();
    let postgres = start(&data_dir).await;
    let mut connection = postgres.connect_options().connect().await.unwrap();
    sqlx::query("create table gone ()").execute(&mut connection).await.unwrap();
    postgres.stop().await.unwrap();
    wipe(&data_dir).await.unwrap();
    assert!(!exists(&data_dir));
    let postgres = start(&data_dir).await;
    assert_eq!(ask(&postgres.connect_options(), "select (to_regclass('gone') is null)::text").await, "true");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_is_not_ours_is_neither_used_nor_removed() {
    let directory = reachable_directory();
    let theirs = directory.path().join("postgresql/letter.txt");
    fs::create_dir(directory.path().join("postgresql")).unwrap();
    fs::write(&theirs, "dear").unwrap();
    for error in [wipe(directory.path()).await.unwrap_err(), start_error(directory.path()).await] {
        assert!(matches!(error, PrivatePostgresError::NotOurs { .. }), "{error}");
    }
    assert!(theirs.exists());

    let cluster_of_theirs = reachable_directory();
    fs::write(cluster_of_theirs.path().join("PG_VERSION"), "15\n").unwrap();
    let error = wipe(cluster_of_theirs.path()).await.unwrap_err();
    assert!(matches!(error, PrivatePostgresError::NotOurs { .. }), "{error}");
}

#[tokio::test]
async fn a_directory_closed_to_the_server_is_explained() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
    let error = start_error(&closed.path().join("data")).await;
    assert!(
        matches!(&error, PrivatePostgresError::Unreachable { directory, .. } if directory == closed.path()),
        "{error}"
    );
    assert!(error.to_string().contains("--data-dir /var/lib/order-timeline"), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_start_gives_its_reason() {
    let directory = reachable_directory();
    start(directory.path()).await.stop().await.unwrap();
    let configuration = directory.path().join("postgresql/data/postgresql.conf");
    fs::write(&configuration, "no_such_setting = 1\n").unwrap();
    let error = start_error(directory.path()).await.to_string();
    assert!(error.contains("no_such_setting") && error.contains("server.log"), "{error}");
}

#[tokio::test]
async fn what_a_half_way_initialisation_left_is_cleared_away() {
    let directory = reachable_directory();
    let home = directory.path().join("postgresql");
    fs::create_dir(&home).unwrap();
    start(directory.path()).await.stop().await.unwrap();
    fs::remove_dir_all(home.join("data")).unwrap();
    fs::create_dir(home.join("data.new-1")).unwrap();
    start(directory.path()).await.stop().await.unwrap();
    assert!(!home.join("data.new-1").exists());
}

#[tokio::test]
async fn root_runs_a_cluster_as_its_owner() {
    let directory = reachable_directory();
    start(directory.path()).await.stop().await.unwrap();
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let home = directory.path().join("postgresql");
    let status =
        Command::new("chown").args(["-R", "65534:65534"]).arg(home.join("data")).arg(home.join("socket")).status();
    assert!(status.unwrap().success());
    let postgres = start(directory.path()).await;
    let server = fs::metadata(format!("/proc/{}", server_pid(directory.path()))).unwrap();
    assert_eq!(server.uid(), 65534);
    postgres.stop().await.unwrap();
}
