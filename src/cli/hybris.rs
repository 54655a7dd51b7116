//! `hybris`: what went on with the billing systems.

use std::io::Write;

use anyhow::Result;

use super::database::{Database, Purpose};
use crate::config::DatabaseConfig;
use crate::order::rfc3339;

pub async fn unsettled(database: &DatabaseConfig, limit: u16) -> Result<()> {
    let database = Database::open(database, Purpose::Read).await?;
    let exchanges = database.store.unsettled_exchanges(limit).await;
    database.close().await?;
    let (exchanges, mut out) = (exchanges?, anstream::stdout());
    for exchange in &exchanges {
        writeln!(
            out,
            "{}  {}  {:<8}  {}  correlationId {}  request {}",
            rfc3339(exchange.received_at),
            exchange.sender,
            exchange.state.name(),
            exchange.order_id,
            exchange.correlation_id,
            exchange.request_delivery_id
        )?;
    }
    if exchanges.is_empty() {
        writeln!(out, "Nothing is unsettled.")?;
    }
    Ok(())
}
