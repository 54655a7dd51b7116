//! Made-up orders on their way from created to completed, in the form BT Wholesale sends.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use crate::generate::{Dice, Ending, Journey, Share};

/// An endless supply of events: several orders under way at a time, each one event further in turn.
#[derive(Debug, Default)]
pub struct Journeys {
    under_way: VecDeque<Journey>,
    begun: u64,
}

/// Orders under way at a time.
const ORDERS: usize = 4;
/// Keeps their ids apart from those of other made-up feeds.
const SEED: u64 = 900;

impl Journeys {
    /// The next event's body, as of `now`.
    pub fn next_body(&mut self, now: DateTime<Utc>) -> Vec<u8> {
        loop {
            if self.under_way.len() < ORDERS {
                self.begun += 1;
                let mut dice = Dice::new(SEED, self.begun);
                let length = usize::try_from(dice.between(7, 16)).unwrap_or(7);
                let journey = Journey::new(SEED, self.begun, length, Ending::Ends, Share::NEVER, dice);
                self.under_way.push_front(journey);
            }
            let Some(mut journey) = self.under_way.pop_front() else { continue };
            if let Some(told) = journey.next(now, false) {
                if journey.left() > 0 {
                    self.under_way.push_back(journey);
                }
                return told.body;
            }
        }
    }
}
