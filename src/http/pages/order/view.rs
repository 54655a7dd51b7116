//! Which part of an order is asked for, and what of its timeline that leaves.

use crate::record::{EntryRecord, TimelineRecord};

/// What of the order is asked for, as the texts that stood in the address; empty is the same as not given.
#[derive(Clone, Debug, Default)]
pub struct OrderView {
    /// Only what is about this item, of this kind, or says this.
    pub item: Option<String>,
    pub kind: Option<String>,
    pub text: Option<String>,
    /// `oldest`, or else the newest first.
    pub sort: Option<String>,
    pub page: Option<String>,
    /// As it was then: a time, taken as UTC where it names no zone.
    pub at: Option<String>,
    /// As we knew it then.
    pub known_at: Option<String>,
    /// The id by which it was found, and of what kind that is.
    pub found: Option<(String, String)>,
}

/// The events of a page, each with the entries that are asked for.
#[derive(Clone, Debug)]
pub struct Selection<'t> {
    pub events: Vec<Vec<&'t EntryRecord>>,
    /// How many there are on all pages.
    pub total: usize,
    pub page: usize,
    pub pages: usize,
}

/// So many events are on a page.
const EVENTS: usize = 50;

impl OrderView {
    pub fn item(&self) -> Option<&str> {
        given(&self.item)
    }

    pub fn kind(&self) -> Option<&str> {
        given(&self.kind)
    }

    pub fn text(&self) -> Option<&str> {
        given(&self.text)
    }

    pub fn at(&self) -> Option<&str> {
        given(&self.at)
    }

    pub fn known_at(&self) -> Option<&str> {
        given(&self.known_at)
    }

    pub fn is_past(&self) -> bool {
        self.at().is_some() || self.known_at().is_some()
    }

    pub fn is_filtered(&self) -> bool {
        self.item().is_some() || self.kind().is_some() || self.text().is_some()
    }

    pub fn is_oldest_first(&self) -> bool {
        given(&self.sort) == Some("oldest")
    }

    /// The view as a query, with one part of it another one; pages begin anew.
    pub fn query_with<'v>(&'v self, name: &str, value: Option<&'v str>) -> Vec<(&'static str, Option<&'v str>)> {
        let now = [
            ("item", self.item()),
            ("kind", self.kind()),
            ("text", self.text()),
            ("sort", given(&self.sort)),
            ("at", self.at()),
            ("knownAt", self.known_at()),
            ("page", None),
        ];
        now.into_iter().map(|(known, now)| if known == name { (known, value) } else { (known, now) }).collect()
    }

    /// The events that the filters leave, of the page that is asked for.
    pub fn select<'t>(&self, timeline: &'t TimelineRecord) -> Selection<'t> {
        let text = self.text().map(str::to_lowercase);
        let is_asked_for = |entry: &&EntryRecord| {
            self.item().is_none_or(|item| entry.is_about(item))
                && self.kind().is_none_or(|kind| entry.kind == kind)
                && text.as_ref().is_none_or(|text| entry.text.to_lowercase().contains(text))
        };
        let events = timeline.entries.chunk_by(|a, b| a.event_position == b.event_position);
        let mut events: Vec<Vec<&EntryRecord>> = events
            .map(|event| event.iter().filter(is_asked_for).collect())
            .filter(|event: &Vec<_>| !event.is_empty())
            .collect();
        if !self.is_oldest_first() {
            events.reverse();
        }
        let total = events.len();
        let pages = total.div_ceil(EVENTS).max(1);
        let page = given(&self.page).and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, pages);
        let events = events.into_iter().skip((page - 1) * EVENTS).take(EVENTS).collect();
        Selection { events, total, page, pages }
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}
