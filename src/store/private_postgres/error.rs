use std::path::{Path, PathBuf};

/// Why the private PostgreSQL could not be started, stopped or removed.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    #[error(
        "could not {doing} {}; check its permissions and the free space there, or choose \
         another directory with --data-dir",
        path.display()
    )]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },

    #[error("could not run {}; check that it is there and may be executed", program.display())]
    Run { program: PathBuf, source: std::io::Error },

    #[error(
        "no PostgreSQL 15 or newer was found on this machine, and downloading one to {} failed; \
         install it (Debian, Ubuntu: `apt-get install postgresql`), or use a database that runs \
         elsewhere with --database-url",
        binaries.display()
    )]
    NoPrograms { binaries: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },

    #[error(
        "the database in {} was made by PostgreSQL {needed}, but this machine has only {found}; \
         install PostgreSQL {needed} (Debian, Ubuntu: `apt-get install postgresql-{needed}`), \
         or start with an empty directory with --data-dir",
        cluster.display()
    )]
    OtherMajor { cluster: PathBuf, needed: u32, found: String },

    #[error(
        "{} does not hold the version of a PostgreSQL cluster; restore the directory from a \
         backup, or choose another with --data-dir",
        path.display()
    )]
    UnreadableVersion { path: PathBuf },

    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor a user \
         `nobody` to run it as; create the user `postgres`, or start order-timeline as an \
         ordinary user"
    )]
    NoUser { source: Option<std::io::Error> },

    #[error(
        "the user `{user}`, as whom PostgreSQL runs, cannot enter {}; choose a data directory \
         that it can reach, such as `--data-dir /var/lib/order-timeline` (now {}), or let \
         others pass with `chmod o+x {}`",
        directory.display(), data_dir.display(), directory.display()
    )]
    Unreachable { directory: PathBuf, user: String, data_dir: PathBuf },

    #[error(
        "the database in {} belongs to the user `{owner}`, and we run as `{user}`; start \
         order-timeline as `{owner}` or as root, or choose another directory with --data-dir",
        cluster.display()
    )]
    OtherOwner { cluster: PathBuf, owner: String, user: String },

    #[error(
        "{} was not made by order-timeline and is left alone; choose another directory with \
         --data-dir",
        directory.display()
    )]
    NotOurs { directory: PathBuf },

    #[error(
        "the data directory {} is in use by {}; stop that process first, or choose another \
         directory with --data-dir",
        data_dir.display(), process(*pid)
    )]
    AlreadyRunning { data_dir: PathBuf, pid: Option<u32> },

    #[error(
        "the PostgreSQL of a former run (process {pid}) under {} has not ended after {seconds} \
         seconds; wait for it, or end it with `kill -INT {pid}`, then start again",
        data_dir.display()
    )]
    StillStopping { data_dir: PathBuf, pid: u32, seconds: u64 },

    #[error(
        "{} must be a directory that only the user `{user}` can enter (mode 0700), because \
         whoever reaches the socket in it may use the database; remove it and start again",
        directory.display()
    )]
    SocketNotPrivate { directory: PathBuf, user: String },

    #[error("initdb could not make a database cluster in {}:\n{output}", cluster.display())]
    Initdb { cluster: PathBuf, output: String },

    #[error(
        "PostgreSQL ended while starting ({status}); the last lines of its log {} are:\n{tail}",
        log.display()
    )]
    Ended { status: String, log: PathBuf, tail: String },

    #[error(
        "PostgreSQL did not accept connections within {seconds} seconds; the last lines of its \
         log {} are:\n{tail}",
        log.display()
    )]
    NotReady { seconds: u64, log: PathBuf, tail: String },

    #[error("the database in {} could not be stopped:\n{output}", cluster.display())]
    Stop { cluster: PathBuf, output: String },

    #[error(
        "the private PostgreSQL runs, but its database `order_timeline` could not be set up; \
         `postgresql/server.log` in the data directory may say more"
    )]
    Database(#[source] sqlx::Error),
}

/// Turns an I/O error into one that says what we were doing, and to which path.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PrivatePostgresError {
    move |source| PrivatePostgresError::Io { doing, path: path.to_owned(), source }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
