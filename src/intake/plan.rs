//! What a batch changes in one order: pure, so that the law can be tested without a database.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::order::{Entry, EventKey, History, Outcome, Place, Statement, Timeline, Vocabulary, by_receipt, knowledge};
use crate::record::{
    AttentionRecord, EntryRecord, EntryValueRecord, Identifier, ItemRecord, Versions, attention_of, changed_items,
    identifiers_of, items_of, values_of, versions_of,
};

use super::unknown::{Unknown, unknown_values};

/// A content of an event that an earlier delivery of the order had.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownContent {
    pub event_key: EventKey,
    pub content_hash: [u8; 32],
    /// The delivery that was first with it.
    pub delivery_id: Uuid,
    pub received_at: DateTime<Utc>,
}

/// What becomes of an order and of the deliveries that a batch brings for it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub timeline: Timeline,
    pub times: Times,
    /// The outcomes to write: of the batch's deliveries, and of earlier ones that a rewrite changes.
    pub outcomes: Vec<(Uuid, Outcome)>,
    /// Contents that were not known, or that are now known from an earlier receipt.
    pub contents: Vec<KnownContent>,
    pub entries: Vec<EntryRecord>,
    /// Entries kept before whose values hold no longer: event position, ordinal, and since when.
    pub ended: Vec<(i64, i32, DateTime<Utc>)>,
    /// Entries that were known once; only of a plan of the whole.
    pub past: Vec<(EntryRecord, DateTime<Utc>)>,
    pub items: Vec<ItemRecord>,
    /// States and sub-statuses over time.
    pub versions: Versions,
    /// What the entries are counted by.
    pub values: Vec<EntryValueRecord>,
    pub identifiers: Vec<Identifier>,
    /// Why somebody should look at the order now; `None` where that is as before.
    pub attention: Option<Vec<AttentionRecord>>,
    /// Values of the events that the vocabulary does not know.
    pub unknown: Unknown,
    pub extent: Extent,
}

/// How much of the order's projection a plan holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What is to be added to it.
    Addition,
    /// All of it: what is there is to be replaced.
    Whole,
}

/// The times of an order's events that lists show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub first_event_at: DateTime<Utc>,
    pub last_event_at: DateTime<Utc>,
    pub last_received_at: DateTime<Utc>,
}

/// Plans an addition: new events that simply follow those known, and repeats of known ones.
///
/// `known` holds the contents known of the events in `new`. Gives `None` where the whole history is
/// needed instead: an event that is late, in conflict, or received before what is known.
pub fn addition(
    timeline: &Timeline,
    times: Option<Times>,
    known: &[KnownContent],
    new: &[&Statement],
    vocabulary: &Vocabulary,
) -> Option<Plan> {
    let mut contents: HashMap<EventKey, Vec<KnownContent>> = HashMap::new();
    known.iter().for_each(|content| contents.entry(content.event_key).or_default().push(content.clone()));
    let mut outcomes = Vec::new();
    let mut added: Vec<&Statement> = Vec::new();
    let mut received: Vec<&Statement> = new.to_vec();
    received.sort_by(|a, b| by_receipt(a, b));
    for statement in received {
        let content = KnownContent::of(statement);
        let of_event = contents.entry(content.event_key).or_default();
        match of_event.iter().find(|first| first.content_hash == content.content_hash) {
            Some(first) if first.is_before(statement, &added) => {
                outcomes.push((statement.delivery_id, Outcome::Duplicate(first.delivery_id)));
            }
            None if of_event.is_empty() => {
                outcomes.push((statement.delivery_id, Outcome::Applied));
                of_event.push(content);
                added.push(statement);
            }
            // Received before what is known of it, or in conflict with it.
            Some(_) | None => return None,
        }
    }
    added.sort_by_cached_key(|statement| Place::of(statement));

    let mut next = timeline.clone();
    let mut plan = Addition { entries: Vec::new(), ended: Vec::new(), identifiers: Vec::new(), times };
    for statement in &added {
        if !next.takes_next(statement) {
            return None;
        }
        plan.identifiers.extend(identifiers_of(&statement.event, next.order()));
        let position = next.events();
        let (entries, ended) = Entry::of_next(position, statement, next.apply(statement, vocabulary));
        plan.end(&ended, statement.at());
        plan.entries.extend(entries.into_iter().map(EntryRecord::from));
        plan.times = Some(Times::with(plan.times, statement));
    }
    let items = changed_items(timeline.order(), next.order());
    let is_other = next.order().attention != timeline.order().attention;
    let attention = is_other.then(|| attention_of(next.order()));
    Some(Plan {
        timeline: next,
        times: plan.times?,
        outcomes,
        contents: added.iter().copied().map(KnownContent::of).collect(),
        versions: versions_of(&plan.entries, &timeline.order().items),
        values: values_of(&plan.entries),
        entries: plan.entries,
        ended: plan.ended,
        past: Vec::new(),
        items,
        identifiers: plan.identifiers,
        attention,
        unknown: unknown_values(added.iter().copied(), vocabulary),
        extent: Extent::Addition,
    })
}

