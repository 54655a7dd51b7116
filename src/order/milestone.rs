//! Milestones: KCI1 acknowledged, KCI2 committed, KCI3 completed, and what the vocabulary adds.
//!
//! Sub-statuses and messages say the same milestones (domain §1), not always in the same event: which of
//! them said it first is kept.

use std::collections::BTreeMap;

use super::change::{Facts, Kind, MilestoneFacts, SaidBy};
use super::event::Event;
use super::telling::Changes;
use super::timeline::Order;
use super::vocabulary::Subject;
use super::words;

/// Who says a milestone, and by which value.
type Saying = (SaidBy, String);
/// What an event says, by milestone and item.
type Sayings = BTreeMap<(String, String), Vec<Saying>>;
/// What it says that was not said before: the milestone, by whom, and whether anybody said it before.
type Told = (String, Vec<Saying>, bool);

/// Tells the milestones that an event says are reached and that their source had not said before. Items of
/// which the same is said share an entry.
pub fn take_in(order: &mut Order, event: &Event, changes: &mut Changes<'_>) {
    let mut together: BTreeMap<Told, Vec<String>> = BTreeMap::new();
    let known_of_order: Vec<String> = order.items.values().flat_map(|item| item.reached.keys().cloned()).collect();
    for ((milestone, item_id), sayings) in sayings(order, event, changes) {
        let Some(item) = order.items.get_mut(&item_id) else { continue };
        let said = item.reached.entry(milestone.clone()).or_default();
        let is_first = said.is_empty();
        let new: Vec<Saying> = sayings.into_iter().filter(|(by, _)| said.insert(*by)).collect();
        if !new.is_empty() {
            together.entry((milestone, new, is_first)).or_default().push(item_id);
        }
    }
    for ((milestone, sayings, is_first), item_ids) in together {
        tell(&milestone, sayings, is_first, !known_of_order.contains(&milestone), &item_ids, changes);
    }
}

fn sayings(order: &Order, event: &Event, changes: &Changes<'_>) -> Sayings {
    let mut sayings = Sayings::new();
    let mut say = |subject, value: &str, item_id: &str, by| {
        let meaning = changes.vocabulary.meaning(subject, value);
        if let Some(milestone) = meaning.and_then(|meaning| meaning.milestone.clone())
            && order.items.contains_key(item_id)
        {
            let said = sayings.entry((milestone, item_id.to_owned())).or_default();
            if !said.iter().any(|(known, _)| *known == by) {
                said.push((by, value.to_owned()));
            }
        }
    };
    for item in &event.items {
        if let Some(sub_status) = &item.sub_status {
            say(Subject::SubStatus, sub_status, &item.id, SaidBy::SubStatus);
        }
    }
    for message in &event.messages {
        for code in message.codes() {
            message.item_ids.iter().for_each(|item_id| say(Subject::Message, code, item_id, SaidBy::Message));
        }
    }
    sayings
}

fn tell(
    milestone: &str,
    sayings: Vec<Saying>,
    is_first: bool,
    is_first_of_order: bool,
    item_ids: &[String],
    changes: &mut Changes<'_>,
) {
    let by = sayings.iter().map(|(by, value)| match by {
        SaidBy::SubStatus => format!("sub-status {value}"),
        SaidBy::Message => format!("message {value}"),
    });
    let by = words::list(by);
    let items = if item_ids.len() == 1 { "item" } else { "items" };
    let items = format!("{items} {}", words::list(item_ids.iter()));
    let meaning = sayings.first().and_then(|(by, value)| {
        let subject = if *by == SaidBy::SubStatus { Subject::SubStatus } else { Subject::Message };
        changes.vocabulary.words(subject, value)
    });
    let meaning = meaning.map_or_else(String::new, |words| format!(" ({words})"));
    let text = if is_first {
        format!("Milestone {milestone}{meaning} reached for {items}, by {by}")
    } else {
        format!("Milestone {milestone}{meaning} said again for {items}, now by {by}")
    };
    let (said_by, values) = sayings.into_iter().unzip();
    changes.item_change(Kind::Milestone, item_ids, None, "reached".to_owned(), text);
    changes.name_last(milestone);
    changes.note(Facts::Milestone(MilestoneFacts { said_by, values, is_first, is_first_of_order }));
}
