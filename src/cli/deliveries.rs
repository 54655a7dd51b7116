//! `deliveries`: what was received, whatever became of it.

use std::io::Write;

use anstyle::Style;
use anyhow::{Context, Result};
use uuid::Uuid;

use super::database::{Database, Purpose};
use super::terminal::{harmless, harmless_lines};
use crate::config::DatabaseConfig;
use crate::order::rfc3339;
use crate::record::{DeliveryRecord, OutcomeName};
use crate::store::{DeliveryFilter, Store};

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
    let body = store.body(id).await?;
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
