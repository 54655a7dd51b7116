//! Everything that is SQL. One transaction holds all that one call of the intake brings.
//!
//! The statements run on plain PostgreSQL and, distributed by order key, on Citus: times are bound, locks
//! are taken a row at a time by an upsert, and no statement crosses orders but by equality.

mod analytics;
mod batch;
mod checksum;
mod deliveries;
mod error;
mod key;
mod migrate;
mod orders;
pub mod private_postgres;
mod project;
mod reading;
mod rebuild;
mod rebuild_run;
mod shadow;

use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

pub use analytics::{Cell, Column, ColumnKind, View};
pub use batch::{Batch, LoadedOrder};
pub use deliveries::{DeliveryBody, DeliveryFilter};
pub use error::StoreError;
pub use key::OrderKey;
pub use orders::{OrderHit, OrderPage, OrderQuery, Sort};
pub use project::{PROJECTION_TABLES, Projection};
pub use reading::Reading;
pub use rebuild::{RebuildPage, Stored};
pub use rebuild_run::{Position, Run, Stage};
pub use shadow::{Difference, Shadow, Tables};

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Connects lazily: a database that is away is an error of the first use, not of the start.
    ///
    /// `connections` bounds the pool; more than a few only make transactions wait for each other in the
    /// database instead of here.
    pub fn connect(options: PgConnectOptions, connections: u32) -> Self {
        let options = options.application_name("order-timeline");
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options);
        Self { pool }
    }

    /// The same database for work that takes its time: a statement of seconds is nothing to be warned of.
    pub fn patient(&self) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        let options = options.disable_statement_logging();
        Self { pool: self.pool.options().clone().connect_lazy_with(options) }
    }

    /// Whether the database answers now.
    ///
    /// # Errors
    /// Where it does not, and why.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(&self.pool).await?;
        Ok(())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}
