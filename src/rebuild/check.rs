//! Whether the live rows are what making the orders anew gives.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;

use super::compared;
use super::orders::{Standing, Step, project_anew};
use super::walk::{Done, Pace, walk};
use crate::order::Vocabulary;
use crate::store::{DAMAGED, Difference, OrderKey, Position, Shadow, Stage, Store, StoreError};

/// What a check found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub orders: i64,
    pub deliveries: i64,
    pub differences: i64,
    /// Those of them that are bodies which are not what was received: no rebuild mends them.
    pub damaged: i64,
    /// Orders that cannot be made anew, so that nothing can be said of them.
    pub left_alone: i64,
}

/// Makes every order anew and compares it with the live rows; those that are not the same are made once more,
/// beside the live rows, to tell how they differ. Nothing in the database changes, nothing is locked, and intake
/// goes on: each few orders are compared as of one moment.
///
/// `found` is given the differences as they are found, `watch` how far it has come.
///
/// # Errors
/// Where the database is not available, or does not let the user make temporary tables.
pub async fn check(
    store: &Store,
    vocabulary: &Arc<Vocabulary>,
    pace: Pace,
    mut found: impl FnMut(Vec<Difference>) -> ControlFlow<()>,
    mut watch: impl FnMut(&Checked),
) -> Result<Checked, StoreError> {
    // At most as many are in use as transactions are under way at once.
    let shadows: Arc<Mutex<Vec<Shadow>>> = Arc::default();
    let mut checked = Checked::default();
    let work = |keys: BTreeSet<OrderKey>| {
        let (store, vocabulary, shadows) = (store.clone(), Arc::clone(vocabulary), Arc::clone(&shadows));
        async move {
            if keys.is_empty() {
                return Ok((0, Vec::new()));
            }
            let Standing { other, left_alone, mut damaged } = compared(&store, &vocabulary, &keys).await?;
            let left_alone = i64::try_from(left_alone.len()).unwrap_or(i64::MAX);
            if other.is_empty() {
                return Ok((left_alone, damaged));
            }
            let free = shadows.lock().await.pop();
            let mut shadow = match free {
                Some(shadow) => shadow,
                None => store.shadow().await?,
            };
            let told = differences(&mut shadow, &vocabulary, other).await;
            shadows.lock().await.push(shadow);
            told.map(|(unmade, differences)| {
                damaged.extend(differences);
                (left_alone + unmade, damaged)
            })
        }
    };
    // A body is looked at more than once where a delivery that was elsewhere belongs to its order.
    let mut bodies = HashSet::new();
    let walked = async |done: Done, (left_alone, mut differences): (i64, Vec<Difference>)| {
        differences.retain(|found| found.table != DAMAGED || bodies.insert(found.key.get("delivery_id").cloned()));
        if done.position.stage == Stage::Orders {
            checked.orders += done.orders;
            checked.deliveries += done.deliveries;
        }
        checked.left_alone += left_alone;
        checked.differences += i64::try_from(differences.len()).unwrap_or(i64::MAX);
        checked.damaged +=
            i64::try_from(differences.iter().filter(|found| found.table == DAMAGED).count()).unwrap_or(i64::MAX);
        let flow = found(differences);
        watch(&checked);
        Ok(flow)
    };
    let _ = walk(store, pace, Position::START, work, walked).await?;
    Ok(checked)
}

/// What is other in these orders, damaged bodies of theirs, and how many of them cannot be made anew.
async fn differences(
    shadow: &mut Shadow,
    vocabulary: &Vocabulary,
    mut keys: BTreeSet<OrderKey>,
) -> Result<(i64, Vec<Difference>), StoreError> {
    loop {
        let bare_keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let (mut batch, tables) = shadow.begin(&bare_keys).await?;
        let rebuilt = match project_anew(&mut batch, &keys, vocabulary).await? {
            Step::Done(rebuilt) => rebuilt,
            Step::Wider(wider) => {
                batch.rollback().await?;
                keys = wider;
                continue;
            }
        };
        let made: Vec<Uuid> = keys.difference(&rebuilt.left_alone).map(|key| key.0).collect();
        let mut differences = rebuilt.damaged;
        differences.extend(batch.differences(&tables, &made).await?);
        // The commit empties the copies; there is nothing else in it.
        batch.commit().await?;
        return Ok((i64::try_from(rebuilt.left_alone.len()).unwrap_or(i64::MAX), differences));
    }
}
