//! What was known at a time, from the entries that are kept: for orders whose bodies were let go.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::EntryRecord;
use crate::order::{Kind, Ledger, Moment, day_or_time, rfc3339, state_in_words};

/// The timeline that these entries were, in the order of time, as of `at` where that is given.
///
/// `entries` are those that were known at one time, of whatever later telling: an event's entries may have been made
/// at different times, and stand together again here. How long each holds is worked out anew, since what ended it
/// may not have been known yet.
pub fn known_timeline(mut entries: Vec<EntryRecord>, at: Option<DateTime<Utc>>) -> Vec<EntryRecord> {
    entries.sort_by_key(|entry| (entry.at, entry.event_position, entry.ordinal));
    let mut places: HashMap<(DateTime<Utc>, String), i64> = HashMap::new();
    for entry in &mut entries {
        // A conflict stands with the event that it is about, and so has its id; what has none is its delivery's.
        let event = entry.event_id.clone().unwrap_or_else(|| entry.delivery_id.to_string());
        let next = i64::try_from(places.len()).unwrap_or(i64::MAX);
        entry.event_position = *places.entry((entry.at, event)).or_insert(next);
        entry.valid_to = None;
    }
    in_telling_order(&mut entries);
    let mut ledger = Ledger::default();
    for place in 0..entries.len() {
        let Some((kind, entry)) = entries.get(place).and_then(|entry| Some((entry.known_kind()?, entry))) else {
            continue;
        };
        let own = (u32::try_from(place).unwrap_or(u32::MAX), 0);
        let ends_at = entry.at;
        let is_field = kind == Kind::ExpectedDate && entry.name.is_none();
        // A message of the same event may say again what its text said: what is told of that is not kept.
        let overtaken = entry.item_ids.first().filter(|_| is_field).and_then(|id| ledger.end_date_in_text(id));
        let ended = ledger.enter_entry(kind, entry.name.as_deref(), &entry.item_ids, own);
        for (place, _) in overtaken.into_iter().chain(ended) {
            if let Some(ended) = usize::try_from(place).ok().and_then(|place| entries.get_mut(place)) {
                ended.valid_to = Some(ends_at);
            }
        }
    }
    if let Some(at) = at {
        entries.retain(|entry| entry.at <= at);
        entries.iter_mut().for_each(|entry| entry.valid_to = entry.valid_to.filter(|ended| *ended <= at));
    }
    entries
}

/// Puts each event's entries in the order in which they are told: each telling counts them by itself.
fn in_telling_order(entries: &mut [EntryRecord]) {
    let mut items: HashMap<(i64, Vec<String>), i32> = HashMap::new();
    for entry in entries.iter().filter(|entry| told_rank(entry) / 10 == 2) {
        let first = items.entry((entry.event_position, entry.item_ids.clone())).or_insert(entry.ordinal);
        *first = entry.ordinal.min(*first);
    }
    entries.sort_by_cached_key(|entry| {
        let rank = told_rank(entry);
        let item = (rank / 10 == 2).then(|| {
            let ids = entry.item_ids.clone();
            (items.get(&(entry.event_position, ids.clone())).copied(), ids)
        });
        (entry.event_position, rank / 10, item, rank, entry.ordinal, entry.item_ids.clone(), entry.text.clone())
    });
}

/// What an entry is told before, of those of its event. The tens are the stages in which the fold takes a statement
/// in, of which the items' are told item by item. Analysts' `told_rank` (migrations/0070) says the same.
fn told_rank(entry: &EntryRecord) -> u8 {
    const IDENTITY: [&str; 4] = ["action", "internalId", "productId", "productOffering"];
    let name = entry.name.as_deref().unwrap_or_default();
    match entry.known_kind() {
        Some(Kind::OrderCreated) => 0,
        Some(Kind::Message) => 30,
        Some(Kind::ExpectedDate) if name == "in message text" => 40,
        Some(Kind::Milestone) => 50,
        Some(Kind::OrderState) => 60,
        Some(Kind::Contradiction) => 70,
        Some(Kind::Conflict) => 80,
        _ if entry.item_ids.is_empty() => 10,
        Some(Kind::ItemAdded) => 20,
        Some(Kind::Characteristic) if IDENTITY.contains(&name) => 21,
        Some(Kind::ItemState) => 22,
        Some(Kind::ItemSubStatus) => 23,
        Some(Kind::ExpectedDate) => 24,
        Some(Kind::Appointment) => 25,
        Some(Kind::ServiceId) => 27,
        _ => 26,
    }
}

/// The order's state at the end of these entries, and the sentence that said why when it began: what was said of the
/// reason later is not kept. `None` where they tell no state.
pub fn known_state(entries: &[EntryRecord]) -> Option<(String, String)> {
    let is_state = |entry: &&EntryRecord| entry.known_kind() == Some(Kind::OrderState);
    let entry = entries.iter().rev().find(is_state)?;
    let state = entry.to.as_ref()?.as_str()?.to_owned();
    let told = entry.text.strip_prefix(&format!("Order {}. ", state_in_words(&state))).unwrap_or(&entry.text);
    let since = day_or_time(&Moment::new(rfc3339(entry.at), Some(entry.at)));
    Some((state, format!("As told on {since}: {told}")))
}
