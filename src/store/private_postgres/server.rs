use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use postgresql_commands::CommandBuilder;
use postgresql_commands::pg_ctl::{Mode, PgCtlBuilder, ShutdownMode};
use postgresql_commands::postgres::PostgresBuilder;
use sqlx::PgConnection;

use super::Durability;
use super::cluster::{output_of, text_of};
use super::error::{PrivatePostgresError, io};
use super::former;
use super::layout::Layout;
use super::log;
use super::programs::Programs;
use super::ready::wait_until_ready;
use super::socket::PORT;
use super::user::ServerUser;

/// What a server is started with.
pub(super) struct Launch<'a> {
    pub layout: &'a Layout,
    pub programs: &'a Programs,
    pub user: &'a ServerUser,
    pub socket_dir: &'a Path,
    pub durability: Durability,
}

/// The watchdog, whose child is PostgreSQL.
#[derive(Debug)]
pub(super) struct Server {
    pub watchdog: Child,
    /// Nothing is ever written to it. When it is closed, which the kernel does for a process that
    /// is killed, the watchdog stops PostgreSQL.
    lifeline: Option<ChildStdin>,
}

/// Runs its arguments until they end or its standard input does; then they get SIGINT, PostgreSQL's
/// fast shutdown, and again every second: a server that is only just starting ignores it.
/// Signals that a terminal or a service manager sends to all processes at once are not for the
/// watchdog. The subshell goes on watching when the shell itself is killed, and the shell ends the
/// subshell before the number of the server can be given to another process.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP QUIT
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
    while read -r _ <&3; do :; done
    while kill -INT "$server" 2>/dev/null; do sleep 1; done
) &
reader=$!
exec 3<&-
wait "$server"
status=$?
kill -KILL "$reader" 2>/dev/null
exit "$status"
"#;

/// For how long a former server, or the children of one that was killed, may be in the way.
const FORMER_LIMIT: Duration = Duration::from_secs(30);

/// How long a fast shutdown may take before we report it.
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// Starts PostgreSQL and gives a connection to it, in the database `postgres`.
pub(super) async fn start(launch: &Launch<'_>) -> Result<(Server, PgConnection), PrivatePostgresError> {
    let log = log::begin(launch.layout)?;
    let began = Instant::now();
    loop {
        let log_start = log.metadata().map_err(io("read", &launch.layout.log))?.len();
        let mut server = spawn(launch, &log)?;
        match wait_until_ready(&mut server.watchdog, launch, log_start).await {
            Ok(connection) => return Ok((server, connection)),
            Err(PrivatePostgresError::Ended { tail, .. })
                if is_about_a_former_server(&tail) && began.elapsed() < FORMER_LIMIT =>
            {
                tracing::debug!("the former server has not quite ended yet, trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => {
                end_watchdog(&mut server).await;
                return Err(error);
            }
        }
    }
}

/// Did PostgreSQL refuse because children of a dead server still use its memory, or because a server
/// whose order-timeline was killed while starting it got there first?
fn is_about_a_former_server(log: &str) -> bool {
    log.contains("is still in use") || log.contains("\"postmaster.pid\" already exists")
}

fn spawn(launch: &Launch<'_>, log: &File) -> Result<Server, PrivatePostgresError> {
    let postgres = postgres(launch);
    let output = || log.try_clone().map_err(io("open", &launch.layout.log));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCHDOG, "order-timeline-watchdog"]).arg(postgres.get_program()).args(postgres.get_args());
    let mut command = launch.user.run(command);
    command.stdin(Stdio::piped()).stdout(output()?).stderr(output()?);
    // Ctrl-C in the terminal goes to the process group of the service, which needs its database
    // until it has finished.
    command.process_group(0);
    command.env("LC_ALL", "C");
    let mut watchdog =
        command.spawn().map_err(|source| PrivatePostgresError::Run { program: "/bin/sh".into(), source })?;
    let lifeline = watchdog.stdin.take();
    Ok(Server { watchdog, lifeline })
}

fn postgres(launch: &Launch<'_>) -> Command {
    let socket_dir = launch.socket_dir.to_string_lossy();
    let port = PORT.to_string();
    let modest = [
        ("listen_addresses", ""),
        ("port", port.as_str()),
        ("unix_socket_directories", &*socket_dir),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "100"),
        ("shared_buffers", "256MB"),
        // After each checkpoint every page that is touched goes into the log as a whole: not too often.
        ("max_wal_size", "4GB"),
        ("checkpoint_timeout", "15min"),
        ("wal_compression", "on"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        // What a failed statement was about is personal data: the log has its message and neither
        // its text nor its values.
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
    ];
    let careless = [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")];
    let careless = match launch.durability {
        Durability::Durable => [].as_slice(),
        Durability::ThrowAway => careless.as_slice(),
    };
    let builder = PostgresBuilder::new().program_dir(&launch.programs.bin_dir).data_dir(&launch.layout.cluster);
    modest.iter().chain(careless).fold(builder, |builder, (name, value)| builder.runtime_param(*name, *value)).build()
}

/// Stops the server of this cluster, whoever started it, and waits until it has ended.
pub(super) async fn stop(layout: &Layout, programs: &Programs, user: &ServerUser) -> Result<(), PrivatePostgresError> {
    if former::live_server(layout).is_none() {
        return Ok(());
    }
    let pg_ctl = PgCtlBuilder::new()
        .program_dir(&programs.bin_dir)
        .mode(Mode::Stop)
        .pgdata(&layout.cluster)
        .shutdown_mode(ShutdownMode::Fast)
        .wait()
        .timeout(STOP_LIMIT.as_secs())
        .build();
    let output = output_of(user.run(pg_ctl)).await?;
    // A server that ended by itself in the meantime makes pg_ctl fail too.
    if output.status.success() || former::live_server(layout).is_none() {
        return Ok(());
    }
    Err(PrivatePostgresError::Stop { cluster: layout.cluster.clone(), output: text_of(&output) })
}

impl Server {
    /// The watchdog, if there is one, stops PostgreSQL.
    pub(super) fn let_go(&mut self) {
        drop(self.lifeline.take());
    }
}

/// Lets go of the watchdog and waits for its end, and so for that of the server.
pub(super) async fn end_watchdog(server: &mut Server) {
    server.let_go();
    let began = Instant::now();
    while began.elapsed() < STOP_LIMIT && matches!(server.watchdog.try_wait(), Ok(None)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
