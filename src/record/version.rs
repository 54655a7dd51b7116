//! Versions of an item: its state and sub-status together, over a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::EntryRecord;
use crate::order::{Item, Kind};

/// An item's state and sub-status from one event on until another one changes either.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemVersionRecord {
    pub item_id: String,
    /// The entry that began it.
    pub event_position: i64,
    pub ordinal: i32,
    pub state: Option<String>,
    pub sub_status: Option<String>,
    pub valid_from: DateTime<Utc>,
    /// `None` while it holds.
    pub valid_to: Option<DateTime<Utc>>,
}

/// What the entries of some events, in their order, make of the items' versions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Versions {
    pub begun: Vec<ItemVersionRecord>,
    /// The items whose version before these ends, and when.
    pub ended: BTreeMap<String, DateTime<Utc>>,
}

/// The versions that follow on the items as they were `before` the entries.
pub fn versions_of(entries: &[EntryRecord], before: &BTreeMap<String, Item>) -> Versions {
    let mut versions = Versions::default();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        let (Some(kind @ (Kind::ItemState | Kind::ItemSubStatus)), Some(item_id)) =
            (entry.known_kind(), entry.item_ids.first())
        else {
            continue;
        };
        let last = open.get(item_id.as_str()).copied();
        let of_event =
            last.filter(|at| versions.begun.get(*at).is_some_and(|v| v.event_position == entry.event_position));
        let at = of_event.unwrap_or_else(|| {
            let next = versions.next(last, item_id, entry, before);
            versions.begun.push(next);
            versions.begun.len() - 1
        });
        open.insert(item_id, at);
        if let Some(version) = versions.begun.get_mut(at) {
            let value = entry.to.as_ref().and_then(|to| to.as_str()).map(str::to_owned);
            *(if kind == Kind::ItemState { &mut version.state } else { &mut version.sub_status }) = value;
        }
    }
    versions
}

impl Versions {
    /// The version that the entry begins, with what it does not change as it was; the one before it ends.
    fn next(
        &mut self,
        last: Option<usize>,
        item_id: &str,
        entry: &EntryRecord,
        before: &BTreeMap<String, Item>,
    ) -> ItemVersionRecord {
        let (state, sub_status) = match last.and_then(|at| self.begun.get_mut(at)) {
            Some(last) => {
                last.valid_to = Some(entry.at);
                (last.state.clone(), last.sub_status.clone())
            }
            None => {
                let item = before.get(item_id).filter(|item| item.state.is_some() || item.sub_status.is_some());
                if item.is_some() {
                    self.ended.insert(item_id.to_owned(), entry.at);
                }
                let told = |told: &Option<String>, now: &Option<String>| told.clone().or_else(|| now.clone());
                item.map_or((None, None), |item| {
                    (told(&item.told_state, &item.state), told(&item.told_sub_status, &item.sub_status))
                })
            }
        };
        ItemVersionRecord {
            item_id: item_id.to_owned(),
            event_position: entry.event_position,
            ordinal: entry.ordinal,
            state,
            sub_status,
            valid_from: entry.at,
            valid_to: None,
        }
    }
}
