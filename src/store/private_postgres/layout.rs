use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

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
    if !data_dir.exists() {
        fs::create_dir_all(data_dir).map_err(io("create the data directory", data_dir))?;
        // Explicit, since a strict umask would keep the server's user out.
        fs::set_permissions(data_dir, Permissions::from_mode(PASSAGE)).map_err(io("set the mode of", data_dir))?;
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
    if home.join(MARKER).is_file() || fs::symlink_metadata(home).is_err() {
        return Ok(());
    }
    let is_empty = fs::read_dir(home).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty { Ok(()) } else { Err(PrivatePostgresError::NotOurs { directory: home.clone() }) }
}

/// Makes a directory of mode 0700; fails when something is there already.
pub(super) fn create_private_dir(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}
