//! A whole history: which deliveries count, in what order, and the timeline they make.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::change::{Change, Kind};
use super::event::Statement;
use super::place::{EventKey, Place, by_receipt};
use super::timeline::Timeline;
use super::vocabulary::Vocabulary;

/// What became of a delivery that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    /// The same event with equal content: the delivery that was first with it.
    Duplicate(Uuid),
    /// The same event with other content: the delivery that counts in its stead.
    Conflict(Uuid),
}

/// A change with where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The event's position in the order's history, from 0.
    pub position: u32,
    /// The change's position in the event, from 0.
    pub ordinal: u32,
    pub at: DateTime<Utc>,
    pub at_estimated: bool,
    pub received_at: DateTime<Utc>,
    pub late: bool,
    pub event_id: Option<String>,
    pub delivery_id: Uuid,
    pub change: Change,
}

/// All that a set of deliveries says about one order.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub timeline: Timeline,
    pub entries: Vec<Entry>,
    pub outcomes: BTreeMap<Uuid, Outcome>,
}

/// Decides which deliveries count (contract, law 5): of one event the content received first counts;
/// equal contents are duplicates of the first that had them; other contents are conflicts.
///
/// `statements` may come in any order. Gives the outcome of each, by delivery.
pub fn classify<'s>(statements: impl IntoIterator<Item = &'s Statement>) -> BTreeMap<Uuid, Outcome> {
    let mut received: Vec<&Statement> = statements.into_iter().collect();
    received.sort_by(|a, b| by_receipt(a, b));
    let mut counting: BTreeMap<EventKey, Uuid> = BTreeMap::new();
    let mut first_with: BTreeMap<(EventKey, [u8; 32]), Uuid> = BTreeMap::new();
    let mut outcomes = BTreeMap::new();
    for statement in received {
        let key = EventKey::of(statement);
        let id = statement.delivery_id;
        let counted = counting.get(&key).copied();
        let first = first_with.get(&(key, statement.content_hash)).copied();
        let outcome = match (counted, first) {
            (_, Some(first)) => Outcome::Duplicate(first),
            (Some(counted), None) => Outcome::Conflict(counted),
            (None, None) => Outcome::Applied,
        };
        counting.entry(key).or_insert(id);
        first_with.entry((key, statement.content_hash)).or_insert(id);
        outcomes.insert(id, outcome);
    }
    outcomes
}

/// Folds a history from nothing. It is the law itself: the result depends on the set of statements
/// alone. `until` leaves out the events that are placed after it: the order as it was then.
pub fn fold(statements: &[Statement], until: Option<DateTime<Utc>>, vocabulary: &Vocabulary) -> History {
    let outcomes = classify(statements);
    let mut counted: Vec<&Statement> =
        statements.iter().filter(|statement| outcomes.get(&statement.delivery_id) == Some(&Outcome::Applied)).collect();
    counted.sort_by_cached_key(|statement| Place::of(statement));
    let late = lateness(&counted);

    let mut timeline = Timeline::default();
    let mut entries = Vec::new();
    for (statement, late) in counted.into_iter().zip(late) {
        if until.is_some_and(|until| statement.at() > until) {
            break;
        }
        let position = timeline.events();
        let mut changes = timeline.apply(statement, vocabulary);
        let own = changes.len();
        let conflicts = conflicts_with(statement, statements, &outcomes);
        changes.extend(conflicts.iter().map(|_| conflict_change(statement)));
        for (ordinal, change) in (0..).zip(changes) {
            let conflict = usize::try_from(ordinal).ok().and_then(|at| conflicts.get(at.checked_sub(own)?));
            let source = conflict.copied().unwrap_or(statement);
            entries.push(Entry::new(position, ordinal, statement, source, late, change));
        }
    }
    History { timeline, entries, outcomes }
}

impl Entry {
    /// `statement` places the entry, `source` is the delivery that it comes from: another one only
    /// where a conflict is told.
    fn new(position: u32, ordinal: u32, statement: &Statement, source: &Statement, late: bool, change: Change) -> Self {
        Self {
            position,
            ordinal,
            at: statement.at(),
            at_estimated: statement.at_is_estimated(),
            received_at: source.received_at,
            late,
            event_id: statement.event.event_id.clone(),
            delivery_id: source.delivery_id,
            change,
        }
    }

    /// The entries of an event that simply follows all others (see [`Timeline::takes_next`]).
    pub fn of_next(position: u32, statement: &Statement, changes: Vec<Change>) -> Vec<Self> {
        let entry = |(ordinal, change)| Self::new(position, ordinal, statement, statement, false, change);
        (0..).zip(changes).map(entry).collect()
    }
}

/// Which events were late: those that we received after one that stands later in time (law 4).
fn lateness(in_place: &[&Statement]) -> Vec<bool> {
    let mut earliest_after: Option<DateTime<Utc>> = None;
    let mut late: Vec<bool> = in_place
        .iter()
        .rev()
        .map(|statement| {
            let is_late = earliest_after.is_some_and(|earliest| earliest < statement.received_at);
            let earliest = earliest_after.map_or(statement.received_at, |e| e.min(statement.received_at));
            earliest_after = Some(earliest);
            is_late
        })
        .collect();
    late.reverse();
    late
}

fn conflicts_with<'s>(
    counted: &Statement,
    statements: &'s [Statement],
    outcomes: &BTreeMap<Uuid, Outcome>,
) -> Vec<&'s Statement> {
    let is_conflict =
        |statement: &&Statement| outcomes.get(&statement.delivery_id) == Some(&Outcome::Conflict(counted.delivery_id));
    let mut conflicts: Vec<&Statement> = statements.iter().filter(is_conflict).collect();
    conflicts.sort_by(|a, b| by_receipt(a, b));
    conflicts
}

fn conflict_change(counted: &Statement) -> Change {
    let event = counted.event.event_id.as_deref().unwrap_or("without an id");
    Change {
        kind: Kind::Conflict,
        item_ids: Vec::new(),
        name: None,
        from: None,
        to: None,
        message: None,
        text: format!("Event {event} came again with other content; the content received first counts"),
    }
}
