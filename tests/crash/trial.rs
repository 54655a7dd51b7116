//! A trial: PostgreSQL, the service and senders; somebody is killed; all goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::ledger::Ledger;
use crate::postgres::Postgres;
use crate::random::Random;
use crate::sender::{Load, get, send_on};
use crate::service::Service;
use crate::verdict;

const SENDERS: usize = 8;
/// Where the service may be when somebody dies.
const POINTS: [&str; 5] = ["after-receipt", "mid-batch", "after-insert", "before-commit", "after-commit"];
/// And with a spool.
const SPOOL_POINTS: [&str; 4] = ["spool-before-sync", "spool-after-sync", "drain-after-commit", "after-receipt"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Service,
    Postgres,
    Both,
}

/// What is different from the ordinary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    /// What the service does wrong.
    pub faults: &'static str,
    pub postgres: &'static [(&'static str, &'static str)],
    /// Who is killed, where it is not to be left to chance.
    pub victim: Option<Victim>,
}

pub struct Trial {
    setup: Setup,
    seed: u64,
    random: Random,
    pub postgres: Postgres,
    pub load: Arc<Load>,
    place: watch::Sender<Option<SocketAddr>>,
    directory: TempDir,
    points: usize,
    at_named_points: usize,
    victims: [usize; 3],
    began: Instant,
}

impl Trial {
    pub async fn begin(setup: Setup, seed: u64) -> Self {
        let postgres = Postgres::start(setup.postgres).await;
        let (place, address) = watch::channel(None);
        let load = Arc::new(Load { ledger: Ledger::default(), address, next: AtomicU64::new(0) });
        let directory = tempfile::tempdir().unwrap();
        let random = Random::new(seed);
        Self {
            setup,
            seed,
            random,
            postgres,
            load,
            place,
            directory,
            points: 0,
            at_named_points: 0,
            victims: [0; 3],
            began: Instant::now(),
        }
    }

    /// Kills so often under load, then waits until all is well and the senders are quiet.
    pub async fn round(&mut self, points: usize, has_spool: bool) {
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            senders.spawn(send_on(Arc::clone(&self.load)));
        }
        let mut service = self.start_service(has_spool).await;
        for _ in 0..points {
            service = self.point(service, has_spool).await;
            self.points += 1;
        }
        senders.shutdown().await;
        self.wait_until_well(&service).await;
        service.kill();
        self.place.send_replace(None);
    }

    async fn start_service(&self, has_spool: bool) -> Service {
        let spool = self.directory.path().join("spool");
        let log = self.directory.path().join("service.log");
        let url = self.postgres.url();
        let starting = Service::start(&url, has_spool.then_some(spool.as_path()), self.setup.faults, &log);
        let service = timeout(Duration::from_secs(60), starting).await.expect("the service does not start");
        self.place.send_replace(Some(service.address));
        service
    }

    /// One crash point.
    async fn point(&mut self, mut service: Service, has_spool: bool) -> Service {
        let victims = [Victim::Service, Victim::Postgres, Victim::Both];
        let victim = self.setup.victim.unwrap_or(*self.random.one_of(&victims));
        self.victims[victim as usize] += 1;
        assert!(!service.has_ended(), "the service ended by itself (CRASH_SEED={}): {}", self.seed, self.log_tail());
        let is_named = self.random.below(2) == 0;
        if is_named {
            self.wait_at_a_point(&mut service, victim, has_spool).await;
        } else {
            tokio::time::sleep(Duration::from_millis(5 + self.random.below(70))).await;
        }
        if victim != Victim::Service {
            self.postgres.kill();
        }
        if victim != Victim::Postgres {
            service.kill();
            self.place.send_replace(None);
        }
        if victim != Victim::Service {
            // For a while there is none, and the service, if it lives, has to do without.
            let pause = self.random.below(30);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.postgres.launch();
            self.postgres.wait_until_ready().await;
        }
        if victim != Victim::Postgres {
            service = self.start_service(has_spool).await;
        }
        self.wait_for_progress().await;
        service
    }

    /// Waits until the service comes by a point, where it dies, or holds still for PostgreSQL to die.
    async fn wait_at_a_point(&mut self, service: &mut Service, victim: Victim, has_spool: bool) {
        let in_spool = has_spool && self.random.below(3) == 0;
        let name = *self.random.one_of(if in_spool { SPOOL_POINTS.as_slice() } else { POINTS.as_slice() });
        let kind = if victim == Victim::Service { "die" } else { "hold" };
        service.arm(&format!("{kind}:{name}:{}", 1 + self.random.below(6)));
        if in_spool {
            // The spool is used while PostgreSQL is away.
            self.postgres.kill();
            tokio::time::sleep(Duration::from_millis(self.random.below(30))).await;
            self.postgres.launch();
            self.postgres.wait_until_ready().await;
        }
        let reached = timeout(Duration::from_secs(3), service.held.recv()).await;
        self.at_named_points += usize::from(reached.is_ok());
        service.arm("");
    }

    /// Waits until somebody is told that something is kept: the service has recovered.
    async fn wait_for_progress(&self) {
        let acknowledged = || self.load.ledger.look(|entries| entries.acknowledged.len());
        let before = acknowledged();
        let progress = async {
            while acknowledged() < before + 3 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let recovered = timeout(Duration::from_secs(60), progress).await;
        assert!(recovered.is_ok(), "the service does not recover (CRASH_SEED={}): {}", self.seed, self.log_tail());
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.directory.path().join("service.log")).unwrap_or_default();
        log.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }

    /// Waits until nothing is left in the spool.
    async fn wait_until_well(&self, service: &Service) {
        let well = async {
            loop {
                let ready = get(service.address, "/health/ready").await;
                if ready.is_some_and(|answer| answer.contains("\"ready\"")) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let seed = self.seed;
        let drained = timeout(Duration::from_secs(120), well).await;
        assert!(drained.is_ok(), "the spool is not drained (CRASH_SEED={seed})");
        // Batches that nobody waits for any more may still be under way.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    pub async fn verdict(&self) -> Vec<String> {
        verdict::violations(&self.postgres.options(), &self.load.ledger).await
    }

    pub fn summary(&self) -> String {
        let [service, postgres, both] = self.victims;
        self.load.ledger.look(|entries| {
            format!(
                "{} crash points in {:.0} s ({service} of the service, {postgres} of PostgreSQL, {both} of both; {} at \
                 named points): {} events sent {} times, {} acknowledged, {} of them spooled; {} answers lost, {} refused; \
                 none lost, none altered, none counted twice",
                self.points,
                self.began.elapsed().as_secs_f64(),
                self.at_named_points,
                entries.attempts.len(),
                entries.attempts.values().sum::<u64>(),
                entries.acknowledged.len(),
                entries.acknowledged.iter().filter(|one| one.outcome == "spooled").count(),
                entries.indeterminate,
                entries.refused,
            )
        })
    }

    pub async fn end(mut self) {
        self.postgres.kill();
    }
}
