use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};

use super::cluster::SUPERUSER;
use super::error::{PrivatePostgresError, io};
use super::layout::{Layout, create_private_dir};
use super::user::ServerUser;

/// Only a part of the socket's name; there is no TCP port.
pub(super) const PORT: u16 = 5432;

/// The file names PostgreSQL makes in the directory.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";
pub(super) const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";

/// The longest path of a socket: 107 bytes on Linux, 103 on macOS.
const LONGEST_PATH: usize = 103;

/// Makes the directory of the socket, or checks the one that is there: only the server's user may
/// enter it.
pub(super) fn prepare(layout: &Layout, user: &ServerUser) -> Result<PathBuf, PrivatePostgresError> {
    let directory = directory(layout);
    match create_private_dir(&directory) {
        Ok(()) => user.give(&directory).map_err(io("hand over", &directory))?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io("create", &directory)(error)),
    }
    if is_private_to(&directory, user.uid) {
        return Ok(directory);
    }
    Err(PrivatePostgresError::SocketNotPrivate { directory, user: user.name.clone() })
}

/// The data directory holds the socket if the path is short and plain enough, else a directory
/// named after a hash of it.
pub(super) fn directory(layout: &Layout) -> PathBuf {
    let directory = &layout.socket_dir;
    let fits = directory.as_os_str().len() + 1 + SOCKET.len() <= LONGEST_PATH;
    // PostgreSQL takes a list separated by commas, with quotes, and sqlx a text.
    let is_plain = directory.to_str().is_some_and(|text| !text.contains([',', '"', '\\', '\n']));
    if fits && is_plain {
        return directory.clone();
    }
    let hash = Sha256::digest(layout.data_dir.as_os_str().as_encoded_bytes());
    let number = hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    // Not what TMPDIR says: that may be root's own and closed to the server's user, and another
    // shell would say otherwise.
    Path::new("/tmp").join(format!("order-timeline-{number:016x}"))
}

/// Below `/tmp` anybody may make a directory of our name, or a link to one, and a server that
/// pretends to be ours.
pub(super) fn is_private_to(directory: &Path, uid: u32) -> bool {
    fs::symlink_metadata(directory)
        .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid && metadata.permissions().mode() & 0o077 == 0)
}

/// Options that leave as little as possible to the environment, which is about other databases.
pub(super) fn connect_options(socket_dir: &Path, port: u16, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(port)
        .username(SUPERUSER)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

/// Does a server accept connections there now?
pub(super) async fn answers(options: &PgConnectOptions, limit: Duration) -> bool {
    match tokio::time::timeout(limit, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            true
        }
        _ => false,
    }
}
