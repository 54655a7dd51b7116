//! What is known of the files: which deliveries wait where, and how much room they take.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::store::OrderKey;

/// A delivery that waits: where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub segment: u64,
    pub at: u64,
    pub length: u64,
    pub received_at: DateTime<Utc>,
}

impl Waiting {
    fn place(&self) -> (u64, u64) {
        (self.segment, self.at)
    }
}

/// Why a delivery was put behind the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its file could not be read now.
    Unreadable,
    /// The database did not take it, while it takes others.
    Untakeable(OrderKey),
}

/// How long what failed is left alone.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    time: Duration,
}

impl Rest {
    const FIRST: Duration = Duration::from_secs(1);
    /// To try an order costs the others the time of a lock that somebody holds; to open a file costs nothing.
    const LONGEST: Duration = Duration::from_secs(30);
    const LONGEST_OF_FILES: Duration = Duration::from_secs(4);

    /// Longer than the former one.
    fn after(former: Option<&Self>, longest: Duration) -> Self {
        let time = former.map_or(Self::FIRST, |former| longest.min(former.time * 2));
        Self { until: Instant::now() + time, time }
    }
}

#[derive(Debug, Default)]
pub struct State {
    /// In order of receipt, or nearly: in the order in which they were written.
    pub waiting: VecDeque<Waiting>,
    /// Those that are tried again later, so that the others need not wait for them, by their places.
    later: BTreeMap<(u64, u64), (Waiting, Trouble)>,
    /// What is left alone for how long: an order's deliveries together, a file's by themselves.
    resting: BTreeMap<OrderKey, Rest>,
    unread: BTreeMap<(u64, u64), Rest>,
    pub segments: BTreeMap<u64, Segment>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Segment {
    pub bytes: u64,
    /// It holds what could not be read or not be taken in: it is set aside, not removed.
    pub is_evidence: bool,
}

/// What became of the deliveries that were to be taken in together. Those that it does not name go on waiting.
#[derive(Debug, Default)]
pub struct Settled {
    /// The database has them, or they are lost.
    pub done: Vec<Waiting>,
    pub later: Vec<(Waiting, Trouble)>,
    /// The orders of which the database was asked to take something and did not.
    pub failed: BTreeSet<OrderKey>,
    /// Segments that hold some that are lost.
    pub evidence: BTreeSet<u64>,
}

impl State {
    pub fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    pub fn deliveries(&self) -> usize {
        self.waiting.len() + self.later.len()
    }

    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        let first = self.waiting.front().map(|waiting| waiting.received_at);
        self.later.values().map(|(waiting, _)| waiting.received_at).chain(first).min()
    }

    /// How many could not be read, and how many the database did not take, when that was tried last.
    pub fn troubled(&self) -> (usize, usize) {
        (self.unread.len(), self.later.len().saturating_sub(self.unread.len()))
    }

    fn is_due(&self, place: (u64, u64), trouble: Trouble, now: Instant) -> bool {
        let rest = match trouble {
            Trouble::Unreadable => self.unread.get(&place),
            Trouble::Untakeable(order) => self.resting.get(&order),
        };
        rest.is_none_or(|rest| rest.until <= now)
    }

    /// The deliveries to be taken in next, in order of receipt: those whose time to be tried again has come, else those
    /// that wait longest.
    pub fn next(&self, most: usize, most_bytes: u64) -> Vec<Waiting> {
        let (now, mut bytes) = (Instant::now(), 0);
        let due = self.later.iter().filter(|(place, (_, trouble))| self.is_due(**place, *trouble, now));
        let due: Vec<_> = due.map(|(_, (waiting, _))| *waiting).take(most).collect();
        let all: &mut dyn Iterator<Item = Waiting> =
            if due.is_empty() { &mut self.waiting.iter().copied() } else { &mut due.into_iter() };
        let fitting = all.take(most).take_while(|waiting| {
            let is_first = bytes == 0;
            bytes += waiting.length;
            is_first || bytes <= most_bytes
        });
        fitting.collect()
    }

    /// The orders that are left alone now.
    pub fn resting(&self) -> BTreeSet<OrderKey> {
        let now = Instant::now();
        self.resting.iter().filter(|(_, rest)| rest.until > now).map(|(order, _)| *order).collect()
    }

    pub fn settle(&mut self, settled: Settled) {
        let later_places = settled.later.iter().map(|(waiting, _)| waiting.place());
        let gone: BTreeSet<_> = settled.done.iter().map(Waiting::place).chain(later_places).collect();
        if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
            // Those that wait do so in the order of their places.
            let start = self.waiting.partition_point(|waiting| waiting.place() < *first);
            let end = self.waiting.partition_point(|waiting| waiting.place() <= *last);
            let among: Vec<_> = self.waiting.drain(start..end).collect();
            let stay = among.into_iter().filter(|waiting| !gone.contains(&waiting.place()));
            stay.enumerate().for_each(|(number, waiting)| self.waiting.insert(start + number, waiting));
        }
        self.later.retain(|place, _| !gone.contains(place));
        for (waiting, trouble) in settled.later {
            let place = waiting.place();
            self.later.insert(place, (waiting, trouble));
            if trouble == Trouble::Unreadable {
                self.unread.insert(place, Rest::after(self.unread.get(&place), Rest::LONGEST_OF_FILES));
            } else {
                self.unread.remove(&place);
            }
        }
        for order in settled.failed {
            self.resting.insert(order, Rest::after(self.resting.get(&order), Rest::LONGEST));
        }
        // Who has none left is well again.
        let later = &self.later;
        self.unread.retain(|place, _| later.contains_key(place));
        let orders: BTreeSet<_> = later
            .values()
            .filter_map(|(_, trouble)| match trouble {
                Trouble::Untakeable(order) => Some(*order),
                Trouble::Unreadable => None,
            })
            .collect();
        self.resting.retain(|order, _| orders.contains(order));
        for number in settled.evidence {
            if let Some(segment) = self.segments.get_mut(&number) {
                segment.is_evidence = true;
            }
        }
    }

    /// The segments of which nothing waits any more.
    pub fn done(&self) -> Vec<(u64, Segment)> {
        // But for what is tried again later, deliveries leave in the order of their segments.
        let first_needed = self.waiting.front().map_or(u64::MAX, |waiting| waiting.segment);
        let needed: BTreeSet<_> = self.later.keys().map(|(segment, _)| *segment).collect();
        let done = self.segments.range(..first_needed).filter(|(number, _)| !needed.contains(number));
        done.map(|(number, segment)| (*number, *segment)).collect()
    }
}
