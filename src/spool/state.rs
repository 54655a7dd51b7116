//! What is known of the files: which deliveries wait where, and how much room they take.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};

/// A delivery that waits: where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub segment: u64,
    pub at: u64,
    pub length: u64,
    pub received_at: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub struct State {
    /// In order of receipt, or nearly: in the order in which they were written.
    pub waiting: VecDeque<Waiting>,
    pub segments: BTreeMap<u64, Segment>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Segment {
    pub bytes: u64,
    /// It holds what could not be read or not be taken in: it is set aside, not removed.
    pub is_evidence: bool,
}

impl State {
    pub fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    /// The segments of which nothing waits any more.
    pub fn done(&self) -> Vec<(u64, Segment)> {
        // Deliveries leave in the order of their segments.
        let first_needed = self.waiting.front().map_or(u64::MAX, |waiting| waiting.segment);
        self.segments.range(..first_needed).map(|(number, segment)| (*number, *segment)).collect()
    }

    pub fn mark_evidence(&mut self, number: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.is_evidence = true;
        }
    }
}
