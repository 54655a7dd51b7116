//! Who watches which order, and the news for them.
//!
//! Every node asks the database twice a second which of the watched orders have changed: one small statement,
//! however many watch, and none where nobody does. It needs nothing of the intake, and works the same with
//! several nodes, poolers between, and orders distributed over many databases, where notifications do not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tracing::warn;

use crate::store::{OrderKey, Store};

/// So many watch at a time at most; each holds a connection.
pub const WATCHERS: usize = 256;
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// The watched orders of this node.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    watched: Mutex<HashMap<OrderKey, Watched>>,
    room: Arc<Semaphore>,
    wake: Notify,
    closing: watch::Sender<bool>,
}

#[derive(Debug)]
struct Watched {
    watchers: usize,
    version: watch::Sender<Option<i64>>,
}

/// A place among the watchers, given back when dropped.
#[derive(Debug)]
pub struct Watch {
    live: Live,
    key: OrderKey,
    version: watch::Receiver<Option<i64>>,
    closing: watch::Receiver<bool>,
    _room: OwnedSemaphorePermit,
}

/// What a watcher waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Something may have changed in the order.
    Changed,
    /// Nothing did for a while.
    Quiet,
    /// The service stops.
    Closing,
}

impl Live {
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            watched: Mutex::default(),
            room: Arc::new(Semaphore::new(WATCHERS)),
            wake: Notify::new(),
            closing: watch::Sender::new(false),
        }))
    }

    /// Watches an order from now on; `None` where too many watch already.
    pub fn watch(&self, key: OrderKey) -> Option<Watch> {
        let room = Arc::clone(&self.0.room).try_acquire_owned().ok()?;
        let mut watched = self.watched();
        let entry = watched.entry(key).or_insert_with(|| Watched { watchers: 0, version: watch::Sender::new(None) });
        entry.watchers += 1;
        let version = entry.version.subscribe();
        drop(watched);
        self.0.wake.notify_one();
        Some(Watch { live: self.clone(), key, version, closing: self.0.closing.subscribe(), _room: room })
    }

    /// Sends all watchers away: a stop waits for whatever is still being answered.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// Asks for news as long as anybody watches. Never ends.
    pub async fn ask(self, store: Store) {
        loop {
            let keys: Vec<OrderKey> = self.watched().keys().copied().collect();
            if keys.is_empty() {
                self.0.wake.notified().await;
                continue;
            }
            match store.versions(&keys).await {
                Ok(versions) => {
                    let watched = self.watched();
                    for version in versions {
                        if let Some(of_order) = watched.get(&version.key) {
                            let now = Some(version.claims);
                            of_order.version.send_if_modified(|known| std::mem::replace(known, now) != now);
                        }
                    }
                }
                Err(error) => warn!(%error, "what changed in the watched orders is not known now; it is asked again"),
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<OrderKey, Watched>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Waits for news, for `patience` at most. The first answer comes at once where the version is known.
    pub async fn news(&mut self, patience: Duration) -> News {
        if *self.closing.borrow() {
            return News::Closing;
        }
        tokio::select! {
            changed = self.version.changed() => if changed.is_ok() { News::Changed } else { News::Closing },
            _ = self.closing.changed() => News::Closing,
            () = tokio::time::sleep(patience) => News::Quiet,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.live.watched();
        if let Some(entry) = watched.get_mut(&self.key) {
            entry.watchers -= 1;
            if entry.watchers == 0 {
                watched.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let live = Live::new();
        let key = |number: usize| OrderKey::of_order("sender", &number.to_string());
        let mut watches: Vec<Watch> = (0..WATCHERS).filter_map(|number| live.watch(key(number % 3))).collect();
        assert_eq!(watches.len(), WATCHERS);
        assert!(live.watch(key(0)).is_none());
        assert_eq!(live.watched().len(), 3);
        watches.pop();
        assert!(live.watch(key(9)).is_some());
        watches.clear();
        assert!(live.watched().is_empty());
    }

    #[tokio::test]
    async fn a_stop_sends_watchers_away() {
        let live = Live::new();
        let mut watch = live.watch(OrderKey::of_order("sender", "1")).unwrap();
        live.close();
        assert_eq!(watch.news(Duration::from_secs(60)).await, News::Closing);
        let mut late = live.watch(OrderKey::of_order("sender", "1")).unwrap();
        assert_eq!(late.news(Duration::from_secs(60)).await, News::Closing);
    }
}
