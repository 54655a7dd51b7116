//! Everything that is SQL. One transaction holds all that one call of the intake brings.
//!
//! The statements run on plain PostgreSQL and, distributed by order key, on Citus: times are bound, locks
//! are taken a row at a time by an upsert, and no statement crosses orders but by equality.

mod access;
mod analysts;
mod analytics;
mod batch;
mod bodies;
mod census;
mod checksum;
mod copy;
mod deliveries;
mod desk;
mod entries;
mod error;
mod exchanges;
mod key;
mod migrate;
mod narrow;
mod numbers;
mod order_list;
mod orders;
pub mod private_postgres;
mod project;
mod queues;
mod reading;
mod rebuild;
mod rebuild_run;
mod replace;
mod sessions;
mod shadow;
mod silence;
mod spooled;
mod tables;
mod vocabulary;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::trial;

pub use access::{AccessRows, SecretRow, SenderRow, SigningKey};
pub use analysts::AnalystParty;
pub use analytics::{Cell, Column, ColumnKind, View};
pub use batch::{Batch, LoadedOrder};
pub use census::Census;
pub use deliveries::{DeliveryBody, DeliveryFilter};
pub use desk::{Suggestion, Version};
pub use error::StoreError;
pub use exchanges::{Claim, Exchange, ExchangeAnswer, ExchangeState};
pub use key::OrderKey;
pub use numbers::{FeedNumbers, Numbers};
pub use order_list::{Cursor, MOST_MATCHES, OrderHit, OrderPage, OrderQuery, Sort};
pub use project::Projection;
pub use queues::{AttentionCursor, AttentionRow, UnknownRow, VisitCursor, VisitRow};
pub use reading::Reading;
pub use rebuild::{DAMAGED, RebuildPage, Stored, Unread};
pub use rebuild_run::{Position, Run, Stage};
pub use sessions::{Session, SignIn};
pub use shadow::{Difference, Shadow, Tables};
pub use tables::PROJECTION_TABLES;
pub use vocabulary::UnknownValue;

/// What every session has, whatever the server's own settings are: a commit that is answered is durable, and
/// a sender is told to come again rather than left waiting behind a lock. None of what is asked here is so long that to
/// compile its plan would pay: it took most of the time of a page. Analysts have sessions of their own.
const SESSION: [(&str, &str); 3] = [("synchronous_commit", "on"), ("lock_timeout", "5s"), ("jit", "off")];

/// What the intake's sessions have besides. No statement takes longer than a sender would wait. Every one of them
/// looks rows up by key: a planner that takes a batch for a thousand rows, or a young table for a small one, would
/// read whole tables instead; that, and to compile such plans, took three quarters of a lone delivery's time.
const INTAKE_SESSION: [(&str, &str); 5] = [
    ("statement_timeout", "20s"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// A connection that was used so lately is taken to be alive.
const IDLE: Duration = Duration::from_secs(2);

/// Compresses bodies, and pages in the log, with LZ4 where the server was built with it and lets us:
/// PostgreSQL's own way takes several times as long, a good part of what a delivery costs.
async fn prefer_lz4(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Each by itself: the second takes a right that the first does not.
    let set = "do $$ begin
        begin set default_toast_compression = 'lz4'; exception when others then null; end;
        begin set wal_compression = 'lz4'; exception when others then null; end;
    end $$";
    connection.execute(set).await?;
    Ok(())
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    doubt: Doubt,
}

/// When a connection was found broken last: those that were not used since may be, too.
#[derive(Clone, Debug, Default)]
struct Doubt(Arc<Mutex<Option<Instant>>>);

impl Doubt {
    fn is_about(&self, idle_for: Duration) -> bool {
        let found = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.is_some_and(|found| found.elapsed() <= idle_for)
    }

    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl Store {
    /// Connects lazily: a database that is away is an error of the first use, not of the start.
    ///
    /// `connections` bounds the pool; more than a few only make transactions wait for each other in the
    /// database instead of here.
    pub fn connect(options: PgConnectOptions, connections: u32) -> Self {
        Self::doubting(options, connections, Doubt::default())
    }

    fn doubting(options: PgConnectOptions, connections: u32, doubt: Doubt) -> Self {
        let options = options.application_name("order-timeline").options(SESSION);
        let options = if trial::fault("asynchronous-commit") {
            options.options([("synchronous_commit", "off")])
        } else {
            options
        };
        let doubted = doubt.clone();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            // A question before every use would cost each delivery a round trip; one that lay idle is asked.
            .test_before_acquire(false)
            .before_acquire(move |connection, found| {
                let is_doubtful = found.idle_for > IDLE || doubted.is_about(found.idle_for);
                Box::pin(async move {
                    if is_doubtful {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| Box::pin(async move { prefer_lz4(connection).await }))
            .connect_lazy_with(options);
        Self { pool, doubt }
    }

    /// A connection was found broken: the others are asked before they are used next.
    pub fn doubt_connections(&self) {
        self.doubt.begin();
    }

    /// The same database by connections that nobody else uses, where no statement may take longer than a
    /// sender would wait.
    pub fn with_own_connections(&self, connections: u32) -> Self {
        let options = self.pool.connect_options().as_ref().clone();
        // Whoever finds the database gone finds it out for all.
        Self::doubting(options.options(INTAKE_SESSION), connections, self.doubt.clone())
    }

    /// The same database to ask whether it is there: by a connection that nobody else uses, so that the answer is of the
    /// database and not of how busy the service is, and without waiting for one that is away.
    pub fn to_watch(&self) -> Self {
        let pool = self.pool.options().clone().max_connections(1).acquire_timeout(Duration::from_secs(1));
        Self {
            pool: pool.connect_lazy_with(PgConnectOptions::clone(&self.pool.connect_options())),
            doubt: self.doubt.clone(),
        }
    }

    /// What of the server's settings could lose what was acknowledged, in words for the log. None of it can
    /// be seen from outside until the machine loses power.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where the server is older than PostgreSQL 15, and where it does not answer.
    pub async fn doubts(&self) -> Result<Vec<String>, StoreError> {
        let version: i32 = sqlx::query_scalar!(r#"select current_setting('server_version_num')::integer as "n!""#)
            .fetch_one(&self.pool)
            .await?;
        if version < 150_000 {
            let major = version / 10_000;
            return Err(StoreError::Schema(format!("the server is PostgreSQL {major}; 15 or newer is needed")));
        }
        let off = sqlx::query_scalar!(
            r#"select name as "name!" from pg_settings
               where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off' order by name"#
        );
        let off = off.fetch_all(&self.pool).await?.into_iter();
        // Each session asks for synchronous commits itself; a pooler in between may not pass that on.
        Ok(off.map(|name| format!("{name} is off: a power failure can lose acknowledged deliveries")).collect())
    }

    /// The same database for work that takes its time: a statement of seconds is nothing to be warned of.
    pub fn patient(&self) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        let options = options.disable_statement_logging();
        Self { pool: self.pool.options().clone().connect_lazy_with(options), doubt: self.doubt.clone() }
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
