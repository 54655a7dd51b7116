//! The way in for what is posted: into the database, or, where that is away, into the spool.
//!
//! What arrives while the spool drains goes into the database directly. By the one law the order in which
//! deliveries are taken in does not show, so nothing is gained by making them wait in line; and so a receipt says
//! again what became of the delivery, its timeline shows it at once, and the backlog can only shrink.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::{Delivery, Group, NotTaken, incoming, receipt_of_spooled};
use crate::metrics;
use crate::record::Receipt;
use crate::spool::{NotSpooled, Spool, start_draining};
use crate::store::Store;
use crate::trial;
use crate::vocabulary::Current;

/// The intake of a running service.
#[derive(Clone, Debug)]
pub struct Intake {
    group: Group,
    spool: Option<Arc<Spool>>,
    /// To ask whether the database is there.
    watched: Store,
    is_asking: Arc<AtomicBool>,
}

/// A database that is there says so within this.
const ANSWER: Duration = Duration::from_secs(2);

impl Intake {
    /// Starts the intake, and the spool's drain where there is a spool.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn open(store: &Store, vocabulary: &Current, spool: Option<Arc<Spool>>) -> std::io::Result<Self> {
        if let Some(spool) = &spool {
            start_draining(spool, store, vocabulary)?;
        }
        let group = Group::start(store, vocabulary)?;
        Ok(Self { group, spool, watched: store.to_watch(), is_asking: Arc::default() })
    }

    /// Takes a delivery in. When it returns, the delivery is durable: in the database, and then its order's
    /// timeline shows it, or, by a receipt that says `spooled`, on this machine's disk.
    ///
    /// # Errors
    /// [`NotTaken`] where it could not be made durable.
    #[tracing::instrument(name = "delivery", skip_all, fields(delivery_id = %delivery.id, sender = %delivery.sender))]
    pub async fn take(&self, delivery: Delivery) -> Result<Receipt, NotTaken> {
        trial::point("after-receipt");
        let taking = metrics::taking(&delivery);
        if trial::fault("ack-before-commit") {
            return Ok(self.acknowledge_too_early(delivery));
        }
        let taken = match &self.spool {
            None => self.group.take(delivery).await,
            Some(spool) if spool.is_away() => keep(spool, delivery).await,
            Some(spool) => self.take_or_keep(spool, delivery).await,
        };
        taking.end(&taken);
        if let Ok(receipt) = &taken {
            log(receipt);
        }
        taken
    }

    async fn take_or_keep(&self, spool: &Arc<Spool>, delivery: Delivery) -> Result<Receipt, NotTaken> {
        match timeout(spool.patience, self.group.take(delivery.clone())).await {
            Ok(Ok(receipt)) => return Ok(receipt),
            // More arrives than the database takes, which is no reason to give it less.
            Ok(Err(NotTaken::Busy)) => {}
            Ok(Err(cause)) => {
                if let NotTaken::Store(cause) = &cause {
                    warn!(delivery_id = %delivery.id, %cause, "the database did not take a delivery");
                }
                if cause.is_of_the_database() {
                    spool.database_is_away();
                }
            }
            // It may be taken all the same; the drain finds out.
            Err(_) => self.ask_for_the_database(spool),
        }
        keep(spool, delivery).await
    }

    /// What takes too long may wait for a lock on its order alone: only a database that does not answer is away. Who
    /// waits to be told that a delivery was kept does not wait for this.
    fn ask_for_the_database(&self, spool: &Arc<Spool>) {
        if self.is_asking.swap(true, Ordering::Relaxed) {
            return;
        }
        let (spool, watched, is_asking) = (Arc::clone(spool), self.watched.clone(), Arc::clone(&self.is_asking));
        tokio::spawn(async move {
            if !matches!(timeout(ANSWER, watched.check_writable()).await, Ok(Ok(()))) {
                spool.database_is_away();
            }
            is_asking.store(false, Ordering::Relaxed);
        });
    }

    /// What must never be done; the trials show that they would notice.
    fn acknowledge_too_early(&self, delivery: Delivery) -> Receipt {
        let receipt = receipt_of_spooled(&incoming(delivery.clone()));
        let group = self.group.clone();
        tokio::spawn(async move { group.take(delivery).await });
        receipt
    }
}

/// One line a delivery: at `info` where a person may have to look, else at `debug`.
fn log(receipt: &Receipt) {
    let Receipt { delivery_id, order_id, event_id, outcome, .. } = receipt;
    let (order_id, event_id) = (order_id.as_deref(), event_id.as_deref());
    let (reason, path) = (receipt.reason_code.as_deref(), receipt.reason_path.as_deref());
    let outcome = outcome.name();
    if ["quarantined", "conflict"].contains(&outcome) {
        info!(%delivery_id, order_id, event_id, outcome, reason, path, "a delivery was kept that somebody should look at");
    } else {
        debug!(%delivery_id, order_id, event_id, outcome, "a delivery was kept");
    }
}

async fn keep(spool: &Spool, delivery: Delivery) -> Result<Receipt, NotTaken> {
    let receipt = receipt_of_spooled(&incoming(delivery.clone()));
    match spool.append(delivery).await {
        Ok(()) => Ok(receipt),
        Err(NotSpooled::Full) => Err(NotTaken::SpoolFull),
        Err(NotSpooled::Failed) => Err(NotTaken::SpoolFailed),
    }
}
