//! Numbers that take a while are taken once for all who look within a short time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::store::StoreError;

/// They are kept so long at least; what took long to take is kept longer.
const KEPT: Duration = Duration::from_secs(5);
const TIMES_ITS_COST: u32 = 20;

/// One value of a kind, for all workers.
#[derive(Debug)]
pub struct Cached<T> {
    kept: Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { kept: Mutex::default() }
    }
}

impl<T> Cached<T> {
    /// The value, taken now where there is none or it is too old. Others who ask meanwhile wait for the same.
    ///
    /// # Errors
    /// Those of `take`.
    pub async fn get(&self, take: impl Future<Output = Result<T, StoreError>>) -> Result<Arc<T>, StoreError> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        if let Some((until, value)) = kept.as_ref()
            && now < *until
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(take.await?);
        let cost = now.elapsed();
        *kept = Some((Instant::now() + KEPT.max(cost * TIMES_ITS_COST), Arc::clone(&value)));
        Ok(value)
    }
}
