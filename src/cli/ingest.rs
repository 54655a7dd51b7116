//! `ingest`: bodies from files, through the same door as those that are posted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use serde::de::IgnoredAny;
use tracing::warn;

use super::database::{Database, Purpose};
use crate::config::{DatabaseConfig, IngestConfig};
use crate::intake::{Body, Delivery, Group};
use crate::record::{OutcomeName, Receipt};
use crate::store::Store;

/// So many bodies are on their way at most: enough for full batches in every lane.
const UNDER_WAY: usize = 2048;

pub async fn run(database: &DatabaseConfig, config: &IngestConfig) -> Result<()> {
    let files = files(&config.paths)?;
    let database = Database::open(database, Purpose::Write).await?;
    let taken = take_all(&database.store, config, &files).await;
    database.close().await?;
    taken
}

async fn take_all(store: &Store, config: &IngestConfig, files: &[PathBuf]) -> Result<()> {
    let group = Group::start(store, &store.vocabulary().await?.into())?;
    let progress = progress_bar(files);
    let mut summary = Summary::default();
    let mut under_way = FuturesUnordered::new();
    for file in files {
        let origin = file.display().to_string();
        let mut bodies = Bodies::open(file)?;
        while let Some(body) = bodies.next(&origin)? {
            progress.inc(u64::try_from(body.len()).unwrap_or(0));
            let delivery = Delivery::received_now(&config.sender, &origin, Vec::new(), Body::Whole(body));
            // In the order of the file: a repeat never goes before what it repeats.
            under_way.push(group.queue(delivery).await?.receipt());
            // A body is on its way at once, also where the next one takes its time to come.
            while let Some(Some(receipt)) = under_way.next().now_or_never() {
                summary.add(receipt?);
            }
            if under_way.len() >= UNDER_WAY
                && let Some(receipt) = under_way.next().await
            {
                summary.add(receipt?);
            }
            progress.set_message(format!("{} bodies", summary.bodies));
        }
    }
    while let Some(receipt) = under_way.next().await {
        summary.add(receipt?);
    }
    progress.finish_and_clear();
    // A service learns it every hour; where none runs, who ingests does.
    let patient = store.patient();
    if let Err(error) = patient.learn_silence_if_older(TimeDelta::hours(1)).await {
        warn!(%error, "how long orders are usually silent could not be learned");
    }
    patient.close().await;
    summary.print(&mut anstream::stdout())
}

/// What became of all bodies.
struct Summary {
    started: Instant,
    bodies: usize,
    outcomes: BTreeMap<OutcomeName, usize>,
    orders: BTreeSet<String>,
    odd: usize,
}

impl Default for Summary {
    fn default() -> Self {
        Self { started: Instant::now(), bodies: 0, outcomes: BTreeMap::new(), orders: BTreeSet::new(), odd: 0 }
    }
}

impl Summary {
    fn add(&mut self, receipt: Receipt) {
        self.bodies += 1;
        *self.outcomes.entry(receipt.outcome).or_default() += 1;
        self.odd += usize::from(!receipt.oddities.is_empty());
        self.orders.extend(receipt.order_id);
    }

    fn print(&self, out: &mut impl Write) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        writeln!(out, "{} bodies, {} orders, in {seconds:.1} s", self.bodies, self.orders.len())?;
        for outcome in OutcomeName::ALL {
            writeln!(out, "  {:<11} {}", outcome.name(), self.outcomes.get(&outcome).unwrap_or(&0))?;
        }
        if self.odd > 0 {
            writeln!(
                out,
                "{} of them deviate from the sender's documents; see `order-timeline deliveries list`.",
                self.odd
            )?;
        }
        Ok(())
    }
}

/// The files that the paths name: folders stand for their bodies, in alphabetical order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        let is_folder = path.as_os_str() != "-"
            && fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.is_dir();
        if is_folder { folder(path, &mut all)? } else { all.push(path.clone()) }
    }
    Ok(all)
}

fn folder(path: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    let reading = || format!("cannot read the folder {}", path.display());
    let entries = fs::read_dir(path).with_context(reading)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().with_context(reading)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_body =
            path.extension().is_some_and(|kind| ["json", "ndjson", "jsonl"].iter().any(|known| kind == *known));
        if path.is_dir() {
            folder(&path, all)?;
        } else if is_body {
            all.push(path);
        }
    }
    Ok(())
}

fn progress_bar(files: &[PathBuf]) -> ProgressBar {
    let bytes = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum();
    let form = "{wide_bar} {bytes}/{total_bytes} {msg} {eta} left";
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

/// The bodies of a file: it is one JSON body, or holds one body a line.
enum Bodies {
    Unread(Box<dyn BufRead>),
    Lines(Box<dyn BufRead>),
    Done,
}

impl Bodies {
    fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Unread(Box::new(BufReader::new(std::io::stdin()))));
        }
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::Unread(Box::new(BufReader::new(file))))
    }

    /// The next body; `None` at the end. A first line that is JSON by itself, with more lines to come,
    /// makes the file one body a line.
    fn next(&mut self, origin: &str) -> Result<Option<Vec<u8>>> {
        let reading = || format!("cannot read {origin}");
        match std::mem::replace(self, Self::Done) {
            Self::Done => Ok(None),
            Self::Lines(mut lines) => {
                let line = next_line(&mut lines).with_context(reading)?;
                if line.is_some() {
                    *self = Self::Lines(lines);
                }
                Ok(line)
            }
            Self::Unread(mut file) => {
                let mut first = Vec::new();
                file.read_until(b'\n', &mut first).with_context(reading)?;
                if serde_json::from_slice::<IgnoredAny>(&first).is_ok()
                    && !file.fill_buf().with_context(reading)?.is_empty()
                {
                    *self = Self::Lines(file);
                    return Ok(Some(without_line_end(first)));
                }
                file.read_to_end(&mut first).with_context(reading)?;
                Ok(Some(first))
            }
        }
    }
}

fn next_line(lines: &mut Box<dyn BufRead>) -> std::io::Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(without_line_end(line)));
        }
    }
}

fn without_line_end(mut line: Vec<u8>) -> Vec<u8> {
    while line.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        line.pop();
    }
    line
}
