//! Makes orders anew from their deliveries, read again by the present reader.
//!
//! An order's projection follows from its own deliveries alone, so orders are made anew a few at a time,
//! each few in one transaction under their claims: readers see an order as it was until it is as it is to
//! be, intake goes on, and nothing is kept twice. Most orders turn out to be what they were; that is found out
//! first, without claims, and only the others are written. [`check()`] tells how those others differ instead.

mod check;
mod orders;
mod retry;
mod walk;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{SubsecRound, Utc};
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use self::orders::{Standing, Step, project_anew, standing, tell_left_alone};
use crate::order::Vocabulary;
use crate::store::{OrderKey, Position, Run, Stage, Store, StoreError};

pub use check::{Checked, check};
pub use retry::{Retried, retry};
pub use walk::Pace;

/// Where a rebuild begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Where the last one of this version of the program was interrupted, if it was.
    WhereInterrupted,
    AtTheStart,
}

/// How a rebuild ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Complete(Run),
    /// As `watch` asked; the next one can go on from there.
    Interrupted(Run),
}

/// What came of making orders anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Deliveries that were quarantined and no longer are.
    pub healed: i64,
    /// Orders whose rows are other ones than before.
    pub changed: i64,
    /// Orders that stay as they were: bodies of theirs are no longer kept or damaged, or the database refuses them.
    pub left_alone: i64,
}

/// How far a run has come is noted so often at most.
const NOTED_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Makes every order anew. `watch` is shown how far it has come, and may end it.
///
/// # Errors
/// Where the database is not available. What was done until then stays, and the next run goes on from there.
pub async fn rebuild(
    store: &Store,
    vocabulary: &Arc<Vocabulary>,
    pace: Pace,
    begin: Begin,
    mut watch: impl FnMut(&Run) -> ControlFlow<()>,
) -> Result<Ended, StoreError> {
    let interrupted = if begin == Begin::WhereInterrupted { store.unfinished_run(vocabulary).await? } else { None };
    let mut run = match interrupted {
        Some(run) => run,
        None => {
            let run = Run::begin();
            store.keep_new_run(&run, vocabulary).await?;
            run
        }
    };
    let mut noted = Instant::now();
    let work = |keys| {
        let (store, vocabulary) = (store.clone(), Arc::clone(vocabulary));
        async move { orders(&store, &vocabulary, keys).await }
    };
    let walked = walk::walk(store, pace, run.position, work, async |done, rebuilt: Rebuilt| {
        run.position = done.position;
        if done.position.stage == Stage::Orders {
            run.orders += done.orders;
            run.deliveries += done.deliveries;
        }
        run.healed += rebuilt.healed;
        run.changed += rebuilt.changed;
        run.left_alone += rebuilt.left_alone;
        let flow = watch(&run);
        if flow.is_break() || noted.elapsed() >= NOTED_EVERY {
            store.keep_run(&run, None).await?;
            noted = Instant::now();
        }
        Ok(flow)
    });
    match walked.await? {
        ControlFlow::Break(()) => Ok(Ended::Interrupted(run)),
        ControlFlow::Continue(()) => {
            run.position = Position { stage: Stage::Orphans, after: Uuid::max() };
            store.keep_run(&run, Some(Utc::now().trunc_subsecs(6))).await?;
            Ok(Ended::Complete(run))
        }
    }
}

/// Makes some orders anew, in one transaction under their claims.
///
/// A delivery that turns out to be about another order moves there, and that order is made anew with them.
///
/// # Errors
/// Where the database is not available; then nothing has changed.
pub async fn orders(
    store: &Store,
    vocabulary: &Vocabulary,
    mut keys: BTreeSet<OrderKey>,
) -> Result<Rebuilt, StoreError> {
    const TRIES: u32 = 5;
    let mut tries = 0;
    loop {
        match once(store, vocabulary, &keys).await {
            Ok(Ok(rebuilt)) => return Ok(rebuilt),
            Ok(Err(Wider(wider))) => keys = wider,
            Err(StoreError::Transient(cause)) if tries < TRIES => {
                warn!(%cause, "the transaction will be tried again");
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn once(
    store: &Store,
    vocabulary: &Vocabulary,
    keys: &BTreeSet<OrderKey>,
) -> Result<Result<Rebuilt, Wider>, StoreError> {
    if keys.is_empty() {
        return Ok(Ok(Rebuilt::default()));
    }
    let Standing { other, left_alone, .. } = compared(store, vocabulary, keys).await?;
    let left_alone = i64::try_from(left_alone.len()).unwrap_or(i64::MAX);
    if other.is_empty() {
        return Ok(Ok(Rebuilt { left_alone, ..Rebuilt::default() }));
    }
    let bare_keys: Vec<Uuid> = other.iter().map(|key| key.0).collect();
    let mut batch = store.begin().await?;
    batch.plan_simply().await?;
    batch.claim(&bare_keys).await?;
    let made = match project_anew(&mut batch, &other, vocabulary).await? {
        Step::Done(made) => made,
        Step::Wider(wider) => {
            batch.rollback().await?;
            return Ok(Err(Wider(&wider | keys)));
        }
    };
    batch.commit().await?;
    Ok(Ok(Rebuilt {
        healed: made.healed,
        changed: i64::try_from(made.changed.len()).unwrap_or(i64::MAX),
        left_alone: left_alone + i64::try_from(made.left_alone.len()).unwrap_or(i64::MAX),
    }))
}

/// How these orders stand, all as of one moment; the log is told of those that nothing can be said of. Nothing is
/// locked.
async fn compared(store: &Store, vocabulary: &Vocabulary, keys: &BTreeSet<OrderKey>) -> Result<Standing, StoreError> {
    let mut batch = store.begin_reading().await?;
    let standing = standing(&mut batch, keys, vocabulary).await?;
    batch.rollback().await?;
    tell_left_alone(&standing.left_alone);
    Ok(standing)
}

/// These orders have to be made anew together instead.
struct Wider(BTreeSet<OrderKey>);
