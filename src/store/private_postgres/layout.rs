use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{PrivatePostgresError, io};

/// What lies where under the data directory. All paths are absolute and free of symbolic links, so
/// that two names of one directory are not taken for two.
#[derive(Debug)]
pub(super) struct Layout {
    pub data_dir: PathBuf,
    /// Never removed, not even by a wipe: two processes could otherwise hold the locks of two files
    /// of the same name.
    pub lock: PathBuf,
    /// Programs we downloaded; they outlive a wipe.
    pub binaries: PathBuf,
    /// All else, and ours as a whole. Belongs to us and not to the server's user, so that root
    /// writes nothing where another user could have put a symbolic link.
    pub home: PathBuf,
    /// The cluster: PostgreSQL's own "data directory".
    pub cluster: PathBuf,
    pub socket_dir: PathBuf,
    pub log: PathBuf,
    pub previous_log: PathBuf,
}

const MARKER: &str = "order-timeline.txt";
const MARKER_TEXT: &str = "This directory belongs to order-timeline, which keeps its private PostgreSQL in it.\n\
    Removing it removes the data.\n";

/// Others may pass through but not look around: the server's user has to reach the cluster below.
const PASSAGE: u32 = 0o711;

impl Layout {
    /// The layout of a data directory that is there.
    pub fn of_existing(data_dir: &Path) -> Option<Self> {
        fs::canonicalize(data_dir).ok().map(Self::below)
    }

    fn below(data_dir: PathBuf) -> Self {
        let home = data_dir.join("postgresql");
        Self {
            lock: data_dir.join("postgresql.lock"),
            binaries: data_dir.join("postgresql-binaries"),
            cluster: home.join("data"),
            socket_dir: home.join("socket"),
            log: home.join("server.log"),
            previous_log: home.join("server.previous.log"),
            home,
            data_dir,
        }
    }

    /// A cluster is moved to its place when it is complete, so being there is enough.
    pub fn is_initialised(&self) -> bool {
        self.home.join(MARKER).is_file() && self.cluster.join("PG_VERSION").is_file()
    }

    /// The major version of the programs that made the cluster; `None` when there is no cluster
    /// yet.
    pub fn major_version(&self) -> Result<Option<u32>, PrivatePostgresError> {
        if !self.is_initialised() {
            return Ok(None);
        }
        let path = self.cluster.join("PG_VERSION");
        let text = fs::read_to_string(&path).map_err(io("read", &path))?;
        text.trim().parse().map(Some).map_err(|_| PrivatePostgresError::UnreadableVersion { path })
    }
}

/// Makes the data directory unless it is there, and refuses one that holds something else under our
/// names.
pub(super) fn prepare_data_dir(data_dir: &Path) -> Result<Layout, PrivatePostgresError> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = data_dir.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(data_dir).map_err(io("create the data directory", data_dir))?;
    for directory in missing {
        // Explicit, since a strict umask would keep the server's user out.
        fs::set_permissions(directory, Permissions::from_mode(PASSAGE)).map_err(io("set the mode of", directory))?;
    }
    let layout = Layout::below(fs::canonicalize(data_dir).map_err(io("find the data directory", data_dir))?);
    check_ours(&layout)?;
    Ok(layout)
}

/// Makes the directory of all our files, with a marker in it that says so.
pub(super) fn prepare_home(layout: &Layout) -> Result<(), PrivatePostgresError> {
    let home = &layout.home;
    let marker = home.join(MARKER);
    if marker.is_file() {
        return Ok(());
    }
    fs::create_dir_all(home).map_err(io("create", home))?;
    fs::set_permissions(home, Permissions::from_mode(PASSAGE)).map_err(io("set the mode of", home))?;
    fs::write(&marker, MARKER_TEXT).map_err(io("write", &marker))
}

/// Refuses a directory that we did not make. An empty one may be ours: a run that died before it
/// wrote the marker.
pub(super) fn check_ours(layout: &Layout) -> Result<(), PrivatePostgresError> {
    if layout.data_dir.join("PG_VERSION").exists() {
        return Err(PrivatePostgresError::NotOurs { directory: layout.data_dir.clone() });
    }
    let home = &layout.home;
    // Looked at before the marker: another process may be making both at this moment.
    let is_empty = fs::read_dir(home).map(|mut entries| entries.next().is_none());
    let is_missing = matches!(&is_empty, Err(error) if error.kind() == ErrorKind::NotFound);
    if is_missing || is_empty.unwrap_or(false) || home.join(MARKER).is_file() {
        return Ok(());
    }
    Err(PrivatePostgresError::NotOurs { directory: home.clone() })
}

/// Makes a directory of mode 0700; fails when something is there already.
pub(super) fn create_private_dir(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Removes a directory of ours with all that is in it. An initdb whose order-timeline was killed a
/// moment ago may still be writing there; it gives up when its files vanish, so a few attempts do.
pub(super) async fn remove_tree(directory: &Path) -> Result<(), PrivatePostgresError> {
    let mut attempts_left = 50;
    loop {
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && attempts_left > 0 => {
                attempts_left -= 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            result => return result.map_err(io("remove", directory)),
        }
    }
}
