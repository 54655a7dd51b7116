//! Group commit: deliveries that arrive together are taken in together.
//!
//! Each lane has one transaction under way at a time. What arrives meanwhile waits for its end and then
//! goes together, so batches grow with the load, and a lone delivery waits for nobody. An order always
//! takes the same lane, so two lanes never wait for each other's orders.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::error;

use super::troubled::{Troubled, take_each};
use super::{Delivery, Incoming, read};
use crate::record::Receipt;
use crate::store::{Store, StoreError};
use crate::vocabulary::Current;

/// One transaction can fold while the other waits for the disk; more only share the same disk.
const LANES: usize = 2;
/// So many deliveries go into one transaction at most.
const BATCH: usize = 256;
/// So many wait in a lane at most.
const WAITING: usize = 1024;
/// So many kilobytes of bodies are on their way at most, in all lanes.
const KILOBYTES: u32 = 256 * 1024;

/// The way in for deliveries that come one by one.
#[derive(Clone, Debug)]
pub struct Group {
    lanes: Arc<[mpsc::Sender<Job>]>,
    kilobytes: Arc<Semaphore>,
}

/// Why a delivery was not taken in. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("more deliveries are waiting than can be taken in")]
    Busy,
    /// A fault of the program.
    #[error("taking the delivery in failed")]
    Failed,
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The database is away, and so much waits for it that there is no room for more.
    #[error("the database is away and the spool is full")]
    SpoolFull,
    #[error("the database is away and the spool cannot be written")]
    SpoolFailed,
}

impl NotTaken {
    /// Whether it tells that the database takes nothing of anybody's.
    pub fn is_of_the_database(&self) -> bool {
        matches!(self, Self::Store(cause) if !cause.may_be_its_own())
    }

    /// All codes.
    pub const CODES: [&str; 5] = ["busy", "not-taken", "database-unavailable", "spool-full", "spool-unavailable"];

    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Failed => "not-taken",
            Self::Store(cause) if cause.may_be_its_own() => "not-taken",
            Self::Store(_) => "database-unavailable",
            Self::SpoolFull => "spool-full",
            Self::SpoolFailed => "spool-unavailable",
        }
    }
}

/// A delivery that waits in a lane.
#[derive(Debug)]
pub(super) struct Job {
    pub incoming: Incoming,
    pub reply: Reply,
}

/// Who waits for a delivery, and the room that it takes until they are answered.
#[derive(Debug)]
pub(super) struct Reply {
    reply: oneshot::Sender<Answer>,
    _room: OwnedSemaphorePermit,
}

impl Reply {
    pub fn send(self, answer: Answer) {
        // Who asked may have gone away meanwhile; the delivery is kept all the same.
        let _ = self.reply.send(answer);
    }
}

impl Group {
    /// Starts the lanes; they end with the last clone.
    ///
    /// They have a thread, and connections, of their own: whatever pages are being made elsewhere, what
    /// BT sends is taken in.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(store: &Store, vocabulary: &Current) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(LANES)
            .thread_name("intake")
            .enable_all()
            .build()?;
        let connections = u32::try_from(LANES).unwrap_or(1);
        let (mut lanes, mut ends) = (Vec::with_capacity(LANES), Vec::with_capacity(LANES));
        let store = {
            // A pool belongs to the runtime that it is made on.
            let _entered = runtime.enter();
            store.with_own_connections(connections)
        };
        for _ in 0..LANES {
            let (jobs, waiting) = mpsc::channel(WAITING);
            ends.push(runtime.spawn(run(waiting, store.clone(), vocabulary.clone())));
            lanes.push(jobs);
        }
        // The runtime may not be dropped where others run; its own thread waits for the lanes to end.
        std::thread::Builder::new().name("intake-end".to_owned()).spawn(move || {
            runtime.block_on(async {
                for end in ends {
                    // A lane that panicked has said so already.
                    let _ = end.await;
                }
                store.close().await;
            });
        })?;
        let kilobytes = Arc::new(Semaphore::new(usize::try_from(KILOBYTES).unwrap_or(usize::MAX)));
        Ok(Self { lanes: lanes.into(), kilobytes })
    }

    /// Takes a delivery in, together with those that arrive at the same time. When it returns, the
    /// delivery is durable and its order's timeline shows it.
    ///
    /// # Errors
    /// [`NotTaken`] where it could not be made durable; [`NotTaken::Busy`] at once where too many wait already.
    pub async fn take(&self, delivery: Delivery) -> Result<Receipt, NotTaken> {
        let room = Arc::clone(&self.kilobytes).try_acquire_many_owned(kilobytes(&delivery));
        let (jobs, job, receipt) = self.job(delivery, room.map_err(|_| NotTaken::Busy)?)?;
        jobs.try_send(job).map_err(|_| NotTaken::Busy)?;
        Queued(receipt).receipt().await
    }

    /// The same for who has time: where many wait already, it waits for room. When it returns, the delivery has its
    /// place in the lane, behind those that were queued before, and is not yet durable; the receipt tells that.
    ///
    /// # Errors
    /// [`NotTaken`] where no lane takes it.
    pub async fn queue(&self, delivery: Delivery) -> Result<Queued, NotTaken> {
        let room = Arc::clone(&self.kilobytes).acquire_many_owned(kilobytes(&delivery)).await;
        let (jobs, job, receipt) = self.job(delivery, room.map_err(|_| NotTaken::Failed)?)?;
        jobs.send(job).await.map_err(|_| NotTaken::Failed)?;
        Ok(Queued(receipt))
    }

    /// Reads a delivery; its order says which lane it takes.
    fn job(
        &self,
        delivery: Delivery,
        room: OwnedSemaphorePermit,
    ) -> Result<(&mpsc::Sender<Job>, Job, oneshot::Receiver<Answer>), NotTaken> {
        let incoming = read::incoming(delivery);
        let lane = usize::from(incoming.order_key.0.as_bytes()[0]) % self.lanes.len();
        let (reply, receipt) = oneshot::channel();
        let jobs = self.lanes.get(lane).ok_or(NotTaken::Failed)?;
        Ok((jobs, Job { incoming, reply: Reply { reply, _room: room } }, receipt))
    }
}

pub(super) type Answer = Result<Receipt, Arc<StoreError>>;

/// A delivery on its way.
#[derive(Debug)]
pub struct Queued(oneshot::Receiver<Answer>);

impl Queued {
    /// Waits until the delivery is durable.
    ///
    /// # Errors
    /// [`NotTaken`] where it could not be made durable.
    pub async fn receipt(self) -> Result<Receipt, NotTaken> {
        self.0.await.map_err(|_| NotTaken::Failed)?.map_err(NotTaken::Store)
    }
}

/// What a delivery takes of the room for bodies; the largest all of it.
fn kilobytes(delivery: &Delivery) -> u32 {
    u32::try_from(delivery.body.kept().len() / 1024).unwrap_or(KILOBYTES).saturating_add(1).min(KILOBYTES)
}

async fn run(mut waiting: mpsc::Receiver<Job>, store: Store, vocabulary: Current) {
    let (mut jobs, mut troubled) = (Vec::new(), Troubled::default());
    while waiting.recv_many(&mut jobs, BATCH).await > 0 {
        let (words, deliveries) = (vocabulary.now(), jobs.len());
        // A panic costs this batch its answers, not the lane its life.
        let taking = take_each(&store, &words, std::mem::take(&mut jobs), &mut troubled);
        if AssertUnwindSafe(taking).catch_unwind().await.is_err() {
            error!(deliveries, "taking a batch in panicked; it is not acknowledged");
        }
    }
}
