//! `migrate`: brings a database up to date.

use std::io::Write;

use anyhow::Result;

use super::database::{Database, Purpose};
use crate::config::DatabaseConfig;
use crate::store::Store;

pub async fn run(config: &DatabaseConfig) -> Result<()> {
    let mut out = anstream::stdout();
    let Some(url) = &config.database_url else {
        Database::open(config, Purpose::Write).await?.close().await?;
        writeln!(out, "The private database under {} is up to date.", config.data_dir().display())?;
        return Ok(());
    };
    let store = Store::connect(url.options(), 2);
    let applied = store.migrate().await?;
    writeln!(out, "The database is up to date; {applied} migrations were applied.")?;
    store.close().await;
    Ok(())
}
