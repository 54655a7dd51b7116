//! What the service counts and times, for Prometheus. The figures are the process's, as Prometheus expects, so they
//! are in one place that every room can reach; nothing reads them but whoever asks for `/metrics`.
//!
//! No label holds what a stranger could choose: senders are those that are configured.

use std::fmt;
use std::sync::LazyLock;
use std::time::Instant;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::access::{self, Door};
use crate::intake::{Delivery, Incoming, NotTaken};
use crate::record::{OutcomeName, Receipt};
use crate::spool::SpoolStatus;
use crate::store::Census;

type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sender {
    sender: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    sender: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    door: &'static str,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Disk {
    holds: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

/// All that is counted.
pub struct Metrics {
    registry: Registry,
    received: Family<Sender, Counter>,
    answered: Family<Answered, Counter>,
    refused: Family<Refusal, Counter>,
    last_delivery: Family<Sender, Seconds>,
    set_up: Family<Sender, Seconds>,
    taking: Histogram,
    shown_after: Histogram,
    feed_lag: Histograms<Sender>,
    stages: Histograms<Stage>,
    batch: Histogram,
    disk_free: Family<Disk, Gauge>,
    census: CensusMetrics,
    database_up: Gauge,
    pub spool: SpoolMetrics,
}

/// What the spool counts.
#[derive(Clone, Debug, Default)]
pub struct SpoolMetrics {
    pub appended: Counter,
    pub drained: Counter,
    pub refused: Counter,
    pub damaged_bytes: Counter,
    deliveries: Gauge,
    troubled: Gauge,
    bytes: Gauge,
    max_bytes: Gauge,
    oldest: Seconds,
    away: Gauge,
}

#[derive(Clone, Debug, Default)]
struct CensusMetrics {
    quarantined: Gauge,
    unknown_values: Gauge,
    taken_at: Seconds,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The process's figures.
pub fn get() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &METRICS
}

/// From half a millisecond to about a minute.
fn short() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 17))
}

/// From a tenth of a second to about a week.
fn long() -> Histogram {
    Histogram::new(exponential_buckets(0.1, 4.0, 12))
}

impl Metrics {
    fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("order_timeline"),
            received: Family::default(),
            answered: Family::default(),
            refused: Family::default(),
            last_delivery: Family::default(),
            set_up: Family::default(),
            taking: short(),
            shown_after: short(),
            feed_lag: Family::new_with_constructor(long),
            stages: Family::new_with_constructor(short),
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            disk_free: Family::default(),
            census: CensusMetrics::default(),
            database_up: Gauge::default(),
            spool: SpoolMetrics::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("received", "Bodies received whole", self.received.clone());
        r.register("answered", "Deliveries by what their sender was told became of them", self.answered.clone());
        r.register(
            "refused",
            "Requests that a door was closed to, and deliveries not kept, by why",
            self.refused.clone(),
        );
        // From the start on, else the first refusal of a kind would be no growth that a rule could see.
        for door in [Door::Listener, Door::Token] {
            let codes = access::Reason::ALL.map(access::Reason::code).into_iter().chain(NotTaken::CODES);
            for reason in codes {
                drop(self.refused.get_or_create(&Refusal { door: door.name(), reason: reason.to_owned() }));
            }
        }
        let nowhere = Refusal { door: Door::Nowhere.name(), reason: access::Reason::NoRoute.code().to_owned() };
        drop(self.refused.get_or_create(&nowhere));
        let help = "When a sender's last delivery that was not quarantined was received, seconds since 1970";
        r.register("last_delivery_timestamp_seconds", help, self.last_delivery.clone());
        let help = "When a sender that is let in was set up, or last set up otherwise, seconds since 1970";
        r.register("sender_set_up_timestamp_seconds", help, self.set_up.clone());
        let help = "From the receipt of a whole body to its answer";
        r.register_with_unit("answer", help, Unit::Seconds, self.taking.clone());
        let help = "From the receipt of a body until its order's timeline shows it; the spool's wait counts";
        r.register_with_unit("lag", help, Unit::Seconds, self.shown_after.clone());
        let help = "From an event's own time to its receipt: how late the feed is";
        r.register_with_unit("feed_lag", help, Unit::Seconds, self.feed_lag.clone());
        r.register_with_unit("stage", "The stages of a transaction", Unit::Seconds, self.stages.clone());
        r.register("batch_deliveries", "Deliveries in a transaction", self.batch.clone());
        let help = "Room on the disks of this machine that the service needs";
        r.register("disk_free_bytes", help, self.disk_free.clone());
        let help = "1 while the database answers and takes writes; asked every few seconds";
        r.register("database_up", help, self.database_up.clone());
        r.register("quarantined_deliveries", "Deliveries in quarantine", self.census.quarantined.clone());
        let help = "Values of the feed that the vocabulary does not know";
        r.register("unknown_values", help, self.census.unknown_values.clone());
        let help = "When the database was last asked for the two above, seconds since 1970";
        r.register("census_timestamp_seconds", help, self.census.taken_at.clone());
        let spool = r.sub_registry_with_prefix("spool");
        spool.register("appended", "Deliveries that went into the spool", self.spool.appended.clone());
        spool.register("drained", "Deliveries that went from it into the database", self.spool.drained.clone());
        spool.register("refused", "Deliveries that it could not take", self.spool.refused.clone());
        let help = "Bytes of it that cannot be read or taken in; the files are kept as *.damaged";
        spool.register("damaged_bytes", help, self.spool.damaged_bytes.clone());
        spool.register("deliveries", "Deliveries that wait in it", self.spool.deliveries.clone());
        let help = "Deliveries in it that could not be read or taken in while others could; they are tried again";
        spool.register("troubled_deliveries", help, self.spool.troubled.clone());
        spool.register("bytes", "Room that it takes on the disk", self.spool.bytes.clone());
        spool.register("max_bytes", "Room that it may take", self.spool.max_bytes.clone());
        let help = "Age of the delivery that waits longest, 0 where none does";
        spool.register("oldest_age_seconds", help, self.spool.oldest.clone());
        let help = "1 while the database is taken to be away and all deliveries go into the spool";
        spool.register("database_away", help, self.spool.away.clone());
    }

    /// The figures in the text format that Prometheus reads.
    pub fn text(&self, spool: Option<&SpoolStatus>) -> String {
        if let Some(status) = spool {
            self.spool.show(status);
        }
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// How much room a disk has; `holds` is what lies on it.
    pub fn disk(&self, holds: &'static str, free_bytes: u64) {
        self.disk_free.get_or_create(&Disk { holds }).set(i64::try_from(free_bytes).unwrap_or(i64::MAX));
    }

    /// Whether the database answers and takes writes.
    pub fn database(&self, is_up: bool) {
        self.database_up.set(i64::from(is_up));
    }

    /// What was counted in the database.
    pub fn counted(&self, census: &Census) {
        self.census.quarantined.set(census.quarantined);
        self.census.unknown_values.set(census.unknown_values);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit for a long time")]
        self.census.taken_at.set(Utc::now().timestamp() as f64);
        for (sender, at) in &census.last_deliveries {
            self.heard_of(sender, *at);
        }
        for (sender, at) in &census.set_up {
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit for a long time")]
            self.set_up.get_or_create(&Sender { sender: sender.clone() }).set(at.timestamp() as f64);
        }
        for sender in &census.disabled {
            let sender = Sender { sender: sender.clone() };
            self.last_delivery.remove(&sender);
            self.set_up.remove(&sender);
        }
    }

    /// A delivery of a sender's was kept that came then.
    fn heard_of(&self, sender: &str, at: DateTime<Utc>) {
        let seconds = self.last_delivery.get_or_create(&Sender { sender: sender.to_owned() });
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for a long time")]
        let at = at.timestamp_millis() as f64 / 1000.0;
        seconds.set(at.max(seconds.get()));
    }
}

