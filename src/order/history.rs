//! A whole history: which deliveries count, in what order, and the timeline they make.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::change::{Change, Kind};
use super::event::Statement;
use super::place::{EventKey, Place, by_receipt};
use super::timeline::{Applied, Timeline};
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
    /// When what it says ceased to hold: another version took its place. None while it holds, and for
    /// what has no versions.
    pub valid_to: Option<DateTime<Utc>>,
    /// Since when we know it: the receipt that made it, later than its own where a late event changed it.
    pub known_from: DateTime<Utc>,
    pub change: Change,
}

/// An entry that we knew once and that a late event made anew. How long its value held is not kept: it was
/// not true.
#[derive(Clone, Debug, PartialEq)]
pub struct PastEntry {
    pub entry: Entry,
    pub known_until: DateTime<Utc>,
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
    let counted = counted(statements, &outcomes);
    let late = lateness(&counted);

    let conflicts_of = conflicts(statements, &outcomes);
    let mut timeline = Timeline::default();
    let mut entries = Vec::new();
    let mut index: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for (statement, late) in counted.into_iter().zip(late) {
        if until.is_some_and(|until| statement.at() > until) {
            break;
        }
        let position = timeline.events();
        let Applied { mut changes, ended } = timeline.apply(statement, vocabulary);
        let own = changes.len();
        let conflicts = conflicts_of.get(&statement.delivery_id).map_or(&[][..], Vec::as_slice);
        changes.extend(conflicts.iter().map(|_| conflict_change(statement)));
        for (ordinal, change) in (0..).zip(changes) {
            let conflict = usize::try_from(ordinal).ok().and_then(|at| conflicts.get(at.checked_sub(own)?));
            let source = conflict.copied().unwrap_or(statement);
            index.insert((position, ordinal), entries.len());
            entries.push(Entry::new(position, ordinal, statement, source, late, change));
        }
        end(&mut entries, &index, &ended, statement.at());
    }
    History { timeline, entries, outcomes }
}

/// The statements that count, each event once, in their places: an event's position is its index.
fn counted<'s>(statements: &'s [Statement], outcomes: &BTreeMap<Uuid, Outcome>) -> Vec<&'s Statement> {
    let counts = |statement: &&Statement| outcomes.get(&statement.delivery_id) == Some(&Outcome::Applied);
    let mut counted: Vec<&Statement> = statements.iter().filter(counts).collect();
    counted.sort_by_cached_key(|statement| Place::of(statement));
    counted
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
            valid_to: None,
            known_from: source.received_at,
            change,
        }
    }

    /// The entries of an event that simply follows all others (see [`Timeline::takes_next`]), and the places
    /// of earlier entries that it ends.
    pub fn of_next(position: u32, statement: &Statement, applied: Applied) -> (Vec<Self>, Vec<(u32, u32)>) {
        let entry = |(ordinal, change)| Self::new(position, ordinal, statement, statement, false, change);
        let mut entries: Vec<Self> = (0..).zip(applied.changes).map(entry).collect();
        let (own, earlier): (Vec<_>, Vec<_>) = applied.ended.into_iter().partition(|(at, _)| *at == position);
        for (_, ordinal) in own {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.ordinal == ordinal) {
                entry.valid_to = Some(statement.at());
            }
        }
        (entries, earlier)
    }
}

/// Marks the entries whose values hold no longer.
fn end(entries: &mut [Entry], index: &BTreeMap<(u32, u32), usize>, ended: &[(u32, u32)], at: DateTime<Utc>) {
    for place in ended {
        if let Some(entry) = index.get(place).and_then(|at| entries.get_mut(*at)) {
            entry.valid_to = Some(at);
        }
    }
}

/// What we knew when: goes through the statements in the order of their receipt, and compares what they told
/// after each. Gives the entries of the whole history with the receipt since which each is known, and those
/// that were known once and are no longer.
///
/// The order's past as we knew it at a time is the entries known from then or before and not until then.
pub fn knowledge(statements: &[Statement], vocabulary: &Vocabulary) -> (History, Vec<PastEntry>) {
    let mut history = fold(statements, None, vocabulary);
    let mut received: Vec<&Statement> = statements.iter().collect();
    received.sort_by(|a, b| by_receipt(a, b));
    if follows_receipt(&received, &history) {
        return (history, Vec::new());
    }
    let (mut known, mut past): (Vec<Entry>, Vec<PastEntry>) = (Vec::new(), Vec::new());
    let mut so_far: Vec<Statement> = Vec::with_capacity(received.len());
    let mut timeline = Timeline::default();
    for statement in received {
        so_far.push(statement.clone());
        match history.outcomes.get(&statement.delivery_id) {
            Some(Outcome::Applied) if timeline.takes_next(statement) => {
                let position = timeline.events();
                let (entries, ended) = Entry::of_next(position, statement, timeline.apply(statement, vocabulary));
                known.extend(entries);
                let index = (0..).zip(&known).map(|(at, entry)| ((entry.position, entry.ordinal), at)).collect();
                end(&mut known, &index, &ended, statement.at());
            }
            Some(Outcome::Conflict(counted)) if tell_conflict(&mut known, *counted, statement, &so_far).is_some() => {}
            Some(Outcome::Applied | Outcome::Conflict(_)) => {
                let now = fold(&so_far, None, vocabulary);
                timeline = now.timeline;
                known = learn(known, now.entries, statement.received_at, &mut past);
            }
            Some(Outcome::Duplicate(_)) | None => {}
        }
    }
    place_anew(&mut past, statements, &history);
    history.entries = known;
    (history, past)
}

