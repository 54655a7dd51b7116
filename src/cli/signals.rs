//! The end of the service: by a signal, gracefully unless somebody insists.

use std::pin::pin;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::http::Service;

/// Serves until SIGINT (Ctrl-C) or SIGTERM: then nothing new is taken, and what is under way is answered.
/// A SIGINT while that is awaited gives it up.
///
/// # Errors
/// Where signals cannot be waited for, or the server fails.
pub async fn serve_until_signalled(service: Service) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let handle = service.handle();
    let mut serving = pin!(service.run());
    let name = tokio::select! {
        ended = &mut serving => return Ok(ended?),
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    };
    info!(signal = name, "stopping: requests under way are answered first; Ctrl-C gives them up");
    // The server does the work; it has heard of it when this returns.
    drop(handle.stop(true));
    tokio::select! {
        ended = &mut serving => Ok(ended?),
        _ = interrupt.recv() => {
            warn!(signal = "SIGINT", "stopping at once: requests under way are given up, unanswered");
            handle.give_up();
            Ok(serving.await?)
        }
    }
}
