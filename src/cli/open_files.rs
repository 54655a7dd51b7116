//! How many files the process may have open. Connections are files too; where one more is too many, the spool cannot be
//! read either.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::warn;

/// What is open besides connections: the database's, the spool, the listening sockets, the log, certificates.
const OTHERS: u64 = 160;

/// Allows the process as many files as it may allow itself, and gives how many of the connections that are wanted can
/// be held, where each takes so many files.
pub fn connections_within(wanted: usize, files_each: u64) -> usize {
    let Ok((mut soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        soft = hard;
    }
    // At the least, half of them.
    let files = soft.saturating_sub(OTHERS).max(soft / 2);
    let held = usize::try_from((files / files_each.max(1)).max(1)).unwrap_or(usize::MAX);
    if held < wanted {
        warn!(
            files = soft,
            "--max-connections {wanted} cannot be held: the process may have {soft} files open. It takes {held} connections; \
             allow it more (LimitNOFILE of systemd, ulimit -n), or ask for fewer"
        );
    }
    wanted.min(held)
}