/// Gives entries that are past the positions that their events have now. Each telling counted its own events, and of those
/// of one moment it would not be known which came first.
fn place_anew(past: &mut [PastEntry], statements: &[Statement], history: &History) {
    let counted = counted(statements, &history.outcomes);
    let positions: BTreeMap<Uuid, u32> = counted.iter().map(|statement| statement.delivery_id).zip(0..).collect();
    for PastEntry { entry, .. } in past {
        let event = match history.outcomes.get(&entry.delivery_id) {
            Some(Outcome::Conflict(counted)) => *counted,
            _ => entry.delivery_id,
        };
        entry.position = positions.get(&event).copied().unwrap_or(entry.position);
    }
}

/// A conflict adds its own entry behind those of the event that counts, and changes nothing else. `None`
/// where that event told nothing, so that its place is not known here.
fn tell_conflict(known: &mut Vec<Entry>, counted: Uuid, conflict: &Statement, so_far: &[Statement]) -> Option<()> {
    let statement = so_far.iter().find(|statement| statement.delivery_id == counted)?;
    let position = known.iter().find(|entry| entry.delivery_id == counted)?.position;
    let last = known.iter().rposition(|entry| entry.position == position)?;
    let (ordinal, late) = known.get(last).map(|entry| (entry.ordinal + 1, entry.late))?;
    let entry = Entry::new(position, ordinal, statement, conflict, late, conflict_change(statement));
    known.insert(last + 1, entry);
    Some(())
}

/// What is known after a receipt that changed the past: entries told before keep the time since which they
/// are known, those told no longer are past.
fn learn(before: Vec<Entry>, mut now: Vec<Entry>, received_at: DateTime<Utc>, past: &mut Vec<PastEntry>) -> Vec<Entry> {
    let mut told: BTreeMap<Telling, Vec<Entry>> = BTreeMap::new();
    before.into_iter().for_each(|entry| told.entry(Telling::of(&entry)).or_default().push(entry));
    for entry in &mut now {
        let known = told.get_mut(&Telling::of(entry)).and_then(Vec::pop);
        entry.known_from = known.map_or(received_at, |known| known.known_from);
    }
    // What was received at the same moment was never known one without the other.
    let mut over: Vec<Entry> = told.into_values().flatten().filter(|entry| entry.known_from < received_at).collect();
    over.sort_by_key(|entry| (entry.position, entry.ordinal));
    past.extend(
        over.into_iter().map(|entry| PastEntry { entry: Entry { valid_to: None, ..entry }, known_until: received_at }),
    );
    now
}

/// Whether each event was received after all that stand before it in time, and none in conflict: then every
/// entry is known since its own receipt.
fn follows_receipt(received: &[&Statement], history: &History) -> bool {
    let mut last: Option<Place> = None;
    for statement in received {
        match history.outcomes.get(&statement.delivery_id) {
            Some(Outcome::Applied) => {
                let place = Place::of(statement);
                if last.as_ref().is_some_and(|last| *last > place) {
                    return false;
                }
                last = Some(place);
            }
            Some(Outcome::Conflict(_)) => return false,
            Some(Outcome::Duplicate(_)) | None => {}
        }
    }
    true
}

/// What makes two entries of different histories the same telling: all but their positions.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Telling {
    delivery_id: Uuid,
    kind: Kind,
    item_ids: Vec<String>,
    name: Option<String>,
    text: String,
    late: bool,
    /// Beside the words: values that read alike and are not the same.
    values: String,
}

impl Telling {
    fn of(entry: &Entry) -> Self {
        let Change { kind, item_ids, name, from, to, facts, text, .. } = &entry.change;
        Self {
            delivery_id: entry.delivery_id,
            kind: *kind,
            item_ids: item_ids.clone(),
            name: name.clone(),
            text: text.clone(),
            late: entry.late,
            values: format!("{from:?}{to:?}{facts:?}"),
        }
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

/// The conflicting deliveries of each that counts, in the order of their receipt.
fn conflicts<'s>(
    statements: &'s [Statement],
    outcomes: &BTreeMap<Uuid, Outcome>,
) -> BTreeMap<Uuid, Vec<&'s Statement>> {
    let mut conflicts: BTreeMap<Uuid, Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        if let Some(Outcome::Conflict(counted)) = outcomes.get(&statement.delivery_id) {
            conflicts.entry(*counted).or_default().push(statement);
        }
    }
    conflicts.values_mut().for_each(|of_one| of_one.sort_by(|a, b| by_receipt(a, b)));
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
        facts: None,
        missed: Vec::new(),
        text: format!("Event {event} came again with other content; the content received first counts"),
    }
}
