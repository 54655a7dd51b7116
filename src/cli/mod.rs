//! The commands. They call what the service calls; only how they show it is their own.

mod database;
mod deliveries;
mod demo;
mod export;
mod ingest;
mod migrate;
mod rebuild;
mod serve;
mod timeline;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::{Command, Config, DeliveriesCommand};
use crate::order::Vocabulary;
use crate::{telemetry, vocabulary};

/// Runs the command and says what went wrong, if something did.
pub fn main(config: Config) -> ExitCode {
    match start(config) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "order-timeline: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(config: Config) -> Result<()> {
    let usual = if matches!(config.command, Command::Serve(_) | Command::Demo(_)) { "info" } else { "warn" };
    let filter = config.log.log.as_deref().unwrap_or(usual);
    let subscriber = telemetry::subscriber(filter, config.log.log_format, std::io::stderr)
        .with_context(|| format!("--log “{filter}” is no filter"))?;
    tracing::subscriber::set_global_default(subscriber)?;
    let vocabulary = Arc::new(vocabulary::shipped()?);
    if matches!(config.command, Command::Rebuild(_)) {
        // Reading and folding is work for all cores.
        return tokio::runtime::Runtime::new()?.block_on(run(config, vocabulary));
    }
    actix_web::rt::System::new().block_on(run(config, vocabulary))
}

async fn run(config: Config, vocabulary: Arc<Vocabulary>) -> Result<()> {
    let database = &config.database;
    match config.command {
        Command::Serve(serve) => serve::run(database, &serve, vocabulary).await,
        Command::Demo(demo) => demo::run(database, &demo, vocabulary).await,
        Command::Migrate => migrate::run(database).await,
        Command::Ingest(ingest) => ingest::run(database, &ingest, &vocabulary).await,
        Command::Timeline(timeline) => timeline::run(database, &timeline, &vocabulary).await,
        Command::Deliveries { command: DeliveriesCommand::List { outcome, sender, limit, json } } => {
            deliveries::list(database, deliveries::List { outcome, sender, limit, json }).await
        }
        Command::Deliveries { command: DeliveriesCommand::Show { id, body } } => {
            deliveries::show(database, id, body).await
        }
        Command::Deliveries { command: DeliveriesCommand::Retry { ids, outcome } } => {
            deliveries::retry(database, &ids, outcome, &vocabulary).await
        }
        Command::Rebuild(rebuild) if rebuild.check => rebuild::check(database, &rebuild, vocabulary).await,
        Command::Rebuild(rebuild) => rebuild::run(database, &rebuild, vocabulary).await,
        Command::Export(export) => export::run(database, &export).await,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        crate::config::Config::command().debug_assert();
    }
}
