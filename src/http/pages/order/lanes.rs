//! What the picture of an order shows, apart from how it is drawn: a lane an item, and what lies in it.

use chrono::{DateTime, Utc};

use crate::http::pages::label;
use crate::order::{Appointment, Kind, Moment, Subject, Vocabulary, state_in_words, window};
use crate::record::{EntryRecord, ItemRecord, OrderRecord, TimelineRecord};

use super::items;

/// An item over time.
#[derive(Clone, Debug)]
pub struct Lane {
    pub name: String,
    pub depth: usize,
    pub bands: Vec<Band>,
    pub visits: Vec<Visit>,
    pub expected: Option<Expected>,
}

/// An item in one sub-status.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    pub words: String,
    pub tone: &'static str,
    pub from: DateTime<Utc>,
    /// None while it lasts.
    pub until: Option<DateTime<Utc>>,
}

/// A window in which somebody comes, or was to come.
#[derive(Clone, Debug)]
pub struct Visit {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub words: String,
    /// Whether it is the last that was said.
    pub is_current: bool,
}

#[derive(Clone, Debug)]
pub struct Expected {
    pub at: DateTime<Utc>,
    pub words: String,
}

/// Something at a moment, or from a moment on, that is about the whole order.
#[derive(Clone, Debug)]
pub struct Mark {
    pub at: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
    pub words: String,
}

/// More items than this are drawn by nobody's eyes.
pub const MOST: usize = 60;

/// The lanes of an order's items, at most [`MOST`].
pub fn lanes(order: &OrderRecord, timeline: &TimelineRecord, vocabulary: &Vocabulary) -> Vec<Lane> {
    let items = items::flat(&order.items);
    items.into_iter().take(MOST).map(|(depth, item)| lane(depth, item, &timeline.entries, vocabulary)).collect()
}

fn lane(depth: usize, item: &ItemRecord, entries: &[EntryRecord], vocabulary: &Vocabulary) -> Lane {
    let own: Vec<&EntryRecord> = entries.iter().filter(|entry| entry.is_about(&item.item_id)).collect();
    let of_kind = |kind| own.iter().copied().filter(move |entry| entry.known_kind() == Some(kind));
    let mut visits: Vec<Visit> = of_kind(Kind::Appointment).filter_map(|entry| visit(entry.to.as_ref()?)).collect();
    visits.dedup_by(|a, b| (a.from, a.until) == (b.from, b.until));
    if let Some(last) = visits.last_mut() {
        last.is_current = true;
    }
    // A window that was never known and is past has nothing to show.
    visits.retain(|visit| visit.is_current || visit.from < visit.until);
    let expected = item
        .expected_completion_moment
        .as_ref()
        .and_then(|moment| Some(Expected { at: moment.at()?, words: crate::order::day_or_time(moment) }));
    Lane { name: items::name(item, vocabulary), depth, bands: bands(&own, vocabulary), visits, expected }
}

/// A band begins where the sub-status or the state becomes another one; equal neighbours are one band. The words
/// are the sub-status's, but an end, and how it ended, is the state's to say.
fn bands(own: &[&EntryRecord], vocabulary: &Vocabulary) -> Vec<Band> {
    let (mut state, mut sub_status) = (None, None);
    let mut bands: Vec<Band> = Vec::new();
    let changes: Vec<&EntryRecord> = own
        .iter()
        .copied()
        .filter(|entry| matches!(entry.known_kind(), Some(Kind::ItemState | Kind::ItemSubStatus)))
        .collect();
    for event in changes.chunk_by(|a, b| a.event_position == b.event_position) {
        for entry in event {
            let value = entry.to.as_ref().and_then(|to| to.as_str());
            match entry.known_kind() {
                Some(Kind::ItemState) => state = value,
                _ => sub_status = value,
            }
        }
        let (Some(value), Some(first)) = (sub_status.or(state), event.first()) else { continue };
        let words = vocabulary.words(Subject::SubStatus, value).map_or_else(|| state_in_words(value), str::to_owned);
        let tone = match state.map(label::tone_of_state) {
            Some(end @ ("good" | "bad")) => end,
            _ => label::tone_of_sub_status(value, vocabulary),
        };
        match bands.last_mut() {
            Some(last) if last.words == words && last.tone == tone => {}
            last => {
                if let Some(last) = last {
                    last.until = Some(first.at);
                }
                bands.push(Band { words, tone, from: first.at, until: None });
            }
        }
    }
    bands
}

fn visit(stated: &serde_json::Value) -> Option<Visit> {
    let moment = |name: &str| {
        let text = stated.get(name)?.as_str()?;
        Some(Moment::new(text, text.parse().ok()))
    };
    let (start, finish) = (moment("start")?, moment("finish"));
    let from = start.at()?;
    let until = finish.as_ref().and_then(Moment::at).unwrap_or(from);
    let appointment = Appointment { start: Some(start), finish, ..Appointment::default() };
    Some(Visit { from, until: until.max(from), words: window(&appointment)?, is_current: false })
}

/// The messages, one mark for all of an event.
pub fn messages(timeline: &TimelineRecord) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for entry in timeline.entries.iter().filter(|entry| entry.known_kind() == Some(Kind::Message)) {
        let code =
            entry.message.as_ref().and_then(|message| message.code.clone()).unwrap_or_else(|| "message".to_owned());
        match marks.last_mut().filter(|last| last.at == entry.at) {
            Some(last) => last.words = format!("{}, {code}", last.words),
            None => marks.push(Mark { at: entry.at, until: None, words: code }),
        }
    }
    marks
}

/// The contradictions, with when they were resolved.
pub fn contradictions(timeline: &TimelineRecord) -> Vec<Mark> {
    let opened = timeline.entries.iter().filter(|entry| entry.is_contradiction_opened());
    opened.map(|entry| Mark { at: entry.at, until: entry.valid_to, words: entry.text.clone() }).collect()
}
