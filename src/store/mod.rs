//! Everything that is SQL. One transaction holds all that one call of the intake brings.
//!
//! The statements run on plain PostgreSQL and, distributed by order key, on Citus: times are bound, locks
//! are taken a row at a time by an upsert, and no statement crosses orders but by equality.

mod batch;
mod deliveries;
mod error;
mod exchanges;
mod key;
mod migrate;
mod orders;
pub mod private_postgres;
mod project;
mod silence;
mod vocabulary;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

pub use batch::{Batch, LoadedOrder};
pub use deliveries::{DeliveryBody, DeliveryFilter};
pub use error::StoreError;
pub use exchanges::{Claim, Exchange, ExchangeAnswer, ExchangeState};
pub use key::OrderKey;
pub use orders::{OrderHit, OrderPage, OrderQuery, Sort};
pub use project::Projection;
pub use vocabulary::UnknownValue;

/// What every session has, whatever the server's own settings are: a commit that is answered is durable, and
/// a sender is told to come again rather than left waiting behind a lock.
const SESSION: [(&str, &str); 2] = [("synchronous_commit", "on"), ("lock_timeout", "5s")];

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
        let options = options.application_name("order-timeline").options(SESSION);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options);
        Self { pool }
    }

    /// The same database by connections that nobody else uses.
    pub fn with_own_connections(&self, connections: u32) -> Self {
        let options = self.pool.connect_options().as_ref().clone();
        Self::connect(options, connections)
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
