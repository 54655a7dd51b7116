//! `analysts`: database roles that see the orders of certain parties only.

use std::io::Write;

use anyhow::{Context, Result, ensure};

use super::database::{Database, Purpose};
use super::terminal::harmless;
use crate::config::{AnalystsCommand, DatabaseConfig};
use crate::store::{Store, StoreError};

pub async fn run(database: &DatabaseConfig, command: AnalystsCommand) -> Result<()> {
    let purpose = if matches!(command, AnalystsCommand::List) { Purpose::Read } else { Purpose::Write };
    let database = Database::open(database, purpose).await?;
    let store = &database.store;
    let done = match command {
        AnalystsCommand::Add { role, party } => add(store, &role, &party).await,
        AnalystsCommand::List => list(store).await,
        AnalystsCommand::Remove { role } => remove(store, &role).await,
    };
    database.close().await?;
    let mut out = anstream::stdout();
    for line in done? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn add(store: &Store, role: &str, parties: &[String]) -> Result<Vec<String>> {
    let done = store.add_analyst(role, parties).await;
    if let Err(sees_all @ StoreError::SeesAll(_)) = done {
        return Err(sees_all.into());
    }
    done.context("the role could not be set up; the database's user has to be allowed to make roles and schemas")?;
    let told = format!(
        "The role {role} sees the orders of {} in the schema analytics_by_party, and nothing else. Let people have it with \
         “grant {role} to …”.",
        parties.join(", ")
    );
    let counts = store.orders_of_parties(parties).await?;
    let counts = counts.iter().map(|(party, orders)| match orders {
        0 => format!("  {party}: no orders yet; is it written as the orders write it?"),
        1 => format!("  {party}: 1 order"),
        orders => format!("  {party}: {orders} orders"),
    });
    Ok([told].into_iter().chain(counts).map(|line| harmless(&line)).collect())
}

async fn list(store: &Store) -> Result<Vec<String>> {
    let all = store.analysts().await?;
    let lines: Vec<String> = all.iter().map(|one| harmless(&format!("{:<32} {}", one.role_name, one.party))).collect();
    Ok(if lines.is_empty() { vec!["No role is bound to parties.".to_owned()] } else { lines })
}

async fn remove(store: &Store, role: &str) -> Result<Vec<String>> {
    ensure!(store.remove_analyst(role).await?, "the role {role} sees no party's orders; see `analysts list`");
    Ok(vec![format!("The role {role} sees nothing any more. It still exists: “drop role {role}” ends it.")])
}
