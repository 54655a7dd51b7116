//! Many orders' journeys, woven into one feed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::dice::{Dice, Share};
use super::journey::{Ending, Journey, Told};

/// What a feed is made of. Equal settings make equal feeds, byte for byte, on any machine.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub orders: u64,
    /// On average; an order has from half to one and a half times as many.
    pub events_per_order: u64,
    pub seed: u64,
    /// Events that are delivered a second time.
    pub duplicates: Share,
    /// Events that are delivered after later ones of the same order.
    pub late: Share,
    /// Events whose id comes a second time with other content.
    pub conflicts: Share,
    /// Events without id, or time, or both.
    pub bare: Share,
    /// When the first order begins; all events are from here to `to`.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// A body on its way to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub body: Vec<u8>,
    pub is: Is,
    /// It comes after a later event of its order.
    pub is_late: bool,
    /// When it would arrive.
    pub at: DateTime<Utc>,
}

/// What a body is beside those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    Event,
    Duplicate,
    Conflict,
}

/// Bodies in the order of their delivery. Memory is taken by the orders under way at a time, about two
/// kilobytes each, not by those that have ended or are still to come.
#[derive(Debug)]
pub struct Feed {
    settings: Settings,
    begun: u64,
    /// By the time at which it is due, in milliseconds, and a running number that tells equal times apart.
    due: BTreeMap<(i64, u64), Due>,
    numbered: u64,
    longest_life: i64,
}

#[derive(Debug)]
enum Due {
    Happen(Box<UnderWay>),
    Send(Sent),
}

#[derive(Debug)]
struct UnderWay {
    journey: Journey,
    /// When each event happens, the next one last.
    times: Vec<i64>,
    /// So many events from now on are not late: another late one comes after them.
    punctual: usize,
}

/// No order takes longer, in milliseconds.
const LONGEST_LIFE: i64 = 60 * 24 * 3_600_000;
const SHORTEST_LIFE: i64 = 4 * 24 * 3_600_000;

impl Feed {
    pub fn new(settings: Settings) -> Self {
        let span = (settings.to - settings.from).num_milliseconds().max(0);
        let longest_life = LONGEST_LIFE.min(span / 2);
        Self { settings, begun: 0, due: BTreeMap::new(), numbered: 0, longest_life }
    }