impl SpoolMetrics {
    fn show(&self, status: &SpoolStatus) {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.deliveries.set(i64::try_from(status.deliveries).unwrap_or(i64::MAX));
        self.troubled.set(i64::try_from(status.unreadable + status.untakeable).unwrap_or(i64::MAX));
        self.bytes.set(whole(status.bytes));
        self.max_bytes.set(whole(status.max_bytes));
        self.away.set(i64::from(status.is_away));
        let age = status.oldest.and_then(|oldest| (Utc::now() - oldest).to_std().ok());
        self.oldest.set(age.map_or(0.0, |age| age.as_secs_f64()));
    }
}

/// A request did not pass a door, or a delivery was not kept: `wrong-credentials` or `busy`, for instance. The reasons
/// are fixed words.
pub fn refused(door: Door, reason: &str) {
    get().refused.get_or_create(&Refusal { door: door.name(), reason: reason.to_owned() }).inc();
}

/// A delivery is being taken in.
#[derive(Debug)]
pub struct Taking {
    began: Instant,
    sender: String,
    received_at: DateTime<Utc>,
}

/// A body was received whole.
pub fn taking(delivery: &Delivery) -> Taking {
    let labels = Sender { sender: delivery.sender.clone() };
    get().received.get_or_create(&labels).inc();
    Taking { began: Instant::now(), sender: labels.sender, received_at: delivery.received_at }
}

impl Taking {
    pub fn end(self, taken: &Result<Receipt, NotTaken>) {
        get().taking.observe(self.began.elapsed().as_secs_f64());
        match taken {
            Ok(receipt) => {
                // Only what is kept and says something: a sender whose every delivery fails is as good as silent.
                if receipt.outcome != OutcomeName::Quarantined {
                    get().heard_of(&self.sender, self.received_at);
                }
                let labels = Answered { sender: self.sender, outcome: receipt.outcome.name() };
                get().answered.get_or_create(&labels).inc();
            }
            Err(not_taken) => refused(Door::Listener, not_taken.code()),
        }
    }
}

/// The stages of one transaction, one after the other.
#[derive(Debug)]
pub struct Stages {
    last: Instant,
}

impl Stages {
    pub fn begin(deliveries: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        get().batch.observe(deliveries as f64);
        Self { last: Instant::now() }
    }

    /// The stage of this name has ended.
    pub fn end(&mut self, stage: &'static str) {
        let now = Instant::now();
        get().stages.get_or_create(&Stage { stage }).observe((now - self.last).as_secs_f64());
        self.last = now;
    }
}

/// The transaction of these has been committed.
pub fn committed(incoming: &[Incoming]) {
    let now = Utc::now();
    for one in incoming {
        let received_at = one.delivery.received_at;
        get().shown_after.observe((now - received_at).to_std().unwrap_or_default().as_secs_f64());
        let statement = one.sense.statement();
        let event_time = statement.and_then(|statement| statement.event.event_time.as_ref()?.at());
        if let Some(event_time) = event_time {
            let lag = (received_at - event_time).to_std().unwrap_or_default();
            let sender = Sender { sender: one.delivery.sender.clone() };
            get().feed_lag.get_or_create(&sender).observe(lag.as_secs_f64());
        }
    }
}