struct Addition {
    entries: Vec<EntryRecord>,
    ended: Vec<(i64, i32, DateTime<Utc>)>,
    identifiers: Vec<Identifier>,
    times: Option<Times>,
}

impl Addition {
    /// Marks entries that hold no longer: those of this plan, and, for the database, those kept before.
    fn end(&mut self, places: &[(u32, u32)], at: DateTime<Utc>) {
        for (position, ordinal) in places {
            let (position, ordinal) = (i64::from(*position), i32::try_from(*ordinal).unwrap_or(i32::MAX));
            let own =
                self.entries.iter_mut().find(|entry| entry.event_position == position && entry.ordinal == ordinal);
            match own {
                Some(entry) => entry.valid_to = Some(at),
                None => self.ended.push((position, ordinal, at)),
            }
        }
    }
}

/// Plans an order anew from all its deliveries. `None` where no event counts.
pub fn whole(all: &[Statement], vocabulary: &Vocabulary) -> Option<Plan> {
    let (History { timeline, entries, outcomes }, past) = knowledge(all, vocabulary);
    let unknown = Timeline::default();
    let (mut identifiers, mut times) = (Vec::new(), None);
    let counts = |statement: &&Statement| outcomes.get(&statement.delivery_id) == Some(&Outcome::Applied);
    for statement in all.iter().filter(counts) {
        identifiers.extend(identifiers_of(&statement.event, unknown.order()));
        times = Some(Times::with(times, statement));
    }
    identifiers.sort_unstable();
    identifiers.dedup();
    let is_first = |statement: &&Statement| {
        matches!(outcomes.get(&statement.delivery_id), Some(Outcome::Applied | Outcome::Conflict(_)))
    };
    let entries: Vec<EntryRecord> = entries.into_iter().map(EntryRecord::from).collect();
    Some(Plan {
        times: times?,
        versions: versions_of(&entries, &BTreeMap::new()),
        values: values_of(&entries),
        contents: all.iter().filter(is_first).map(KnownContent::of).collect(),
        entries,
        ended: Vec::new(),
        past: past.into_iter().map(|past| (past.entry.into(), past.known_until)).collect(),
        items: items_of(timeline.order()),
        attention: Some(attention_of(timeline.order())),
        unknown: unknown_values(all.iter().filter(counts), vocabulary),
        identifiers,
        timeline,
        outcomes: outcomes.into_iter().collect(),
        extent: Extent::Whole,
    })
}

impl KnownContent {
    fn of(statement: &Statement) -> Self {
        Self {
            event_key: EventKey::of(statement),
            content_hash: statement.content_hash,
            delivery_id: statement.delivery_id,
            received_at: statement.received_at,
        }
    }

    /// Whether this content was received before a repeat of it. In the batch itself the order of
    /// receipt is at hand; against the database an equal time leaves it open, and the history decides.
    fn is_before(&self, repeat: &Statement, in_batch: &[&Statement]) -> bool {
        self.received_at < repeat.received_at
            || in_batch.iter().any(|statement| statement.delivery_id == self.delivery_id)
    }
}

impl Times {
    /// The times of these events; `None` where there are none.
    pub fn of<'s>(statements: impl IntoIterator<Item = &'s Statement>) -> Option<Self> {
        statements.into_iter().fold(None, |times, statement| Some(Self::with(times, statement)))
    }

    fn with(times: Option<Self>, statement: &Statement) -> Self {
        let (at, received_at) = (statement.at(), statement.received_at);
        let times = times.unwrap_or(Self { first_event_at: at, last_event_at: at, last_received_at: received_at });
        Self {
            first_event_at: times.first_event_at.min(at),
            last_event_at: times.last_event_at.max(at),
            last_received_at: times.last_received_at.max(received_at),
        }
    }
}
