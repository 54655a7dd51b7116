//! How far a rebuild has come.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use super::batch::FOLD_VERSION;
use super::{Store, StoreError};
use crate::order::Vocabulary;

/// The parts of a rebuild, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Deliveries that could not be placed are read again; those that can be placed now go to their orders.
    Quarantined,
    /// Every order is made anew.
    Orders,
    /// Projected rows that no delivery accounts for are taken away.
    Orphans,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Quarantined, Self::Orders, Self::Orphans];

    pub fn name(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Orders => "orders",
            Self::Orphans => "orphans",
        }
    }
}

/// Where a rebuild goes on: in this stage, after this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub stage: Stage,
    pub after: Uuid,
}

impl Position {
    pub const START: Self = Self { stage: Stage::Quarantined, after: Uuid::nil() };
}

/// A rebuild and what came of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: Uuid,
    pub started_at: DateTime<Utc>,
    pub position: Position,
    pub orders: i64,
    pub deliveries: i64,
    /// Deliveries that were quarantined and no longer are.
    pub healed: i64,
    /// Orders whose rows are other ones than before.
    pub changed: i64,
    /// Orders that could not be made anew and stay as they were.
    pub left_alone: i64,
}

impl Run {
    /// One that begins now.
    pub fn begin() -> Self {
        Self {
            id: Uuid::now_v7(),
            started_at: Utc::now().trunc_subsecs(6),
            position: Position::START,
            orders: 0,
            deliveries: 0,
            healed: 0,
            changed: 0,
            left_alone: 0,
        }
    }
}

/// Which program's work a run is, and with which vocabulary: another one may fold otherwise, and begins anew.
fn program(vocabulary: &Vocabulary) -> String {
    format!("{} fold {FOLD_VERSION} vocabulary {}", env!("CARGO_PKG_VERSION"), vocabulary.fingerprint())
}

impl Store {
    /// The run of this version of the program, with this vocabulary, that was begun last and did not come to its
    /// end.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn unfinished_run(&self, vocabulary: &Vocabulary) -> Result<Option<Run>, StoreError> {
        let row = sqlx::query!(
            "select rebuild_run_id, started_at, stage, after_key, orders, deliveries, healed, changed, left_alone
             from rebuild_run where program = $1 and finished_at is null
             order by rebuild_run_id desc limit 1",
            program(vocabulary)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Run {
            id: row.rebuild_run_id,
            started_at: row.started_at,
            position: Position {
                // The database admits no other name (rebuild_run_stage_known).
                stage: Stage::ALL.into_iter().find(|stage| stage.name() == row.stage).unwrap_or(Stage::Quarantined),
                after: row.after_key,
            },
            orders: row.orders,
            deliveries: row.deliveries,
            healed: row.healed,
            changed: row.changed,
            left_alone: row.left_alone,
        }))
    }

    /// Notes a run's beginning. Those that did not come to their end are forgotten: this one does their work.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn keep_new_run(&self, run: &Run, vocabulary: &Vocabulary) -> Result<(), StoreError> {
        sqlx::query!("delete from rebuild_run where finished_at is null").execute(&self.pool).await?;
        sqlx::query!(
            "insert into rebuild_run (rebuild_run_id, program, started_at, stage, after_key, orders, deliveries, healed,
                 changed, left_alone)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            run.id,
            program(vocabulary),
            run.started_at,
            run.position.stage.name(),
            run.position.after,
            run.orders,
            run.deliveries,
            run.healed,
            run.changed,
            run.left_alone
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes how far a run has come, and its end where it has come there.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn keep_run(&self, run: &Run, finished_at: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        sqlx::query!(
            "update rebuild_run set finished_at = $2, stage = $3, after_key = $4, orders = $5, deliveries = $6,
                 healed = $7, changed = $8, left_alone = $9
             where rebuild_run_id = $1",
            run.id,
            finished_at,
            run.position.stage.name(),
            run.position.after,
            run.orders,
            run.deliveries,
            run.healed,
            run.changed,
            run.left_alone
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
