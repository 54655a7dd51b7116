//! `export`: one of the analysts' views as a file.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::database::{Database, Purpose};
use super::sink::Sink;
use crate::config::{DatabaseConfig, ExportConfig, ExportFormat};
use crate::export::{self, ExportError};
use crate::store::{Store, View};

pub async fn run(database: &DatabaseConfig, config: &ExportConfig) -> Result<()> {
    let database = Database::open(database, Purpose::Read).await?;
    let store = database.store.patient();
    let exported = export(&store, config).await;
    store.close().await;
    database.close().await?;
    exported
}

async fn export(store: &Store, config: &ExportConfig) -> Result<()> {
    let views = store.views().await?;
    let Some(name) = &config.view else {
        let is_file = config.output != std::path::Path::new("-");
        ensure!(!is_file, "name the view to write to {}; `order-timeline export` lists them", config.output.display());
        return list(&views, &mut anstream::stdout());
    };
    let Some(view) = views.iter().find(|view| view.name == *name) else {
        let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
        bail!("there is no view “{name}”; there are {}", names.join(", "));
    };
    let (started, progress) = (Instant::now(), progress_bar(store.about_rows(view).await?));
    let mut sink = Sink::open(&config.output)?;
    let watch = |rows| {
        // The planner's guess may be short.
        if progress.length().is_some_and(|length| length < rows) {
            progress.set_length(rows);
        }
        progress.set_position(rows);
        if rows % 4096 == 0 {
            let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
            progress.set_message(format!("{}/s", rows.saturating_mul(1000) / milliseconds));
        }
    };
    let written = match config.format {
        ExportFormat::Csv => export::csv(store, view, &mut sink, watch).await,
        ExportFormat::Parquet => export::parquet(store, view, &mut sink, watch).await,
    };
    progress.finish_and_clear();
    let rows = match written {
        Ok(rows) => rows,
        // Who reads it may have seen enough, which the program's end tells by the cause.
        Err(ExportError::File(error)) => return Err(error).context(sink.describe()),
        Err(error) => return Err(error).with_context(|| format!("cannot export {name}")),
    };
    let told = format!("{rows} rows of {name} in {:.1} s: {}", started.elapsed().as_secs_f64(), sink.describe());
    sink.complete()?;
    writeln!(anstream::stderr(), "{told}")?;
    Ok(())
}

fn list(views: &[View], out: &mut impl Write) -> Result<()> {
    for view in views {
        writeln!(out, "{:<28} {}", view.name, view.comment.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn progress_bar(about: u64) -> ProgressBar {
    let form = "{wide_bar} {human_pos} of about {human_len} rows {msg} {eta} left";
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(about).with_style(style)
}
