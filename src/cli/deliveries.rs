//! `deliveries`: what was received, whatever became of it.

use std::io::Write;

use anstyle::Style;
use anyhow::{Context, Result, ensure};
use uuid::Uuid;

use super::database::{Database, Purpose};
use super::terminal::{harmless, harmless_lines};
use crate::config::DatabaseConfig;
use crate::order::{Vocabulary, rfc3339};
use crate::rebuild::{Retried, retry as retry_one};
use crate::record::{DeliveryRecord, OutcomeName};
use crate::store::{DeliveryFilter, Store, StoreError};

/// What `deliveries list` is to show.
pub struct List {
    pub outcome: Option<OutcomeName>,
    pub sender: Option<String>,
    pub limit: u16,
    pub json: bool,
}

pub async fn list(database: &DatabaseConfig, list: List) -> Result<()> {
    let database = Database::open(database, Purpose::Read).await?;
    let filter =
        DeliveryFilter { outcome: list.outcome, sender: list.sender, limit: list.limit, ..DeliveryFilter::default() };
    let deliveries = database.store.deliveries(&filter).await;
    database.close().await?;
    let (deliveries, mut out) = (deliveries?, anstream::stdout());
    for delivery in &deliveries {
        if list.json {
            writeln!(out, "{}", serde_json::to_string(delivery)?)?;
        } else {
            writeln!(out, "{}", line(delivery))?;
        }
    }
    if deliveries.is_empty() && !list.json {
        writeln!(out, "No deliveries.")?;
    }
    Ok(())
}

pub async fn show(database: &DatabaseConfig, id: Uuid, body_only: bool) -> Result<()> {
    let database = Database::open(database, Purpose::Read).await?;
    let shown = print(&database.store, id, body_only).await;
    database.close().await?;
    shown
}

async fn print(store: &Store, id: Uuid, body_only: bool) -> Result<()> {
    let delivery = store.delivery(id).await?.with_context(|| format!("there is no delivery {id}"))?;
    let body = match store.body(id).await {
        Err(StoreError::NoLongerKept) => None,
        body => body?,
    };
    if body_only {
        let body = body.with_context(|| format!("the body of delivery {id} is no longer kept"))?;
        std::io::stdout().write_all(&body.bytes)?;
        return Ok(());
    }
    let mut out = anstream::stdout();
    writeln!(out, "{}\n", harmless_lines(&serde_json::to_string_pretty(&delivery)?))?;
    match body {
        Some(body) => writeln!(out, "{}", harmless_lines(&String::from_utf8_lossy(&body.bytes)))?,
        None => writeln!(out, "The body is no longer kept.")?,
    }
    Ok(())
}

/// So many ids are held at a time.
const PAGE: i64 = 1000;

pub async fn retry(database: &DatabaseConfig, ids: &[Uuid], outcome: Option<OutcomeName>) -> Result<()> {
    let database = Database::open(database, Purpose::Write).await?;
    let vocabulary = database.store.vocabulary().await?;
    let mut tally = Tally::default();
    let retried = match outcome {
        None => tally.all(&database.store, ids, &vocabulary).await,
        Some(outcome) => tally.all_of(&database.store, outcome, &vocabulary).await,
    };
    database.close().await?;
    retried?;
    tally.print(&mut anstream::stdout())
}

/// What became of the deliveries that were read again.
#[derive(Default)]
struct Tally {
    read: usize,
    otherwise: usize,
    failed: usize,
}

impl Tally {
    async fn all_of(&mut self, store: &Store, outcome: OutcomeName, vocabulary: &Vocabulary) -> Result<()> {
        let mut after = Uuid::nil();
        loop {
            let ids = store.delivery_ids_after(outcome.name(), after, PAGE).await?;
            let Some(last) = ids.last().copied() else { return Ok(()) };
            self.all(store, &ids, vocabulary).await?;
            after = last;
        }
    }

    async fn all(&mut self, store: &Store, ids: &[Uuid], vocabulary: &Vocabulary) -> Result<()> {
        let mut out = anstream::stdout();
        for id in ids {
            let told = match retry_one(store, vocabulary, *id).await? {
                Retried::Read { before, after } => {
                    self.read += 1;
                    self.otherwise += usize::from(before.outcome != after.outcome);
                    format!("{}{}", line(&after), changed(&before, &after))
                }
                other => {
                    self.failed += 1;
                    format!("{id}  {}", failure(&other))
                }
            };
            writeln!(out, "{told}")?;
        }
        Ok(())
    }

    fn print(&self, out: &mut impl Write) -> Result<()> {
        let Self { read, otherwise, failed } = self;
        let deliveries = |count: &usize| if *count == 1 { "delivery" } else { "deliveries" };
        let told = deliveries(read);
        writeln!(out, "{read} {told} read again; of {otherwise} the outcome is another one than before.")?;
        ensure!(*failed == 0, "{failed} {} could not be read again", deliveries(failed));
        Ok(())
    }
}

fn changed(before: &DeliveryRecord, after: &DeliveryRecord) -> String {
    let dim = Style::new().dimmed();
    if before.outcome == after.outcome {
        return format!("  {dim}(as before){dim:#}");
    }
    let why = before.reason_code.as_deref().map_or_else(String::new, |code| format!(": {code}"));
    format!("  {dim}(before: {}{why}){dim:#}", before.outcome.name())
}

fn failure(retried: &Retried) -> &'static str {
    match retried {
        Retried::NotWhole => "was too large to be kept whole; its sender has to send it again",
        Retried::BodyGone => "its body is no longer kept",
        Retried::BodyDamaged => "its body is not what was received; it has to be restored from a backup",
        Retried::NotThere | Retried::Read { .. } => "there is no such delivery",
    }
}

fn line(delivery: &DeliveryRecord) -> String {
    let dim = Style::new().dimmed();
    let about = delivery.order_id.as_deref().map_or_else(String::new, |order| format!("  order {}", harmless(order)));
    let what =
        delivery.event_type.as_deref().map_or_else(String::new, |event_type| format!("  {}", harmless(event_type)));
    let why = delivery.reason.as_deref().map_or_else(String::new, |reason| format!("  {}", harmless(reason)));
    let odd = match delivery.oddities.len() {
        0 => String::new(),
        odd => format!("  {odd} oddities"),
    };
    format!(
        "{}  {dim}{}{dim:#}  {:<11}  {}{about}{what}{why}{odd}",
        rfc3339(delivery.received_at),
        delivery.delivery_id,
        delivery.outcome.name(),
        harmless(&delivery.sender)
    )
}
