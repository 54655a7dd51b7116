//! `generate`: a feed of made-up orders as a file.

use std::io::{BufWriter, Write};
use std::time::Instant;

use anyhow::{Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use super::sink::Sink;
use crate::config::GenerateConfig;
use crate::generate::{Feed, Is, Settings};

/// Without `--from` no more orders than these begin a day, so that no more are under way at a time.
const ORDERS_A_DAY: u64 = 1_000;

pub fn run(config: &GenerateConfig) -> Result<()> {
    let settings = settings(config)?;
    let (mut feed, progress) = (Feed::new(settings), progress_bar(settings.orders));
    let mut sink = Sink::open(&config.output)?;
    let mut made = Made::default();
    let started = Instant::now();
    let mut writer = BufWriter::with_capacity(1 << 18, &mut sink);
    while let Some(sent) = feed.next() {
        writer.write_all(&sent.body)?;
        writer.write_all(b"\n")?;
        made.count(sent.is, sent.is_late, sent.body.len());
        if made.bodies % 1_024 == 0 {
            progress.set_position(feed.begun());
            progress.set_message(format!("{} bodies", made.bodies));
        }
    }
    writer.flush()?;
    drop(writer);
    progress.finish_and_clear();
    let (told, seconds) = (sink.describe(), started.elapsed().as_secs_f64());
    sink.complete()?;
    let Made { bodies, events, duplicates, conflicts, late, bytes } = made;
    let orders = settings.orders;
    writeln!(anstream::stderr(), "{bodies} bodies of {orders} orders in {seconds:.1} s, {bytes} bytes: {told}")?;
    for (name, count) in [("events", events), ("duplicates", duplicates), ("conflicts", conflicts), ("late", late)] {
        writeln!(anstream::stderr(), "  {name:<11} {count}")?;
    }
    Ok(())
}

fn settings(config: &GenerateConfig) -> Result<Settings> {
    let to = config.to;
    let from = match config.from {
        Some(from) => from,
        None => usual_begin(config.orders, to),
    };
    if from >= to {
        bail!("--from {from} is not before --to {to}");
    }
    Ok(Settings {
        orders: config.orders,
        events_per_order: config.events_per_order,
        seed: config.seed,
        duplicates: config.duplicates,
        late: config.late,
        conflicts: config.conflicts,
        bare: config.bare,
        from,
        to,
    })
}

fn usual_begin(orders: u64, to: DateTime<Utc>) -> DateTime<Utc> {
    let days = i64::try_from(orders / ORDERS_A_DAY).unwrap_or(i64::MAX).max(365);
    TimeDelta::try_days(days).and_then(|span| to.checked_sub_signed(span)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[derive(Default)]
struct Made {
    bodies: u64,
    events: u64,
    duplicates: u64,
    conflicts: u64,
    late: u64,
    bytes: usize,
}

impl Made {
    fn count(&mut self, is: Is, is_late: bool, bytes: usize) {
        self.bodies += 1;
        self.bytes += bytes;
        self.late += u64::from(is_late);
        match is {
            Is::Event => self.events += 1,
            Is::Duplicate => self.duplicates += 1,
            Is::Conflict => self.conflicts += 1,
        }
    }
}

fn progress_bar(orders: u64) -> ProgressBar {
    let form = "{wide_bar} {human_pos} of {human_len} orders {msg} {per_sec} {eta} left";
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(orders).with_style(style)
}
