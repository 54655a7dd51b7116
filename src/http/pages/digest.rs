//! What a list shows of an order: the few facts that a person wants before opening it.

use chrono::{DateTime, Utc};

use crate::order::{
    Item, Moment, Order, Vocabulary, appointment_status, capitalised, day_or_time, days_between, natural_order, window,
};

/// An order in a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// What the root items are, in the vocabulary's words.
    pub product: String,
    pub customers: Vec<String>,
    pub service_ids: Vec<String>,
    /// The next appointment, or else the last one.
    pub appointment: Option<Visit>,
    pub expected: Option<Expected>,
    /// Reason and since when, those that matter most first.
    pub attention: Vec<(String, DateTime<Utc>, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    pub at: Option<DateTime<Utc>>,
    /// "29 Apr 2024 08:00–13:00".
    pub window: String,
    /// In words.
    pub status: Option<String>,
}

/// The latest expected completion of the items, and days later than first stated for that item.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub day: String,
    pub slip: i64,
}

impl Digest {
    pub fn of(order: &Order, vocabulary: &Vocabulary, now: DateTime<Utc>) -> Self {
        let mut customers: Vec<String> = order.parties.iter().map(|party| party.id.clone()).collect();
        customers.dedup();
        let mut service_ids: Vec<String> = order.items.values().filter_map(|item| item.service_id.clone()).collect();
        service_ids.sort_by(|a, b| natural_order(a, b));
        service_ids.dedup();
        let attention = order.attention.iter();
        Self {
            product: product(order, vocabulary),
            customers,
            service_ids,
            appointment: appointment(order, vocabulary, now),
            expected: expected(order),
            attention: attention.map(|one| (one.reason.clone(), one.since, one.why.clone())).collect(),
        }
    }
}

/// The words of the items that are inside no other; ids where nobody has words for them.
fn product(order: &Order, vocabulary: &Vocabulary) -> String {
    const SHOWN: usize = 2;
    let is_root = |id: &str, item: &Item| {
        let above = item.container.as_deref().or_else(|| id.rsplit_once('.').map(|(parent, _)| parent));
        !above.is_some_and(|parent| order.items.contains_key(parent))
    };
    let mut words: Vec<String> = Vec::new();
    for (id, item) in order.items_in_order().filter(|(id, item)| is_root(id, item)) {
        let offering = item.offering.as_deref();
        let known = offering.and_then(|offering| vocabulary.offering(offering));
        let word = match (known, offering) {
            (Some(meaning), _) => capitalised(&meaning.words),
            (None, Some(offering)) => offering.to_owned(),
            (None, None) => format!("item {id}"),
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

fn appointment(order: &Order, vocabulary: &Vocabulary, now: DateTime<Utc>) -> Option<Visit> {
    let start = |item: &Item| item.appointment.as_ref()?.start.as_ref().and_then(Moment::at);
    let visits = order.items.values().filter(|item| item.appointment.is_some());
    // The soonest that is still to come; where all are over, the last.
    let key = |item: &&Item| match start(item) {
        Some(at) if at >= now => (0, at - now),
        Some(at) => (1, now - at),
        None => (2, chrono::TimeDelta::zero()),
    };
    let item = visits.min_by_key(key)?;
    let appointment = item.appointment.as_ref()?;
    Some(Visit {
        at: start(item),
        window: window(appointment).unwrap_or_else(|| "no time yet".to_owned()),
        status: appointment.status.as_deref().map(|status| appointment_status(status, vocabulary)),
    })
}

fn expected(order: &Order) -> Option<Expected> {
    let dated = order.items.values().filter_map(|item| Some((item.expected_completion.as_ref()?, item)));
    let latest = dated.max_by_key(|(expected, _)| expected.at());
    match (latest, &order.expected_completion) {
        (Some((expected, item)), _) => {
            let slip = item.first_expected.as_ref().and_then(|first| days_between(first, expected));
            Some(Expected { day: day_or_time(expected), slip: slip.unwrap_or(0) })
        }
        (None, Some(expected)) => Some(Expected { day: day_or_time(expected), slip: 0 }),
        (None, None) => None,
    }
}
