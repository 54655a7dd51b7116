//! `timeline`: what happened to an order, in the terminal.

use std::collections::BTreeSet;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use chrono_tz::Europe::London;

use super::database::{Database, Purpose};
use super::terminal::harmless;
use crate::config::{DatabaseConfig, TimelineConfig};
use crate::order::Kind;
use crate::record::{EntryRecord, TimelineRecord, is_said, lines, said_of};
use crate::store::{OrderKey, Store};

pub async fn run(database: &DatabaseConfig, config: &TimelineConfig) -> Result<()> {
    let database = Database::open(database, Purpose::Read).await?;
    let shown = show(&database.store, config).await;
    database.close().await?;
    shown
}

async fn show(store: &Store, config: &TimelineConfig) -> Result<()> {
    let key = find(store, config).await?;
    let Some(mut timeline) = store.timeline(key, config.at, config.known_at, &store.vocabulary().await?).await? else {
        bail!("nothing was known of order “{}”, or had happened to it, at that time", config.order);
    };
    if let Some(item) = &config.item {
        // One that no entry is about was not on the order: an empty timeline would say that nothing happened to it.
        if !timeline.entries.iter().any(|entry| entry.is_about(item)) {
            let items: BTreeSet<&str> =
                timeline.entries.iter().flat_map(|entry| &entry.item_ids).map(String::as_str).collect();
            let items = items.into_iter().collect::<Vec<_>>().join(", ");
            bail!("nothing is told of an item “{item}”; of these something is: {items}");
        }
        timeline.entries.retain(|entry| entry.is_about(item));
    }
    let mut out = anstream::stdout();
    if config.json {
        serde_json::to_writer_pretty(&mut out, &timeline)?;
        writeln!(out)?;
        return Ok(());
    }
    print(&mut out, &timeline, config)
}

async fn find(store: &Store, config: &TimelineConfig) -> Result<OrderKey> {
    if let Some(sender) = &config.sender {
        return Ok(OrderKey::of_order(sender, &config.order));
    }
    let senders = store.senders_of(&config.order).await?;
    match senders.as_slice() {
        [] => bail!("no order with the id “{}” has been heard of", config.order),
        [only] => Ok(OrderKey::of_order(only, &config.order)),
        _ => bail!("several senders have an order “{}”: {}; name one with --sender", config.order, senders.join(", ")),
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

fn print(out: &mut impl Write, timeline: &TimelineRecord, config: &TimelineConfig) -> Result<()> {
    let order = &timeline.order;
    let known_as =
        order.external_id.as_deref().map_or_else(String::new, |id| format!("  external id {}", harmless(id)));
    writeln!(
        out,
        "{BOLD}Order {}{BOLD:#}{known_as}  {DIM}from {}{DIM:#}",
        harmless(&order.order_id),
        harmless(&order.sender)
    )?;
    writeln!(out, "{BOLD}{}{BOLD:#}  {}", harmless(&order.state), harmless(&order.state_reason))?;
    if let Some(at) = config.at {
        writeln!(out, "{DIM}As it was at {}.{DIM:#}", local(at))?;
    }
    if let Some(known_at) = config.known_at {
        writeln!(out, "{DIM}As we knew it at {}.{DIM:#}", local(known_at))?;
    }
    for event in timeline.entries.chunk_by(|a, b| a.event_position == b.event_position) {
        let Some(first) = event.first() else { continue };
        writeln!(out, "\n{BOLD}{}{BOLD:#}{}", local(first.at), remarks(first))?;
        for line in lines(event) {
            writeln!(out, "  {}", told(&line))?;
        }
    }
    writeln!(
        out,
        "\n{DIM}{} from {}. Times are London's.{DIM:#}",
        counted(timeline.entries.len(), "entry", "entries"),
        counted(order.events, "event", "events")
    )?;
    Ok(())
}

fn counted(number: impl std::fmt::Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    format!("{number} {}", if number == "1" { one } else { many })
}

/// A line: its first entry, and what the others add to it.
fn told(line: &[&EntryRecord]) -> String {
    let Some((first, others)) = line.split_first() else {
        return String::new();
    };
    let style = style(first);
    let more = others
        .iter()
        .filter(|other| !is_said(line, other))
        .map(|other| format!(" · {}", harmless(said_of(first, other))));
    format!("{style}{}{style:#}{}", harmless(&first.text), more.collect::<String>())
}

fn remarks(entry: &EntryRecord) -> String {
    let mut remarks = Vec::new();
    if entry.at_estimated {
        remarks.push("the event states no time; this is when it was received".to_owned());
    } else if entry.late {
        remarks.push(format!("late: received {}", local(entry.received_at)));
    }
    if remarks.is_empty() { String::new() } else { format!("  {DIM}({}){DIM:#}", remarks.join("; ")) }
}

fn style(entry: &EntryRecord) -> Style {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match entry.known_kind() {
        Some(Kind::OrderState | Kind::OrderCreated) => BOLD,
        Some(Kind::ItemState | Kind::ItemSubStatus) => colour(AnsiColor::Cyan),
        Some(Kind::Message) => colour(AnsiColor::Yellow),
        Some(Kind::Appointment | Kind::ExpectedDate) => colour(AnsiColor::Green),
        Some(Kind::Conflict | Kind::Contradiction) => colour(AnsiColor::Red),
        _ => Style::new(),
    }
}

fn local(at: DateTime<Utc>) -> String {
    at.with_timezone(&London).format("%a %-d %b %Y %H:%M:%S").to_string()
}
