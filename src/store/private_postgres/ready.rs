use std::process::Child;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use super::error::{PrivatePostgresError, io};
use super::log;
use super::server::Launch;
use super::socket::{PORT, connect_options};

/// How long a server may give no answer at all.
const SILENCE_LIMIT: Duration = Duration::from_mins(1);

/// How long it may answer that it is starting up. Ending it sooner would be worse than waiting: a
/// recovery that is cut off begins anew.
const RECOVERY_LIMIT: Duration = Duration::from_mins(10);

/// SQLSTATE `cannot_connect_now`: the server is starting up, recovering or shutting down.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// Connects as soon as the server accepts connections. When it ends instead, the error has the last
/// lines of its log.
pub(super) async fn wait_until_ready(
    watchdog: &mut Child,
    launch: &Launch<'_>,
    log_start: u64,
) -> Result<PgConnection, PrivatePostgresError> {
    let options = connect_options(launch.socket_dir, PORT, "postgres");
    let path = &launch.layout.log;
    let began = Instant::now();
    let mut limit = SILENCE_LIMIT;
    loop {
        if let Some(status) = watchdog.try_wait().map_err(io("watch the server of", &launch.layout.cluster))? {
            let tail = log::tail(path, log_start);
            return Err(PrivatePostgresError::Ended { status: status.to_string(), log: path.clone(), tail });
        }
        match tokio::time::timeout(Duration::from_secs(5), PgConnection::connect_with(&options)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(CANNOT_CONNECT_NOW) => {
                limit = RECOVERY_LIMIT;
            }
            Ok(Err(error @ sqlx::Error::Database(_))) => {
                return Err(PrivatePostgresError::Database(error));
            }
            _ => {}
        }
        if began.elapsed() > limit {
            let tail = log::tail(path, log_start);
            return Err(PrivatePostgresError::NotReady { seconds: limit.as_secs(), log: path.clone(), tail });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