    /// Orders that have begun so far.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    fn put(&mut self, at: i64, due: Due) {
        self.numbered += 1;
        self.due.insert((at, self.numbered), due);
    }

    /// When the next order begins: they begin evenly over the time, and all can end within it.
    fn next_begin(&self) -> Option<i64> {
        let Settings { orders, from, to, .. } = self.settings;
        if self.begun >= orders {
            return None;
        }
        let room = i128::from((to - from).num_milliseconds().max(0) - self.longest_life);
        let share = room * i128::from(self.begun) / i128::from(orders);
        Some(from.timestamp_millis() + i64::try_from(share).unwrap_or_default())
    }

    fn begin(&mut self, at: i64) {
        let Settings { orders, events_per_order: mean, seed, bare, .. } = self.settings;
        let number = self.begun;
        self.begun += 1;
        let mut dice = Dice::new(seed, number);
        let length = mean.div_ceil(2) + dice.below(mean + 1 - mean % 2);
        // Orders that began of late are mostly not done; of the others a few are left behind.
        let is_recent = u128::from(number) * 20 >= u128::from(orders) * 19;
        let stays_open = dice.percent(if is_recent { 70 } else { 2 });
        let ending = if stays_open { Ending::StaysOpen } else { Ending::Ends };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut journey = Journey::new(seed, number, length, ending, bare, dice);
        let times = times(&mut journey, at, self.longest_life);
        if let Some(&first) = times.last() {
            self.put(first, Due::Happen(Box::new(UnderWay { journey, times, punctual: 0 })));
        }
    }

    /// Lets the order's next event happen, and puts what is sent of it on its way.
    fn happen(&mut self, mut order: Box<UnderWay>) {
        let Some(now) = order.times.pop() else { return };
        let at = DateTime::from_timestamp_millis(now).unwrap_or_default();
        let dice = order.journey.dice();
        let is_disputed = dice.happens(self.settings.conflicts);
        let is_doubled = dice.happens(self.settings.duplicates);
        let wants_late = dice.happens(self.settings.late);
        let overtaken_by = usize::try_from(dice.between(1, 3)).unwrap_or(1);
        let is_spaced = dice.percent(30);
        let again = dice.between(1_000, 6 * 3_600_000);
        let Some(told) = order.journey.next(at, is_disputed) else { return };
        let gap = order.times.last().map_or(60_000, |next| next - now);
        let overtaken = wants_late && told.is_timed && order.punctual == 0 && order.times.len() >= overtaken_by;
        order.punctual = order.punctual.saturating_sub(1);
        // On time is before the next event, and late is after one or more, but before the one after those.
        let mut arrival = now + order.journey.dice().between(gap / 100, gap / 3).min(20_000);
        if overtaken {
            order.punctual = overtaken_by;
            let mut later = order.times.iter().rev().skip(overtaken_by - 1);
            let overtaking = later.next().copied().unwrap_or(now);
            let gap = later.next().map_or(60_000, |next| next - overtaking);
            arrival = overtaking + gap / 2;
        }
        self.send(told, arrival, overtaken, is_doubled.then_some(again), is_spaced);
        if let Some(&next) = order.times.last() {
            self.put(next, Due::Happen(order));
        }
    }

    fn send(&mut self, told: Told, arrival: i64, is_late: bool, again: Option<i64>, is_spaced: bool) {
        let at = |time: i64| DateTime::from_timestamp_millis(time).unwrap_or_default();
        if let Some(again) = again {
            let body = if is_spaced { spaced(&told.body) } else { told.body.clone() };
            let sent = Sent { body, is: Is::Duplicate, is_late: false, at: at(arrival + again) };
            self.put(arrival + again, Due::Send(sent));
        }
        if let Some(body) = told.contrary {
            let sent = Sent { body, is: Is::Conflict, is_late: false, at: at(arrival + 3_600_000) };
            self.put(arrival + 3_600_000, Due::Send(sent));
        }
        self.put(arrival, Due::Send(Sent { body: told.body, is: Is::Event, is_late, at: at(arrival) }));
    }
}

impl Iterator for Feed {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        loop {
            while let Some(begin) = self.next_begin()
                && self.due.first_key_value().is_none_or(|((due, _), _)| begin <= *due)
            {
                self.begin(begin);
            }
            match self.due.pop_first()?.1 {
                Due::Happen(order) => self.happen(order),
                Due::Send(sent) => return Some(sent),
            }
        }
    }
}

/// When each event of the journey happens, the first one last.
fn times(journey: &mut Journey, begin: i64, longest: i64) -> Vec<i64> {
    let patience: Vec<u64> = journey.patience().collect();
    let dice = journey.dice();
    let life = dice.between(SHORTEST_LIFE.min(longest), longest.min(LONGEST_LIFE));
    let shares: Vec<u64> = patience.into_iter().map(|patience| patience * (20 + dice.below(100))).collect();
    let whole: u64 = shares.iter().sum::<u64>().max(1);
    let mut times = Vec::with_capacity(shares.len());
    let mut passed = 0;
    for (number, share) in shares.into_iter().enumerate() {
        passed += share;
        let offset = i128::from(life) * i128::from(passed) / i128::from(whole);
        // No two at once, however short the time is.
        let number = i64::try_from(number).unwrap_or_default();
        times.push(begin + i64::try_from(offset).unwrap_or_default() + number * 1_000);
    }
    times.reverse();
    times
}

/// The same JSON in other bytes.
fn spaced(body: &[u8]) -> Vec<u8> {
    let mut spaced = Vec::with_capacity(body.len() + 2);
    if let [first, middle @ .., last] = body {
        spaced.extend_from_slice(&[*first, b' ']);
        spaced.extend_from_slice(middle);
        spaced.extend_from_slice(&[b' ', *last]);
    }
    spaced
}
