//! Entries as a reader takes them in: what belongs together on one line, what was said already.

use std::collections::HashMap;

use super::EntryRecord;
use crate::order::{Kind, repeats_state, same};

/// The entries of an event by line: what an item's first appearance, or a change of its state, brings with
/// it stands on one.
pub fn lines<'e>(event: impl IntoIterator<Item = &'e EntryRecord>) -> Vec<Vec<&'e EntryRecord>> {
    let mut lines: Vec<Vec<&EntryRecord>> = Vec::new();
    let mut of_items: HashMap<&[String], Vec<usize>> = HashMap::new();
    for entry in event {
        let of_item = of_items.entry(&entry.item_ids).or_default();
        let line = of_item.iter().copied().find(|at| lines.get(*at).is_some_and(|line| goes_with(line, entry)));
        match line.and_then(|at| lines.get_mut(at)) {
            Some(line) => line.push(entry),
            None => {
                // Only these begin a line that others may join.
                if matches!(entry.known_kind(), Some(Kind::ItemAdded | Kind::ItemState | Kind::ItemSubStatus)) {
                    of_item.push(lines.len());
                }
                lines.push(vec![entry]);
            }
        }
    }
    lines
}

fn goes_with(line: &[&EntryRecord], entry: &EntryRecord) -> bool {
    let Some(first) = line.first().filter(|first| first.item_ids == entry.item_ids && entry.item_ids.len() == 1) else {
        return false;
    };
    match (first.known_kind(), entry.known_kind()) {
        (Some(Kind::ItemAdded), Some(kind)) => {
            [Kind::ItemState, Kind::ItemSubStatus, Kind::ExpectedDate, Kind::ServiceId].contains(&kind)
        }
        (Some(Kind::ItemState), Some(Kind::ItemSubStatus)) => true,
        (Some(Kind::ItemState | Kind::ItemSubStatus), Some(Kind::ExpectedDate)) => is_said(line, entry),
        _ => false,
    }
}

/// What the entry says after "Access item 100.1: ", where the line began with the same words.
pub fn said_of<'e>(first: &EntryRecord, entry: &'e EntryRecord) -> &'e str {
    let label = first.text.split_once(": ").map(|(label, _)| label);
    label.and_then(|label| entry.text.strip_prefix(label)?.strip_prefix(": ")).unwrap_or(&entry.text)
}

/// Whether an entry only says again what the line shows already: a sub-status that stands in the state's
/// parentheses, a date that stands behind the sub-status.
pub fn is_said(line: &[&EntryRecord], entry: &EntryRecord) -> bool {
    let of_kind = |kind| line.iter().find(|other| other.known_kind() == Some(kind)).copied();
    let said = line.first().map_or("", |first| said_of(first, entry));
    match entry.known_kind() {
        Some(Kind::ItemSubStatus) => of_kind(Kind::ItemState).is_some_and(|state| repeats(state, entry, said)),
        Some(Kind::ExpectedDate) => {
            of_kind(Kind::ItemSubStatus).is_some_and(|other| other.text.ends_with(said) && !is_said(line, other))
        }
        _ => false,
    }
}

/// The date behind a sub-status has an entry of its own and so does not count. A sub-status that the
/// vocabulary puts in other words than its code says something new.
fn repeats(state: &EntryRecord, sub_status: &EntryRecord, said: &str) -> bool {
    let value = |entry: &EntryRecord| entry.to.as_ref().and_then(|to| to.as_str()).unwrap_or_default().to_owned();
    let (to, said) = (value(sub_status), said.split("; expected completion").next().unwrap_or(said));
    let is_there = state.text.ends_with(&format!(" ({to})")) || repeats_state(&value(state), &to);
    is_there && same(said.strip_prefix("sub-status ").unwrap_or(said), &to)
}
