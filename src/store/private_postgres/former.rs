//! What a former run left behind. The lock of the data directory says that no order-timeline uses
//! it; PostgreSQL's own files may say otherwise.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::error::{PrivatePostgresError, io};
use super::layout::Layout;
use super::socket;
use super::user::ServerUser;

/// A server that still accepts connections after this time is not about to stop: nobody told it to.
const ANSWERING_LIMIT: Duration = Duration::from_secs(5);

/// A fast shutdown writes all changed pages to the disk first.
const STOPPING_LIMIT: Duration = Duration::from_mins(1);

/// No system gives this number to a process.
const NOBODYS_PID: &str = "2147483647";

/// Where the server of `postmaster.pid` listens.
pub(super) struct RecordedSocket {
    pub directory: PathBuf,
    pub port: u16,
}

/// Waits for the server of a run that was killed: its watchdog is stopping it. Fails when it does
/// not end, or shows no sign of ending.
pub(super) async fn wait_for_server_to_end(layout: &Layout) -> Result<(), PrivatePostgresError> {
    let began = Instant::now();
    while let Some(pid) = live_server(layout) {
        if began.elapsed() > ANSWERING_LIMIT && answers(layout).await {
            return Err(PrivatePostgresError::AlreadyRunning { data_dir: layout.data_dir.clone(), pid: Some(pid) });
        }
        if began.elapsed() > STOPPING_LIMIT {
            let data_dir = layout.data_dir.clone();
            return Err(PrivatePostgresError::StillStopping { data_dir, pid, seconds: STOPPING_LIMIT.as_secs() });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn answers(layout: &Layout) -> bool {
    let Some(socket) = recorded_socket(layout) else {
        return false;
    };
    let options = socket::connect_options(&socket.directory, socket.port, "postgres");
    socket::answers(&options, Duration::from_secs(2)).await
}

/// The process that serves this cluster now, if there is one.
pub(super) fn live_server(layout: &Layout) -> Option<u32> {
    let text = fs::read_to_string(pid_file(layout)).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    is_server_of(pid, &layout.cluster).then_some(pid)
}

/// The socket that `postmaster.pid` records, if its directory is as private as we make it.
pub(super) fn recorded_socket(layout: &Layout) -> Option<RecordedSocket> {
    let text = fs::read_to_string(pid_file(layout)).ok()?;
    // Process, data directory, start time, port, socket directory.
    let mut lines = text.lines().skip(3);
    let (port, directory) = (lines.next()?.trim().parse().ok()?, PathBuf::from(lines.next()?));
    let owner = fs::metadata(&layout.cluster).ok()?.uid();
    socket::is_private_to(&directory, owner).then_some(RecordedSocket { directory, port })
}

/// Takes the lock files of a dead server out of the way where PostgreSQL does not do so itself:
/// when some other process of the same user has got the number of the dead one, which is common
/// where numbers begin anew, as in containers.
pub(super) fn clear_lock_files(
    layout: &Layout,
    socket_dir: &Path,
    user: &ServerUser,
) -> Result<(), PrivatePostgresError> {
    for name in [socket::SOCKET, socket::SOCKET_LOCK] {
        let path = socket_dir.join(name);
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(&path).map_err(io("remove the stale", &path))?;
        }
    }
    let path = pid_file(layout);
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(());
    };
    match text.split_once('\n') {
        Some((pid, rest)) if !rest.is_empty() => {
            // Asked once more, and as late as can be: a server whose order-timeline was killed while
            // starting it writes this file a moment later.
            let is_misleading = pid.parse().is_ok_and(|pid| is_taken(pid) && !is_server_of(pid, &layout.cluster));
            if !is_misleading {
                return Ok(());
            }
            // Only the number is replaced: by the rest PostgreSQL finds out whether children of the
            // dead server still use its memory.
            replace(&path, &format!("{NOBODYS_PID}\n{rest}"), user).map_err(io("correct the stale", &path))
        }
        // The machine lost power before the file was on the disk; PostgreSQL refuses to start with
        // an empty one.
        _ => fs::remove_file(&path).map_err(io("remove the stale", &path)),
    }
}

/// The directory belongs to the server's user, who could have put a symbolic link anywhere: a new
/// file is made and renamed, nothing is opened for writing.
fn replace(path: &Path, text: &str, user: &ServerUser) -> std::io::Result<()> {
    let new = path.with_extension("pid.new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    user.give(&new)?;
    fs::rename(new, path)
}

fn pid_file(layout: &Layout) -> PathBuf {
    layout.cluster.join("postmaster.pid")
}

/// May PostgreSQL think that this process is alive? A dead one that nobody has reaped counts too.
fn is_taken(pid: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new(&format!("/proc/{pid}")).exists()
}

/// Is this process the PostgreSQL of this cluster? In doubt yes, since two servers on one cluster
/// would destroy it.
fn is_server_of(pid: u32, cluster: &Path) -> bool {
    let Some((program, arguments)) = command_line(pid) else {
        return false;
    };
    let is_postgres = Path::new(&program).file_name().is_some_and(|name| name == "postgres" || name == "postmaster");
    if !is_postgres {
        return false;
    }
    // A server started by hand may name its directory otherwise, but every server works in it.
    arguments.contains(&*cluster.to_string_lossy())
        || fs::read_link(format!("/proc/{pid}/cwd")).map_or(true, |directory| directory == cluster)
}

/// The program of a process and its arguments, as far as the system tells; `None` when there is no
/// such process.
fn command_line(pid: u32) -> Option<(String, String)> {
    let text = if Path::new("/proc/self/cmdline").exists() {
        String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).ok()?).into_owned()
    } else {
        let output = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().replacen(' ', "\0", 1)
    };
    let (program, arguments) = text.split_once('\0')?;
    Some((program.to_owned(), arguments.to_owned()))
}
