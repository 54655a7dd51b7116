//! What the picture of an order shows, apart from how it is drawn: a lane an item, and what lies in it.

use chrono::{DateTime, Utc};

use crate::http::pages::label;
use crate::order::{
    Appointment, Kind, Meaning, Moment, Subject, Vocabulary, appointment_status, has_ended, state_in_words, window,
};
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
    /// In words.
    pub status: Option<String>,
    /// Whether it is the last that was said.
    pub is_current: bool,
    /// Whether it was missed or cancelled, or its item ended before it.
    pub is_over: bool,
}

impl Visit {
    /// Whether somebody comes, or came, then.
    pub fn counts(&self) -> bool {
        self.is_current && !self.is_over
    }

    /// The window, and what became of the visit: "29 Apr 2024 08:00–13:00, cancelled".
    pub fn told(&self) -> String {
        match &self.status {
            Some(status) => format!("{}, {status}", self.words),
            None => self.words.clone(),
        }
    }
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
    let mut visits: Vec<Visit> =
        of_kind(Kind::Appointment).filter_map(|entry| visit(entry.to.as_ref()?, vocabulary)).collect();
    // Of versions of the same hours the last says how the visit stands.
    visits.dedup_by(|next, kept| {
        let is_same = (next.from, next.until) == (kept.from, kept.until);
        if is_same {
            (kept.status, kept.is_over) = (next.status.take(), next.is_over);
        }
        is_same
    });
    let ended = of_kind(Kind::ItemState).next_back().filter(|_| item.state.as_deref().is_some_and(has_ended));
    if let Some(last) = visits.last_mut() {
        last.is_current = true;
        last.is_over |= ended.is_some_and(|ended| last.from > ended.at);
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
/// are the sub-status's, but an end, and how it ended, is the state's to say: a sub-status of before it no longer holds.
fn bands(own: &[&EntryRecord], vocabulary: &Vocabulary) -> Vec<Band> {
    let (mut state, mut sub_status) = (None, None);
    let mut bands: Vec<Band> = Vec::new();
    let changes: Vec<&EntryRecord> = own
        .iter()
        .copied()
        .filter(|entry| matches!(entry.known_kind(), Some(Kind::ItemState | Kind::ItemSubStatus)))
        .collect();
    for event in changes.chunk_by(|a, b| a.event_position == b.event_position) {
        let mut says_sub_status = false;
        for entry in event {
            let value = entry.to.as_ref().and_then(|to| to.as_str());
            match entry.known_kind() {
                Some(Kind::ItemState) => state = value,
                _ => (sub_status, says_sub_status) = (value, true),
            }
        }
        let end = state.filter(|state| has_ended(state));
        let (Some(value), Some(first)) = (end.filter(|_| !says_sub_status).or(sub_status).or(state), event.first())
        else {
            continue;
        };
        let words = vocabulary.words(Subject::SubStatus, value).map_or_else(|| state_in_words(value), str::to_owned);
        let tone = end.and_then(label::tone_of_end).unwrap_or_else(|| label::tone_of_sub_status(value, vocabulary));
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

fn visit(stated: &serde_json::Value, vocabulary: &Vocabulary) -> Option<Visit> {
    let moment = |name: &str| {
        let text = stated.get(name)?.as_str()?;
        Some(Moment::new(text, text.parse().ok()))
    };
    let (start, finish) = (moment("start")?, moment("finish"));
    let from = start.at()?;
    let until = finish.as_ref().and_then(Moment::at).unwrap_or(from);
    let appointment = Appointment { start: Some(start), finish, ..Appointment::default() };
    let status = stated.get("status").and_then(|status| status.as_str());
    let meaning = status.and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
    Some(Visit {
        from,
        until: until.max(from),
        words: window(&appointment)?,
        status: status.map(|status| appointment_status(status, vocabulary)),
        is_current: false,
        is_over: meaning.is_some_and(Meaning::is_of_visit_that_is_over),
    })
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
