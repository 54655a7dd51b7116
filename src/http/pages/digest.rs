//! What a list shows of an order: the few facts that a person wants before opening it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::order::flat;
use super::orders::REASONS;
use crate::order::{
    Attention, Meaning, Moment, Order, Subject, Vocabulary, appointment_status, capitalised, day_of, day_or_time,
    has_ended, natural_order, window,
};
use crate::record::{ItemRecord, OrderRecord, items_of};

/// An order in a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// What the root items are, in the vocabulary's words.
    pub product: String,
    pub customers: Vec<String>,
    pub service_ids: Vec<String>,
    /// The next appointment, or else the last one; one that nobody waits for only where there is no other.
    pub appointment: Option<Visit>,
    pub expected: Option<Expected>,
    /// Those that matter most first.
    pub attention: Vec<Attention>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    pub at: Option<DateTime<Utc>>,
    /// "29 Apr 2024 08:00–13:00".
    pub window: String,
    /// In words.
    pub status: Option<String>,
    /// Whether it was missed or cancelled, or its item has ended: nobody waits for it.
    pub is_over: bool,
}

impl Visit {
    /// Whether it has not begun at a moment.
    pub fn is_ahead(&self, moment: DateTime<Utc>) -> bool {
        self.at.is_some_and(|at| at >= moment)
    }

    /// Whether somebody is to come.
    pub fn is_to_come(&self, moment: DateTime<Utc>) -> bool {
        self.is_ahead(moment) && !self.is_over
    }
}

/// The latest expected completion of the items, and days later than first stated for that item.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub day: String,
    pub slip: i64,
}

impl Digest {
    /// An order of a list, with all reasons why it needs a person.
    pub fn of_order(order: &Order, attention: Vec<Attention>, vocabulary: &Vocabulary, now: DateTime<Utc>) -> Self {
        let items = items_of(order);
        let customers = order.parties.iter().map(|party| party.id.clone()).collect();
        let told = order.expected_completion.as_ref();
        let digest = Self::of_items(&items.iter().collect::<Vec<_>>(), told, vocabulary, now);
        Self { customers: unique(customers), attention: weightiest_first(attention), ..digest }
    }

    /// What an order's page says at its top. Customers and attention stand there by themselves.
    pub fn of_record(order: &OrderRecord, vocabulary: &Vocabulary, now: DateTime<Utc>) -> Self {
        let told = order.expected_completion.as_ref().map(|text| Moment::new(text, text.parse().ok()));
        let items: Vec<&ItemRecord> = flat(&order.items).into_iter().map(|(_, item)| item).collect();
        Self::of_items(&items, told.as_ref(), vocabulary, now)
    }

    fn of_items(items: &[&ItemRecord], told: Option<&Moment>, vocabulary: &Vocabulary, now: DateTime<Utc>) -> Self {
        let mut service_ids: Vec<String> = items.iter().filter_map(|item| item.service_id.clone()).collect();
        service_ids.sort_by(|a, b| natural_order(a, b));
        Self {
            product: product(items, vocabulary),
            service_ids: unique(service_ids),
            appointment: appointment(items, vocabulary, now),
            expected: expected(items, told),
            ..Self::default()
        }
    }
}

fn unique(mut ids: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

/// In the order of the queue; of the same weight, those stay first that were.
pub fn weightiest_first(mut attention: Vec<Attention>) -> Vec<Attention> {
    attention.sort_by_key(|one| weight(&one.reason));
    attention
}

/// A reason's place in the queue; those that it does not name stand last.
pub fn weight(reason: &str) -> usize {
    REASONS.iter().position(|known| *known == reason).unwrap_or(REASONS.len())
}

/// The words of the items that are inside no other; ids where nobody has words for them.
fn product(items: &[&ItemRecord], vocabulary: &Vocabulary) -> String {
    const SHOWN: usize = 2;
    let mut words: Vec<String> = Vec::new();
    for item in items.iter().filter(|item| item.parent_item_id.is_none()) {
        let offering = item.offering_id.as_deref();
        let known = offering.and_then(|offering| vocabulary.offering(offering));
        let word = match (known, offering) {
            (Some(meaning), _) => capitalised(&meaning.words),
            (None, Some(offering)) => offering.to_owned(),
            (None, None) => format!("item {}", item.item_id),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let more = words.len().saturating_sub(SHOWN);
    words.truncate(SHOWN);
    let words = words.join(", ");
    if more > 0 { format!("{words} and {more} more") } else { words }
}

fn appointment(items: &[&ItemRecord], vocabulary: &Vocabulary, now: DateTime<Utc>) -> Option<Visit> {
    let start = |item: &ItemRecord| item.appointment_stated.as_ref()?.start.as_ref().and_then(Moment::at);
    let visits = items.iter().copied().filter(|item| item.appointment_stated.is_some());
    // What was missed or cancelled, and what belongs to an item that has ended, comes last.
    let is_off = |item: &ItemRecord| {
        let status = item.appointment_stated.as_ref().and_then(|stated| stated.status.as_deref());
        let meaning = status.and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
        meaning.is_some_and(Meaning::is_of_visit_that_is_over)
    };
    let has_ended = |item: &ItemRecord| item.state.as_deref().is_some_and(has_ended);
    // The soonest that is still to come; where all are over, the last.
    let key = |item: &&ItemRecord| {
        let (place, distance) = match start(item) {
            Some(at) if at >= now => (0, at - now),
            Some(at) => (1, now - at),
            None => (2, chrono::TimeDelta::zero()),
        };
        (is_off(item), has_ended(item), place, distance)
    };
    let item = visits.min_by_key(key)?;
    let appointment = item.appointment_stated.as_ref()?;
    Some(Visit {
        at: start(item),
        window: window(appointment).unwrap_or_else(|| "no time yet".to_owned()),
        status: appointment.status.as_deref().map(|status| appointment_status(status, vocabulary)),
        is_over: is_off(item) || has_ended(item),
    })
}

fn expected(items: &[&ItemRecord], told: Option<&Moment>) -> Option<Expected> {
    let dated = items.iter().filter_map(|item| Some((item.expected_completion_moment.as_ref()?, item)));
    let latest = dated.max_by_key(|(expected, _)| expected.at());
    match (latest, told) {
        (Some((expected, item)), _) => {
            let slip = day_of(expected).zip(item.first_expected_day).map(|(now, first)| (now - first).num_days());
            Some(Expected { day: day_or_time(expected), slip: slip.unwrap_or(0) })
        }
        (None, Some(expected)) => Some(Expected { day: day_or_time(expected), slip: 0 }),
        (None, None) => None,
    }
}
