//! The commands. They call what the service calls; only how they show it is their own.

mod access;
mod analysts;
mod database;
mod deliveries;
mod demo;
mod export;
mod generate;
mod hybris;
mod ingest;
mod keys;
mod migrate;
mod open_files;
mod rebuild;
mod senders;
mod serve;
mod signals;
mod sink;
mod terminal;
mod timeline;
mod vocabulary;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::config::{self, Command, Config, DeliveriesCommand, HybrisCommand, VocabularyCommand};
use crate::{telemetry, trial};

/// Runs the command and says what went wrong, if something did.
pub fn main(config: Config) -> ExitCode {
    let ended = start(config);
    telemetry::end();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "order-timeline: {}", terminal::harmless_lines(&told(&error)));
            ExitCode::FAILURE
        }
    }
}

fn start(config: Config) -> Result<()> {
    config::check_environment().map_err(anyhow::Error::msg)?;
    trial::arm(config::trial().map_err(anyhow::Error::msg)?);
    let usual = if matches!(config.command, Command::Serve(_) | Command::Demo(_)) { "info" } else { "warn" };
    let filter = config.log.log.as_deref().unwrap_or(usual);
    let subscriber = telemetry::subscriber(filter, &config.log, std::io::stderr)
        .with_context(|| format!("the log cannot be started with --log “{filter}”"))?;
    tracing::subscriber::set_global_default(subscriber)?;
    if matches!(config.command, Command::Rebuild(_)) {
        // Reading and folding is work for all cores.
        return tokio::runtime::Runtime::new()?.block_on(run(config));
    }
    actix_web::rt::System::new().block_on(run(config))
}

async fn run(config: Config) -> Result<()> {
    let database = &config.database;
    match config.command {
        Command::Serve(serve) => serve::run(database, &serve).await,
        Command::Demo(demo) => demo::run(database, &demo).await,
        Command::Migrate => migrate::run(database).await,
        Command::Senders { command } => senders::run(database, command).await,
        Command::Analysts { command } => analysts::run(database, command).await,
        Command::Keys { command } => keys::run(database, command).await,
        Command::Ingest(ingest) => ingest::run(database, &ingest).await,
        Command::Timeline(timeline) => timeline::run(database, &timeline).await,
        Command::Vocabulary { command: VocabularyCommand::List { subject, unknown, json } } => {
            vocabulary::list(database, vocabulary::List { subject, unknown, json }).await
        }
        Command::Vocabulary { command: VocabularyCommand::Set(word) } => vocabulary::set(database, &word).await,
        Command::Vocabulary { command: VocabularyCommand::Unset { subject, value } } => {
            vocabulary::unset(database, &subject, &value).await
        }
        Command::Deliveries { command: DeliveriesCommand::List { outcome, sender, limit, json } } => {
            deliveries::list(database, deliveries::List { outcome, sender, limit, json }).await
        }
        Command::Deliveries { command: DeliveriesCommand::Show { id, body } } => {
            deliveries::show(database, id, body).await
        }
        Command::Hybris { command: HybrisCommand::Unsettled { limit } } => hybris::unsettled(database, limit).await,
        Command::Deliveries { command: DeliveriesCommand::Retry { ids, outcome } } => {
            deliveries::retry(database, &ids, outcome).await
        }
        Command::Rebuild(rebuild) if rebuild.check => rebuild::check(database, &rebuild).await,
        Command::Rebuild(rebuild) => rebuild::run(database, &rebuild).await,
        Command::Export(export) => export::run(database, &export).await,
        Command::Generate(generate) => generate::run(&generate),
    }
}

/// An error with its causes; one that says its cause itself does not have it said twice.
fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told.push_str(": ");
            told.push_str(&cause);
        }
    }
    told
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn a_cause_is_told_once() {
        let cause = sqlx::Error::Io(std::io::Error::other("no route"));
        let error = anyhow::Error::from(crate::store::StoreError::Unavailable(cause)).context("cannot migrate");
        let told = super::told(&error);
        assert!(told.starts_with("cannot migrate: the database is not available: "), "{told}");
        assert_eq!(told.matches("no route").count(), 1, "{told}");
        assert!(format!("{error:#}").matches("no route").count() > 1, "else this is not needed");
    }

    #[test]
    fn the_command_line_is_consistent() {
        crate::config::Config::command().debug_assert();
    }
}
