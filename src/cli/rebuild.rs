//! `rebuild`: all orders anew from their deliveries, or `--check`: whether that would change anything.

use std::io::Write;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anstyle::Style;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as JsonValue;

use super::database::{Database, Purpose};
use crate::config::{DatabaseConfig, RebuildConfig};
use crate::order::Vocabulary;
use crate::rebuild::{self, Begin, Checked, Ended, Pace};
use crate::store::{DAMAGED, Difference, Run, Store};

pub async fn run(database: &DatabaseConfig, config: &RebuildConfig) -> Result<()> {
    let pace = pace(database, config);
    let database = Database::open(database, Purpose::Write).await?;
    let store = database.store.patient();
    let vocabulary = Arc::new(store.vocabulary().await?);
    let rebuilt = rebuild_all(&store, config, pace, &vocabulary).await;
    store.close().await;
    database.close().await?;
    rebuilt
}

pub async fn check(database: &DatabaseConfig, config: &RebuildConfig) -> Result<()> {
    let pace = pace(database, config);
    let database = Database::open(database, Purpose::Read).await?;
    let store = database.store.patient();
    let vocabulary = Arc::new(store.vocabulary().await?);
    let checked = check_all(&store, config, pace, &vocabulary).await;
    store.close().await;
    database.close().await?;
    checked
}

