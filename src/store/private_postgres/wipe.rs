use std::path::Path;

use super::error::PrivatePostgresError;
use super::layout::{self, Layout};
use super::user::ServerUser;
use super::{former, lock, programs, server, socket, user};

/// Removes the cluster under the data directory, for a start from nothing. Downloaded programs
/// stay. A server that a former run left behind is stopped first. Nothing is done where there is no
/// cluster.
///
/// # Errors
/// [`PrivatePostgresError::NotOurs`] for a directory that we did not make, and
/// [`PrivatePostgresError::AlreadyRunning`], naming the process, when another order-timeline is
/// using it.
pub async fn wipe(data_dir: &Path) -> Result<(), PrivatePostgresError> {
    let Some(layout) = Layout::of_existing(data_dir) else {
        return Ok(());
    };
    layout::check_ours(&layout)?;
    if !layout.home.exists() {
        return Ok(());
    }
    let user = user::choose(&layout)?;
    let _lock = lock::take(&layout)?;
    stop_left_over(&layout, &user).await?;
    remove_socket_dir_elsewhere(&layout, &user).await?;
    layout::remove_tree(&layout.home).await
}

async fn stop_left_over(layout: &Layout, user: &ServerUser) -> Result<(), PrivatePostgresError> {
    let Some(pid) = former::live_server(layout) else {
        return Ok(());
    };
    let data_dir = layout.data_dir.display();
    tracing::info!(pid, %data_dir, "stopping the PostgreSQL that a former run left behind");
    match programs::installed(layout).first() {
        Some(programs) => server::stop(layout, programs, user).await,
        // Its programs are gone while it still runs: all we can do is wait for its watchdog.
        None => former::wait_for_server_to_end(layout).await,
    }
}

async fn remove_socket_dir_elsewhere(layout: &Layout, user: &ServerUser) -> Result<(), PrivatePostgresError> {
    let directory = socket::directory(layout);
    if directory.starts_with(&layout.home) || !socket::is_private_to(&directory, user.uid) {
        return Ok(());
    }
    layout::remove_tree(&directory).await
}