async fn rebuild_all(store: &Store, config: &RebuildConfig, pace: Pace, vocabulary: &Arc<Vocabulary>) -> Result<()> {
    let begin = if config.from_start { Begin::AtTheStart } else { Begin::WhereInterrupted };
    let interrupted = Arc::new(AtomicBool::new(false));
    tokio::spawn({
        let interrupted = Arc::clone(&interrupted);
        async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupted.store(true, Ordering::Relaxed);
            }
        }
    });
    let (started, progress) = (Instant::now(), progress_bar(store).await?);
    let mut first = None;
    let ended = rebuild::rebuild(store, vocabulary, pace, begin, |run| {
        let before = *first.get_or_insert_with(|| {
            // An earlier run's part is done, but says nothing of this one's rate.
            progress.reset_eta();
            run.deliveries
        });
        show(&progress, run.deliveries, run.deliveries - before, started);
        if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let ended = ended.await?;
    progress.finish_and_clear();
    match ended {
        Ended::Interrupted(run) => {
            bail!("interrupted after {} orders; `order-timeline rebuild` goes on from there", run.orders)
        }
        Ended::Complete(run) => {
            store.learn_silence().await?;
            let checksum = store.checksum().await?;
            summary(&mut anstream::stdout(), &run, checksum)
        }
    }
}

fn summary(out: &mut impl Write, run: &Run, checksum: u64) -> Result<()> {
    let taken = (chrono::Utc::now() - run.started_at).as_seconds_f64();
    writeln!(out, "{} orders made anew from {} deliveries, in {taken:.1} s", run.orders, run.deliveries)?;
    writeln!(out, "  {:<11} {} deliveries that were quarantined and no longer are", "healed", run.healed)?;
    writeln!(out, "  {:<11} {} orders that are other ones than before", "changed", run.changed)?;
    if run.left_alone > 0 {
        writeln!(
            out,
            "  {:<11} {} orders that could not be made anew; the log says why",
            "left alone", run.left_alone
        )?;
    }
    writeln!(out, "  {:<11} {checksum:016x}", "checksum")?;
    Ok(())
}

async fn check_all(store: &Store, config: &RebuildConfig, pace: Pace, vocabulary: &Arc<Vocabulary>) -> Result<()> {
    let (started, progress) = (Instant::now(), progress_bar(store).await?);
    let mut broken = None;
    let found = |differences: Vec<Difference>| {
        let printed = progress.suspend(|| print(&differences, config.json));
        match printed {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                broken = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let watch = |checked: &Checked| show(&progress, checked.deliveries, checked.deliveries, started);
    let checked = rebuild::check(store, vocabulary, pace, found, watch).await?;
    progress.finish_and_clear();
    if let Some(error) = broken {
        return Err(error);
    }
    let Checked { orders, deliveries, differences, damaged, left_alone } = checked;
    let mut out =
        if config.json { Box::new(anstream::stderr()) as Box<dyn Write> } else { Box::new(anstream::stdout()) };
    writeln!(out, "{orders} orders made anew beside the live ones from {deliveries} deliveries")?;
    writeln!(out, "  {:<11} {differences}", "differences")?;
    if left_alone > 0 {
        writeln!(out, "  {:<11} {left_alone} orders that could not be made anew; the log says why", "left alone")?;
    }
    writeln!(out, "  {:<11} {:016x}", "checksum", store.checksum().await?)?;
    match (differences - damaged, damaged) {
        (0, 0) => Ok(()),
        (_, 0) => bail!("the live rows are not what the deliveries give; `order-timeline rebuild` mends them"),
        (others, _) => {
            let others = if others > 0 { "; `order-timeline rebuild` mends the other differences" } else { "" };
            bail!(
                "bodies are not what was received: their orders' rows were made before that, and stay; restore the \
                 bodies from a backup{others}"
            )
        }
    }
}

fn print(differences: &[Difference], json: bool) -> Result<()> {
    let mut out = anstream::stdout();
    for difference in differences {
        if json {
            writeln!(out, "{}", serde_json::to_string(difference)?)?;
        } else {
            writeln!(out, "{}", told(difference))?;
        }
    }
    Ok(())
}

fn told(difference: &Difference) -> String {
    let bold = Style::new().bold();
    let of = match (&difference.sender, &difference.order_id) {
        (Some(sender), Some(order)) => format!("{sender} order {order}"),
        _ => format!("key {}", difference.order_key),
    };
    let key: String = difference.key.iter().map(|(column, value)| format!(" {column}={}", plain(value))).collect();
    let what = match (&difference.column, &difference.live, &difference.rebuilt) {
        (Some(_), Some(kept), Some(received)) if difference.table == DAMAGED => {
            format!("{bold}is not what was received{bold:#}: kept {}, received {}", short(kept), short(received))
        }
        (Some(column), live, rebuilt) => {
            let side = |value: &Option<JsonValue>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
            format!("{bold}{column}{bold:#} is {}, rebuilt {}", side(live), side(rebuilt))
        }
        (None, Some(live), _) => format!("{bold}the row should not be there{bold:#}: {}", short(live)),
        (None, None, rebuilt) => {
            format!("{bold}the row is missing{bold:#}: {}", rebuilt.as_ref().map(short).unwrap_or_default())
        }
    };
    format!("{}  {of}{key}  {what}", difference.table)
}

fn plain(value: &JsonValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value as JSON; of a long one its beginning.
fn short(value: &JsonValue) -> String {
    const LONGEST: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} characters)", text.get(..end).unwrap_or_default(), text.chars().count()),
        None => text,
    }
}

fn pace(database: &DatabaseConfig, config: &RebuildConfig) -> Pace {
    let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = config.jobs.map_or_else(processors, usize::from);
    // One connection looks for what is next.
    let connections = usize::try_from(database.database_connections).unwrap_or(usize::MAX);
    Pace::of(jobs.min(connections.saturating_sub(1)))
}

async fn progress_bar(store: &Store) -> Result<ProgressBar> {
    let total = u64::try_from(store.delivery_count().await?).unwrap_or(0);
    let form = "{wide_bar} {human_pos}/{human_len} deliveries {msg} {eta} left";
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    Ok(ProgressBar::new(total).with_style(style))
}

fn show(progress: &ProgressBar, done: i64, done_here: i64, started: Instant) {
    progress.set_position(u64::try_from(done).unwrap_or(0));
    let milliseconds = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX).max(1);
    progress.set_message(format!("{}/s", done_here.saturating_mul(1000) / milliseconds));
}
